/* plot: lockstep plot: draws the curves of runs as an SVG picture, or of one run as text; and the
 * weights of a layer as a PNG picture. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/png.h"
#include "launch/command.h"
#include "launch/job/job.h"
#include "launch/job/yaml/job_file.h"
#include "launch/plot/chart.h"
#include "launch/plot/filters.h"
#include "launch/ranks.h"
#include "launch/terminal.h"
#include "launch/train/resolved.h"

enum { RUNS = 32 };
/* A curve as text has SHAPE_MIN to SHAPE_MAX columns, each of one of LEVELS heights, and its
 * numbers take NUMBERS columns more. */
enum { LEVELS = 8, NUMBERS = 40, SHAPE_MIN = 10, SHAPE_MAX = 100 };

typedef struct arguments {
    ls_words runs;
    const char *output;
    const char *weights; /* the layer; NULL: curves are wanted */
    int axis;            /* ls_axis_id */
    bool live, once, force;
} arguments;

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    if (a->once && !a->live)
        argp_error(state, "--once goes with --live");
    if (a->live && (a->output || a->runs.count > 1))
        argp_error(state, "--live follows one run and writes no picture: leave out %s",
                   a->output ? "-o" : "the other runs");
    if (a->weights && (a->live || a->runs.count > 1 || a->axis != LS_AXIS_STEP))
        argp_error(state, "--weights draws a layer of one run: leave out %s",
                   a->live             ? "--live"
                   : a->runs.count > 1 ? "the other runs"
                                       : "--x");
    if (!a->live && !a->output)
        argp_error(state, "-o FILE.%s is missing: where should the picture go?%s",
                   a->weights ? "png" : "svg", a->weights ? "" : " (--live draws text)");
    if (a->weights && !ls_png_ending(a->output))
        argp_error(state, "%s: expected an output that ends in .png", a->output);
    const char *ending = a->output && !a->weights ? strrchr(a->output, '.') : NULL;
    if (ending && !strchr(ending, '/') && strcmp(ending, ".svg") != 0)
        argp_error(state, "%s: expected an output that ends in .svg", a->output);
}

static bool needs_ranks(const void *context)
{
    return ((const arguments *)context)->weights != NULL;
}

static const ls_command_option options[] = {
    {"output", 'o', "FILE", "the picture to write: SVG, or PNG with --weights", LS_COMMAND_TEXT,
     .offset = offsetof(arguments, output)},
    {"force", 0, NULL, "overwrite the picture", .offset = offsetof(arguments, force)},
    {"weights", 'w', "LAYER",
     "draw the weights of this layer (NET/LAYER where there are several nets): a tile for each "
     "unit, in which 0 is grey",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, weights)},
    {"x", 'x', "step|epoch|time", "what the curves are drawn against (default: step)",
     LS_COMMAND_CHOICE, .offset = offsetof(arguments, axis)},
    {"live", 0, NULL,
     "draw curves as text, anew every second until the run is complete; Ctrl-C ends it",
     .offset = offsetof(arguments, live)},
    {"once", 0, NULL, "with --live: draw the curves once, then end",
     .offset = offsetof(arguments, once)},
    {.name = NULL}};

const ls_usage ls_usage_plot = {
    .alone = true,
    .options = options,
    .needs_ranks = needs_ranks,
    .check = check_arguments,
    .arguments = "RUN [RUN ...]",
    .about = "Draws the curves of loss, metrics, learning rate and samples per second of run "
             "directories, those of several runs into one picture. With --weights it draws the "
             "filters that a layer of a run or of a checkpoint has learned: the kernels of a "
             "convolution, or what each unit of a dense layer reads of a picture.",
    .more = "Examples:\n"
            "  lockstep plot runs/lenet -o lenet.svg\n"
            "  lockstep plot runs/lenet runs/mlp --x time -o curves.svg\n"
            "  lockstep plot --live runs/lenet\n"
            "  lockstep plot runs/lenet --weights conv1 -o filters.png",
    .arguments_min = 1,
    .arguments_max = RUNS,
};

