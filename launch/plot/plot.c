/* plot: lockstep plot, the curves of runs as an SVG picture, or as text that follows a run. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "launch/command.h"
#include "launch/job/job.h"
#include "launch/job/yaml/job_file.h"
#include "launch/plot/chart.h"
#include "launch/plot/sparkline.h"
#include "launch/terminal.h"

enum { RUNS = 32 };

typedef struct arguments {
    ls_words runs;
    const char *output;
    int axis; /* ls_axis_id */
    bool live, once;
} arguments;

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    if (a->once && !a->live)
        argp_error(state, "--once goes with --live");
    if (a->live && (a->output || a->runs.count > 1))
        argp_error(state, "--live follows one run and writes no picture: leave out %s",
                   a->output ? "-o" : "the other runs");
    if (!a->live && !a->output)
        argp_error(state,
                   "-o FILE.svg is missing: where should the picture go? (--live draws text)");
}

static const ls_command_option options[] = {
    {"output", 'o', "FILE.svg", "the picture to write", LS_COMMAND_TEXT,
     .offset = offsetof(arguments, output)},
    {"x", 'x', "step|epoch|time", "what the curves are drawn against (default: step)",
     LS_COMMAND_CHOICE, .offset = offsetof(arguments, axis)},
    {"live", 0, NULL,
     "draw curves as text, anew every second until the run is complete; Ctrl-C ends it",
     .offset = offsetof(arguments, live)},
    {"once", 0, NULL, "with --live: draw the curves once, then end",
     .offset = offsetof(arguments, once)},
    {.name = NULL}};

const ls_usage ls_usage_plot = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN [RUN ...]",
    .about = "Draws the curves of loss, metrics, learning rate and samples per second of run "
             "directories, those of several runs into one picture.",
    .more = "Examples:\n"
            "  lockstep plot runs/lenet -o lenet.svg\n"
            "  lockstep plot runs/lenet runs/mlp --x time -o curves.svg\n"
            "  lockstep plot --live runs/lenet",
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

static bool write_chart(const arguments *a, const ls_curves *runs, ls_error *error)
{
    FILE *out = fopen(a->output, "w");
    if (!out)
        return ls_error_set(error, LS_IO, "%s: cannot write the picture: %s", a->output,
                            strerror(errno));
    ls_chart_write(out, runs, a->runs.count, (ls_axis_id)a->axis);
    bool ok = !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (!ok)
        return ls_error_set(error, LS_IO, "%s: the picture is incomplete: %s", a->output,
                            strerror(errno));
    printf("wrote %s\n", a->output);
    return true;
}

static bool plot(const arguments *a, ls_error *error)
{
    ls_curves runs[RUNS] = {{0}};
    bool ok = true;
    for (int i = 0; ok && i < a->runs.count; i++)
        ok = ls_curves_read(a->runs.at[i], &runs[i], error) &&
             check_curves(&runs[i], (ls_axis_id)a->axis, error);
    ok = ok && write_chart(a, runs, error);
    for (int i = 0; i < a->runs.count; i++)
        ls_curves_release(&runs[i]);
    return ok;
}

/* The number of stages of the run's job; 1 where job.yaml can't be read. */
static int stages_of(const char *run)
{
    char path[4096];
    ls_error error;
    snprintf(path, sizeof path, "%s/job.yaml", run);
    ls_job *job = ls_job_load(path, NULL, 0, &error);
    int stages = job ? job->stages : 1;
    ls_job_destroy(job);
    return stages;
}

/* Prints a title and a line for each curve. Returns the number of lines. */
static int put_frame(const ls_curves *run, int stages)
{
    bool last = run->last.stage + 1 >= stages;
    printf("%s: ", run->run);
    if (stages > 1)
        printf("stage %ld of %d, ", run->last.stage + 1, stages);
    if (run->count)
        printf("step %.0f, epoch %.4g%s%s\n", run->last.at[LS_AXIS_STEP],
               run->last.at[LS_AXIS_EPOCH], *run->final && last ? ", " : "",
               last ? run->final : "");
    else
        printf("no records yet\n");
    return 1 + ls_sparkline_write(stdout, run, ls_terminal_columns(STDOUT_FILENO));
}

static bool exists(const char *run, const char *name)
{
    struct stat found;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return stat(path, &found) == 0;
}

/* A run that has job.yaml but no records yet has begun: it has no curves, and that is no error. */
static bool read_live(const char *run, ls_curves *curves, ls_error *error)
{
    if (exists(run, "metrics.jsonl") || !exists(run, "job.yaml"))
        return ls_curves_read(run, curves, error);
    *curves = (ls_curves){.run = ls_copy_string(run)};
    return true;
}

/* Draws a frame each second, over the one before, until the run is complete; only one frame where
 * stdout is no terminal. */
static bool follow(const arguments *a, ls_error *error)
{
    static const struct timespec second = {.tv_sec = 1};
    const char *run = a->runs.at[0];
    int lines = 0;
    bool again = !a->once && isatty(STDOUT_FILENO), ok, complete;
    do {
        ls_curves curves;
        ok = read_live(run, &curves, error);
        int stages = stages_of(run);
        complete = *curves.final && curves.last.stage + 1 >= stages;
        if (ok) {
            if (lines)
                printf("\033[%dA\033[J", lines);
            lines = put_frame(&curves, stages);
            fflush(stdout);
        }
        ls_curves_release(&curves);
        if (ok && again && !complete)
            nanosleep(&second, NULL);
    } while (ok && again && !complete);
    return ok;
}

int ls_command_plot(int argc, char **argv)
{
    arguments a = {.axis = LS_AXIS_STEP};
    ls_error error = {0};
    ls_command_parse(&ls_usage_plot, argc, argv, &a.runs);
    if (ls_command_rank() != 0)
        return 0;
    bool ok = a.live ? follow(&a, &error) : plot(&a, &error);
    return ok ? 0 : ls_command_fail(0, &error);
}
