/* progress: a bar on a terminal, plain lines into a pipe. */
#include "launch/run/progress.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "launch/terminal.h"

enum { TEXT = 512, BAR_MIN = 8, BAR_MAX = 32, EIGHTHS = 8 };
static const double redraw_seconds = 0.1, line_seconds = 10, epoch_seconds = 1;

struct ls_progress {
    FILE *out;
    bool terminal, utf8;
    bool drawn;                /* a bar stands on the last line */
    double drawn_at, lined_at; /* when the last bar, or line of numbers, was written: seconds */
    int window;                /* a descriptor of the terminal that a person sees; -1: none */
};

/* The terminal behind `out`, or -1. Open MPI gives each rank a terminal of its own, without a
 * width, even where mpirun writes into a file: there, what mpirun itself writes to decides. */
static int find_window(FILE *out)
{
    const char *kind = getenv("TERM");
    if (!isatty(fileno(out)) || (kind && strcmp(kind, "dumb") == 0))
        return -1;
    if (ls_terminal_width(fileno(out)) > 0)
        return dup(fileno(out));
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)getppid());
    int window = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (window >= 0 && isatty(window))
        return window;
    if (window >= 0)
        close(window);
    return -1;
}

ls_progress *ls_progress_open(FILE *out)
{
    ls_progress *progress = ls_alloc(1, sizeof *progress);
    int window = find_window(out);
    *progress = (ls_progress){.out = out,
                              .terminal = window >= 0,
                              .utf8 = window >= 0 && ls_terminal_utf8(),
                              .lined_at = ls_clock_now() - epoch_seconds,
                              .window = window};
    return progress;
}