/* Whether the run has points, and numbers for that axis. */
static bool check_curves(const ls_curves *curves, ls_axis_id axis, ls_error *error)
{
    if (curves->count == 0)
        return ls_error_set(error, LS_DATA,
                            "%s/metrics.jsonl holds no numbers yet: wait for the first records",
                            curves->run);
    if (axis == LS_AXIS_TIME && !curves->timed)
        return ls_error_set(error, LS_DATA,
                            "%s/metrics.jsonl: a record has no \"seconds\" (an older lockstep "
                            "wrote it): use --x step or --x epoch",
                            curves->run);
    return true;
}

/* Whether `path` leads to what can't be replaced: a device or pipe, such as /dev/stdout. */
static bool is_device(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

/* The picture takes the place of none, unless it may. */
static bool check_output(const arguments *a, ls_error *error)
{
    return a->force || is_device(a->output) || ls_atomic_file_absent(a->output, error);
}

static bool write_to_device(const arguments *a, const ls_curves *runs, ls_error *error)
{
    FILE *out = fopen(a->output, "w");
    if (out)
        ls_chart_write(out, runs, a->runs.count, (ls_axis_id)a->axis);
    bool written = out && fflush(out) == 0;
    int reason = errno;
    if (out)
        fclose(out);
    return written || ls_error_set(error, LS_IO, "%s: can't write the picture: %s", a->output,
                                   strerror(reason));
}

/* A picture that is there already stays until the new one is whole. */
static bool write_chart(const arguments *a, const ls_curves *runs, ls_error *error)
{
    if (is_device(a->output))
        return write_to_device(a, runs, error);
    ls_atomic_file *file = ls_atomic_file_create(a->output, error);
    if (!file)
        return false;
    ls_chart_write(ls_atomic_file_stream(file), runs, a->runs.count, (ls_axis_id)a->axis);
    if (!ls_atomic_file_finish(file, error))
        return false;
    ls_print(stdout, "wrote %s\n", a->output);
    return true;
}

static void tell_cut(const ls_curves *curves)
{
    if (curves->cut)
        ls_print(stderr,
                 "lockstep: %s/metrics.jsonl:%ld: a record was cut off, by a full disk or a crash; "
                 "it is left out (%ld of them in all)\n",
                 curves->run, curves->cut_line, curves->cut);
}

static bool plot(const arguments *a, ls_error *error)
{
    ls_curves runs[RUNS] = {{0}};
    bool ok = check_output(a, error);
    for (int i = 0; ok && i < a->runs.count; i++)
        ok = ls_curves_read(a->runs.at[i], &runs[i], error) &&
             check_curves(&runs[i], (ls_axis_id)a->axis, error);
    for (int i = 0; ok && i < a->runs.count; i++)
        tell_cut(&runs[i]);
    ok = ok && write_chart(a, runs, error);
    for (int i = 0; i < a->runs.count; i++)
        ls_curves_release(&runs[i]);
    return ok;
}

/* The mean of the points in a column, where the points are spread evenly over the columns. */
static double column_mean(const ls_curve *curve, int column, int columns)
{
    long begin = curve->count * column / columns, end = curve->count * (column + 1) / columns;
    double sum = 0;
    for (long k = begin; k < end; k++)
        sum += curve->point[k].value;
    return sum / (double)(end - begin);
}

static void put_shape(const ls_curve *curve, int width, bool utf8)
{
    static const char *const blocks[2][LEVELS] = {
        {"_", ".", "-", "=", "+", "*", "#", "@"},
        {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"}};
    int columns = (int)ls_min(curve->count, width);
    double mean[SHAPE_MAX], low = INFINITY, high = -INFINITY;
    for (int c = 0; c < columns; c++) {
        mean[c] = column_mean(curve, c, columns);
        low = fmin(low, mean[c]);
        high = fmax(high, mean[c]);
    }
    for (int c = 0; c < columns; c++) {
        double share = high > low ? (mean[c] - low) / (high - low) : 0.5;
        fputs(blocks[utf8][(int)fmin(LEVELS * share, LEVELS - 1)], stdout);
    }
    ls_print(stdout, "%*s", width - columns, "");
}

/* Prints a line for each curve: its name, its shape, its newest value and its range. */
static void put_curves(const ls_curves *run)
{
    bool utf8 = ls_terminal_utf8();
    long names = 0;
    for (int i = 0; i < run->count; i++) {
        const ls_curve *c = &run->curve[i];
        names = ls_max(names, (long)(strlen(c->split) + (*c->split != 0) + strlen(c->name)));
    }
    long room = ls_terminal_columns(STDOUT_FILENO) - names - NUMBERS;
    for (int i = 0; i < run->count; i++) {
        const ls_curve *c = &run->curve[i];
        double low = INFINITY, high = -INFINITY;
        for (long k = 0; k < c->count; k++) {
            low = fmin(low, c->point[k].value);
            high = fmax(high, c->point[k].value);
        }
        int printed = ls_print(stdout, "%s%s%s", c->split, *c->split ? " " : "", c->name);
        ls_print(stdout, "%*s", (int)names - printed + 2, "");
        put_shape(c, (int)ls_max(SHAPE_MIN, ls_min(room, SHAPE_MAX)), utf8);
        ls_print(stdout, "  %-9.4g  %.4g to %.4g\n", c->point[c->count - 1].value, low, high);
    }
}

/* Prints how far the run is, and its curves. */
static void put_frame(const ls_curves *run, int stages)
{
    bool last = run->last.stage + 1 >= stages;
    ls_print(stdout, "%s: ", run->run);
    if (stages > 1)
        ls_print(stdout, "stage %ld of %d, ", run->last.stage + 1, stages);
    if (run->count)
        ls_print(stdout, "step %.0f, epoch %.4g%s%s\n", run->last.x[LS_AXIS_STEP],
                 run->last.x[LS_AXIS_EPOCH], *run->final && last ? ", " : "",
                 last ? run->final : "");
    else
        ls_print(stdout, "no records yet\n");
    put_curves(run);
    fflush(stdout);
}

/* Reads the curves of a run and the number of its stages (1 where its job can't be read). A run
 * that has a job but no records yet has begun: it has no curves, and that is no error. */
static bool read_live(const char *run, ls_curves *curves, int *stages, ls_error *error)
{
    char *path = ls_format("%s/%s", run, ls_resolved_name(run)),
         *records = ls_format("%s/metrics.jsonl", run);
    ls_error ignored;
    ls_job *job = ls_job_load(path, NULL, 0, &ignored);
    *stages = job ? job->stages : 1;
    ls_job_destroy(job);
    bool ok = true;
    if (access(records, F_OK) != 0 && access(path, F_OK) == 0)
        *curves = (ls_curves){.run = ls_copy_string(run)};
    else
        ok = ls_curves_read(run, curves, error);
    ls_free(records);
    ls_free(path);
    return ok;
}

/* Draws the curves each second, over those before, until the run is complete or the terminal is
 * gone; only once where stdout is no terminal. */
static bool follow(const arguments *a, ls_error *error)
{
    bool again = !a->once && isatty(STDOUT_FILENO);
    for (int lines = 0;;) {
        ls_curves curves;
        int stages;
        bool ok = read_live(a->runs.at[0], &curves, &stages, error);
        if (ok && lines)
            fprintf(stdout, "\033[%dA\033[J", lines); /* for the terminal to obey */
        if (ok)
            put_frame(&curves, stages);
        lines = 1 + curves.count;
        again =
            again && ok && !ferror(stdout) && !(*curves.final && curves.last.stage + 1 >= stages);
        ls_curves_release(&curves);
        if (!again)
            return ok;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}

/* **Collective.** Returns the exit code. */
static int plot_weights(const arguments *a, int argc, char **argv)
{
    ls_error error = {0};
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    const ls_filters filters = {.from = a->runs.at[0], .layer = a->weights, .output = a->output};
    bool ok = ls_comm_agree(comm, comm->rank != 0 || check_output(a, &error), &error) &&
              ls_filters_write(comm, &filters, &error);
    int code = ok ? 0 : ls_command_fail(comm->rank, &error);
    ls_comm_close(comm);
    return code;
}

int ls_command_plot(int argc, char **argv)
{
    arguments a = {.axis = LS_AXIS_STEP};
    ls_error error = {0};
    ls_command_parse(&ls_usage_plot, argc, argv, &a.runs);
    if (a.weights)
        return plot_weights(&a, argc, argv);
    bool ok = a.live ? follow(&a, &error) : plot(&a, &error);
    return ok ? 0 : ls_command_fail(0, &error);
}
