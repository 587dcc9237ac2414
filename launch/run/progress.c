/* progress: a bar on a terminal, plain lines into a pipe. */
#include "launch/run/progress.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/print.h"
#include "launch/terminal.h"

enum { TEXT = 512, BAR_MIN = 8, BAR_MAX = 32 };
/* The least seconds between two bars, two plain lines into a pipe, and two lines of epochs. */
static const double redraw_seconds = 0.1, line_seconds = 10, epoch_seconds = 1;

struct ls_progress {
    FILE *out;
    int window; /* a descriptor of the terminal that a person sees; -1: there is none */
    bool utf8;
    bool failed, unread;        /* `out` can't be written; because nobody reads it */
    bool drawn;                 /* a bar stands on the last line */
    double bar_time, line_time; /* when the last bar and the last line of figures were written */
};

ls_progress *ls_progress_open(FILE *out)
{
    ls_progress *progress = ls_alloc(1, sizeof *progress);
    int window = ls_terminal_find(out);
    *progress = (ls_progress){.out = out,
                              .window = window,
                              .utf8 = window >= 0 && ls_terminal_utf8(),
                              .line_time = ls_clock_now() - epoch_seconds};
    return progress;
}

static void clear(ls_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

void ls_progress_flush(ls_progress *progress)
{
    errno = 0;
    if (fflush(progress->out) == 0 && !ferror(progress->out))
        return;
    int reason = errno ? errno : EIO;
    clearerr(progress->out); /* it is told here, and not when the program exits */
    progress->unread |= reason == EPIPE;
    if (!progress->failed)
        ls_print(stderr, "lockstep: stdout: can't write: %s; the training %s\n", strerror(reason),
                 progress->unread ? "stops with a checkpoint" : "goes on");
    progress->failed = true;
}

bool ls_progress_unread(const ls_progress *progress)
{
    return progress->unread;
}

void ls_progress_close(ls_progress *progress)
{
    if (!progress)
        return;
    if (progress->drawn) {
        clear(progress);
        ls_progress_flush(progress);
    }
    if (progress->window >= 0)
        close(progress->window);
    ls_free(progress);
}

/* "12345", "12.3k", "1.23M": three figures and more. */
static void amount(char *text, size_t size, double value)
{
    if (value >= 1e6)
        snprintf(text, size, "%.2fM", value / 1e6);
    else if (value >= 1e5)
        snprintf(text, size, "%.0fk", value / 1e3);
    else if (value >= 1e4)
        snprintf(text, size, "%.1fk", value / 1e3);
    else
        snprintf(text, size, value >= 100 ? "%.0f" : "%.3g", value);
}

/* The parts of a line, the most important first: a narrow terminal drops the last ones. */
enum {
    EPOCH,
    LOSS,
    TROUBLE,
    LEFT,
    METRICS,
    BAR,
    SPEED,
    STEP,
    WAITING,
    SAVING,
    TIMES,
    FLOPS,
    PARTS
};
/* Their order on the line. */
static const int order[PARTS] = {EPOCH, BAR,     STEP,   LOSS,  METRICS, SPEED,
                                 LEFT,  WAITING, SAVING, TIMES, FLOPS,   TROUBLE};
typedef struct parts {
    char at[PARTS][TEXT]; /* "": left out */
} parts;

/* What a step took: least/median/most over the ranks, in ms; data only where a rank waits for it.
 */
static void describe_times(char *text, const ls_figures *f)
{
    static const struct {
        const char *name;
        ls_time time;
        double from; /* is left out where it is less than this share of the computing */
    } shown[] = {{"compute", LS_TIME_COMPUTE, 0},
                 {"wait", LS_TIME_WAIT, 0},
                 {"sum", LS_TIME_SUM, 0},
                 {"data", LS_TIME_DATA, 0.01}};
    int used = 0;
    for (size_t i = 0; i < sizeof shown / sizeof *shown && used < TEXT; i++) {
        const ls_spread *s = &f->work.spent[shown[i].time];
        if (s->most > 0 && s->most >= shown[i].from * f->work.spent[LS_TIME_COMPUTE].most)
            used += snprintf(text + used, (size_t)(TEXT - used), "%s%s %.3g/%.3g/%.3g",
                             used ? "  " : "ms: ", shown[i].name, 1e3 * s->least, 1e3 * s->median,
                             1e3 * s->most);
    }
}

void ls_progress_number(double value, char text[32])
{
    snprintf(text, 32, fabs(value) >= 0.001 || value == 0 ? "%.4f" : "%.2e", value);
}

/* A metric's name and value; "-" where no label has counted yet: a loss that is not finite ends the
 * training before it is shown. */
static int put_metric(char *text, int size, const char *before, const ls_figures *f, int k)
{
    char value[32] = "-";
    if (!isnan(f->value[k]) && k > 0)
        ls_progress_number(f->value[k], value);
    else if (!isnan(f->value[k]))
        snprintf(value, sizeof value, fabs(f->value[0]) < 1000 ? "%#.4g" : "%.4g", f->value[k]);
    const ls_metric *metric = &f->objective->metric[k];
    return snprintf(text, (size_t)size, "%s%s %s%s%s", before, metric->name, value,
                    metric->beside ? " " : "", metric->beside ? metric->beside : "");
}

/* All parts but the bar; `brief`: with fewer words, for a narrow terminal. */
static parts describe(const ls_figures *f, bool brief)
{
    parts p = {0};
    char number[64];
    int used = 0, digits = snprintf(NULL, 0, "%ld", f->steps);
    if (f->stages > 1)
        used = snprintf(p.at[EPOCH], TEXT, "stage %d/%d, ", f->stage + 1, f->stages);
    used += snprintf(p.at[EPOCH] + used, TEXT - 64, "epoch %ld", f->epoch + 1);
    if (f->epochs > 0)
        snprintf(p.at[EPOCH] + used, (size_t)(TEXT - used), "/%ld", f->epochs);
    snprintf(p.at[STEP], TEXT, "%s%*ld/%ld", brief ? "" : "step ", digits, f->step, f->steps);
    put_metric(p.at[LOSS], TEXT, "", f, 0);
    used = 0;
    for (int k = 1; k < f->objective->metrics && used < TEXT; k++)
        if (!f->objective->metric[k].evaluated)
            used += put_metric(p.at[METRICS] + used, TEXT - used, used ? "  " : "", f, k);
    snprintf(p.at[TROUBLE], TEXT, "%s", f->trouble ? f->trouble : "");
    amount(number, sizeof number, f->samples_per_second);
    snprintf(p.at[SPEED], TEXT, "%s%s", number, brief ? "/s" : " samples/s");
    if (f->seconds_left >= 0) {
        ls_terminal_duration(number, sizeof number, f->seconds_left);
        snprintf(p.at[LEFT], TEXT, "%s left", number);
    }
    if (f->waiting > 0.01)
        snprintf(p.at[WAITING], TEXT, "%.0f%% waiting for data", 100 * f->waiting);
    if (f->written > 0)
        snprintf(p.at[SAVING], TEXT, "checkpoint %.2g s, written in %.2g s", f->held, f->written);
    if (f->work.ranks > 1)
        describe_times(p.at[TIMES], f);
    if (f->work.pace > 0)
        snprintf(p.at[FLOPS], TEXT, "%.3g Gflop/s a rank (%.0f%%)", 1e-9 * f->work.flops,
                 100 * f->work.flops / f->work.pace);
    return p;
}

/* How many parts, the most important first, fit into *room columns, which becomes those left. */
static int fit(const parts *p, int *room)
{
    int shown = 0;
    for (; shown < PARTS; shown++) {
        int length = shown == BAR ? BAR_MIN + 2 : (int)strlen(p->at[shown]);
        int next = length && shown ? length + 2 : length;
        if (next > *room)
            break;
        *room -= next;
    }
    return shown;
}

/* Writes the first `shown` parts, in the order of the line. */
static void write_parts(const ls_progress *progress, const parts *p, int shown)
{
    for (int i = 0; i < PARTS; i++)
        if (order[i] < shown && p->at[order[i]][0])
            ls_print(progress->out, "%s%s", i ? "  " : "", p->at[order[i]]);
}

static void draw(ls_progress *progress, const ls_figures *figures)
{
    /* Some terminals wrap the line when its last column is written. */
    int columns = ls_terminal_columns(progress->window) - 1, room = columns;
    parts p = describe(figures, false);
    int shown = fit(&p, &room);
    if (shown < PARTS) {
        p = describe(figures, true);
        room = columns;
        shown = fit(&p, &room);
    }
    if (shown > BAR)
        ls_terminal_bar(p.at[BAR], TEXT, progress->utf8,
                        (double)figures->step / (double)figures->steps,
                        room < BAR_MAX - BAR_MIN ? BAR_MIN + room : BAR_MAX);
    fputs("\r\033[K", progress->out);
    if (shown == 0)
        ls_print(progress->out, "%.*s", columns, p.at[EPOCH]);
    write_parts(progress, &p, shown);
    progress->drawn = true;
}

/* Whether a line of figures is due that stays: at the end of the stage and of each epoch, and in a
 * file every ten seconds. */
static bool line_due(const ls_progress *progress, const ls_figures *figures, double time)
{
    double waited = time - progress->line_time;
    return figures->step == figures->steps || (figures->epoch_end && waited >= epoch_seconds) ||
           (progress->window < 0 && waited >= line_seconds);
}

void ls_progress_step(ls_progress *progress, const ls_figures *figures)
{
    double time = ls_clock_now();
    if (line_due(progress, figures, time)) {
        parts p = describe(figures, false);
        clear(progress);
        write_parts(progress, &p, PARTS);
        fputc('\n', progress->out);
        progress->line_time = time;
    } else if (progress->window >= 0 &&
               (!progress->drawn || time - progress->bar_time >= redraw_seconds)) {
        draw(progress, figures);
        progress->bar_time = time;
    }
    ls_progress_flush(progress);
}

void ls_progress_line(ls_progress *progress, const char *format, ...)
{
    va_list arguments;
    clear(progress);
    va_start(arguments, format);
    ls_print_list(progress->out, format, arguments);
    va_end(arguments);
    fputc('\n', progress->out);
    ls_progress_flush(progress);
}