static void clear(ls_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

void ls_progress_close(ls_progress *progress)
{
    if (!progress)
        return;
    clear(progress);
    fflush(progress->out);
    if (progress->window >= 0)
        close(progress->window);
    ls_free(progress);
}

/* "1:02:03", "12:34", "0:07". */
static void duration(char *text, size_t size, double seconds)
{
    long s = seconds < 3.6e8 ? lround(seconds) : 360000000;
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
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

/* The parts of a line, the most wanted first: a narrow terminal drops the last ones. */
enum { PLACE, LOSS, LEFT, METRICS, BAR, SPEED, STEP, WAITING, PARTS };
/* As a line reads, from left to right. */
static const int order[PARTS] = {PLACE, BAR, STEP, LOSS, METRICS, SPEED, LEFT, WAITING};
typedef struct parts {
    char at[PARTS][TEXT]; /* "": not there; a bar is drawn, not written */
} parts;

/* `brief`: with fewer words, for a narrow terminal. */
static parts describe(const ls_figures *figures, bool brief)
{
    parts p = {0};
    char number[64];
    int used = 0, digits = snprintf(NULL, 0, "%ld", figures->steps);
    if (figures->stages > 1)
        used = snprintf(p.at[PLACE], TEXT, "stage %d/%d, ", figures->stage + 1, figures->stages);
    used += snprintf(p.at[PLACE] + used, TEXT - 64, "epoch %ld", figures->epoch + 1);
    if (figures->epochs > 0)
        snprintf(p.at[PLACE] + used, (size_t)(TEXT - used), "/%ld", figures->epochs);
    snprintf(p.at[STEP], TEXT, "%s%*ld/%ld", brief ? "" : "step ", digits, figures->step,
             figures->steps);
    snprintf(p.at[LOSS], TEXT, fabs(figures->loss) < 1000 ? "loss %#.4g" : "loss %.4g",
             figures->loss);
    used = 0;
    for (int k = 0; figures->metrics && figures->metrics[k] && used < TEXT; k++)
        used += snprintf(p.at[METRICS] + used, (size_t)(TEXT - used), "%s%s %.4f", k ? "  " : "",
                         figures->metrics[k], figures->metric[k]);
    amount(number, sizeof number, figures->samples_per_second);
    snprintf(p.at[SPEED], TEXT, "%s%s", number, brief ? "/s" : " samples/s");
    if (figures->seconds_left >= 0) {
        duration(number, sizeof number, figures->seconds_left);
        snprintf(p.at[LEFT], TEXT, "%s left", number);
    }
    if (figures->waiting > 0.01)
        snprintf(p.at[WAITING], TEXT, "%.0f%% waiting for data", 100 * figures->waiting);
    return p;
}

/* `share` of `cells` cells between two ends, in eighths of a cell where UTF-8 may be written. */
static void draw_bar(const ls_progress *progress, double share, int cells)
{
    static const char *const part[EIGHTHS] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int steps = progress->utf8 ? EIGHTHS : 1;
    int filled = (int)(share * cells * steps);
    fputs(progress->utf8 ? "▕" : "[", progress->out);
    for (int i = 0; i < cells; i++) {
        int here = filled - i * steps;
        if (progress->utf8)
            fputs(here >= EIGHTHS ? "█" : part[here > 0 ? here : 0], progress->out);
        else
            fputc(here > 0 ? '#' : '.', progress->out);
    }
    fputs(progress->utf8 ? "▏" : "]", progress->out);
}

/* How many parts, the most wanted first, fit into `room` columns; *left gets the columns over. */
static int fit(const parts *p, int room, int *left)
{
    int shown = 0;
    for (; shown < PARTS; shown++) {
        int length = shown == BAR ? BAR_MIN + 2 : (int)strlen(p->at[shown]);
        int next = length && shown ? length + 2 : length;
        if (next > room)
            break;
        room -= next;
    }
    *left = room;
    return shown;
}

static void draw(ls_progress *progress, const ls_figures *figures)
{
    int room = ls_terminal_columns(progress->window) - 1,
        left; /* the last column would wrap on some terminals */
    parts p = describe(figures, false);
    int shown = fit(&p, room, &left);
    if (shown < PARTS) {
        p = describe(figures, true);
        shown = fit(&p, room, &left);
    }
    fputs("\r\033[K", progress->out);
    if (shown == 0)
        fprintf(progress->out, "%.*s", room, p.at[PLACE]);
    for (int i = 0; i < PARTS; i++) {
        if (order[i] >= shown || !(order[i] == BAR || p.at[order[i]][0]))
            continue;
        fputs(i ? "  " : "", progress->out);
        if (order[i] == BAR)
            draw_bar(progress, (double)figures->step / (double)figures->steps,
                     BAR_MIN + (left < BAR_MAX - BAR_MIN ? left : BAR_MAX - BAR_MIN));
        else
            fputs(p.at[order[i]], progress->out);
    }
    progress->drawn = true;
}

static void print_line(ls_progress *progress, const ls_figures *figures)
{
    parts p = describe(figures, false);
    for (int i = 0; i < PARTS; i++)
        if (p.at[order[i]][0])
            fprintf(progress->out, "%s%s", i ? "  " : "", p.at[order[i]]);
    fputc('\n', progress->out);
}

/* A line that stays: at the end of each epoch and of the stage, and in a file now and then. */
static bool line_due(const ls_progress *progress, const ls_figures *figures, double time)
{
    bool end = figures->step == figures->steps;
    bool epoch_end = figures->steps_per_epoch > 0 && figures->step % figures->steps_per_epoch == 0;
    double waited = time - progress->lined_at;
    return end || (epoch_end && waited >= epoch_seconds) ||
           (!progress->terminal && waited >= line_seconds);
}

void ls_progress_step(ls_progress *progress, const ls_figures *figures)
{
    double time = ls_clock_now();
    if (line_due(progress, figures, time)) {
        clear(progress);
        print_line(progress, figures);
        progress->lined_at = time;
    } else if (progress->terminal &&
               (!progress->drawn || time - progress->drawn_at >= redraw_seconds)) {
        draw(progress, figures);
        progress->drawn_at = time;
    } else {
        return;
    }
    fflush(progress->out);
}

void ls_progress_line(ls_progress *progress, const char *format, ...)
{
    va_list arguments;
    clear(progress);
    va_start(arguments, format);
    vfprintf(progress->out, format, arguments);
    va_end(arguments);
    fputc('\n', progress->out);
    fflush(progress->out);
}
