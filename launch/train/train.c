/* train: the training loop, and its subcommand.
 *
 *   for each step, for each phase of the objective: a batch if the phase wants a fresh one; the
 *   gradient of this rank's shards; the sum over all ranks; the update; the report. */
#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "launch/command.h"
#include "launch/job/yaml/job_file.h"
#include "launch/ranks.h"
#include "launch/signals.h"
#include "launch/threads.h"
#include "launch/train/trainer.h"

typedef enum { GO_ON, STAGE_DONE, STOP, FAILED } outcome;

/* Whether `every` falls between step - 1 and step of the stage. */
static bool due(const ls_trainer *t, const ls_every *every, double clock_flag)
{
    double period = every->count;
    if (every->unit == LS_EVERY_EPOCHS)
        period *= (double)t->steps_per_epoch;
    if (every->unit == LS_EVERY_MINUTES)
        return clock_flag > 0;
    if (every->unit == LS_EVERY_NEVER)
        return false;
    double step = (double)t->state.stage_step;
    return floor(step / period) != floor((step - 1) / period);
}

/* Flags that travel with the sums, so that all ranks see them in the same step. */
static void raise_flags(ls_trainer *t, ls_step_sums *sums)
{
    double now = ls_clock_now();
    sums->stop = ls_signals_asked() != NULL;
    if (!t->run) /* the clock is rank 0's */
        return;
    t->time_up = t->options->max_seconds > 0 && now - t->start > t->options->max_seconds;
    sums->stop += t->time_up;
    sums->save = t->job->checkpoint.every.unit == LS_EVERY_MINUTES &&
                 now - t->saved > 60 * t->job->checkpoint.every.count;
    sums->evaluate = t->job->evaluate.every.unit == LS_EVERY_MINUTES &&
                     now - t->evaluated > 60 * t->job->evaluate.every.count;
}

/* The same verdict on every rank, before any of them updates. */
static bool accept_step(const ls_trainer *t, const ls_batch *batch, const ls_step_sums *sums,
                        double norm2, ls_error *error)
{
    double weight = sums->sums.at[LS_SUM_WEIGHT], loss = sums->sums.at[LS_SUM_LOSS] / weight;
    if (sums->failed > 0)
        return ls_comm_agree(t->comm, batch != NULL, error);
    if (isfinite(loss) && isfinite(norm2))
        return true;
    return ls_error_set(error, LS_NUMERIC,
                        "step %ld: the %s is not finite (loss %g, gradient norm %g), nothing was "
                        "updated; no checkpoint is lost: lower rate=, set clip= or a "
                        "warm-up, and start again",
                        t->state.step + 1, isfinite(loss) ? "gradient" : "loss", loss,
                        sqrt(norm2) / weight);
}

static bool one_step(ls_trainer *t, ls_step_sums *sums, ls_error *error)
{
    const ls_batch *batch = NULL;
    for (int p = 0; p < t->objective->phases; p++) {
        if (t->objective->phase[p].fresh_batch)
            batch = ls_loader_next(t->feed, error);
        ls_stage_gradient(t, p, batch, sums);
        raise_flags(t, sums);
        ls_reduce_sum(t->reduce, &t->objective->phase[p].slots, sums, t->gradient2);
        double norm2 = ls_squares_total(t->session.params, t->gradient2);
        bool accepted = accept_step(t, batch, sums, norm2, error);
        if (accepted)
            ls_stage_update(t, p, sums->sums.at[LS_SUM_WEIGHT]);
        ls_reduce_end(t->reduce);
        if (!accepted)
            return false;
        ls_session_prepare(&t->session);
    }
    t->state.step++;
    t->state.stage_step++;
    t->state.samples += sums->sums.at[LS_SUM_WEIGHT];
    return true;
}

/* One step and what is due after it: report, evaluation, checkpoint, in this order. */
static outcome step_and_after(ls_trainer *t, ls_error *error)
{
    ls_step_sums sums;
    bool stop_early = false;
    if (!one_step(t, &sums, error))
        return FAILED;
    ls_report_step(t, &sums.sums);
    bool done = t->state.stage_step == t->steps;
    bool evaluated = t->job->evaluate.every.unit != LS_EVERY_NEVER &&
                     (done || due(t, &t->job->evaluate.every, sums.evaluate));
    if (evaluated && !ls_stage_evaluate(t, &stop_early, error))
        return FAILED;
    if (done || stop_early)
        return STAGE_DONE;
    bool stop = sums.stop > 0;
    if ((stop || due(t, &t->job->checkpoint.every, sums.save)) && !ls_stage_save(t, error))
        return FAILED;
    return stop ? STOP : GO_ON;
}

/* The state after the stage at hand: the next stage's beginning. The last stage stays, so that more
 * epochs, or more patience, can be asked for later. */
static void advance(ls_trainer *t)
{
    if (t->state.stage + 1 < t->job->stages) {
        t->state.stage++;
        t->state.stage_step = 0;
        t->state.stale = 0;
        t->arrays.count = 0;
    }
}

static outcome run_stage(ls_trainer *t, ls_error *error)
{
    outcome result = GO_ON;
    if (!t->objective && !ls_stage_open(t, error))
        return FAILED;
    if (t->state.stage_step < t->steps && !ls_stage_patience_over(t)) {
        ls_stage_start(t);
        while (result == GO_ON)
            result = step_and_after(t, error);
        if (result != STAGE_DONE)
            return result;
        ls_report_stage(t, t->state.stage_step == t->steps ? "done" : "stopped early");
        advance(t);
        if (!ls_stage_save(t, error))
            return FAILED;
    } else {
        advance(t);
    }
    ls_stage_close(t);
    return STAGE_DONE;
}

static outcome run_stages(ls_trainer *t, ls_error *error)
{
    outcome result = STAGE_DONE;
    long before = -1;
    while (result == STAGE_DONE && t->state.stage < t->job->stages && t->state.stage != before) {
        before = t->state.stage;
        result = run_stage(t, error);
    }
    return result;
}

/* The exit code. The checkpoint of a stop is on the disk before anybody hears of it. */
static int conclude(ls_trainer *t, outcome result, long steps_before, ls_error *error)
{
    bool durable =
        !t->writer || ls_checkpoint_writer_wait(t->writer, result == FAILED ? NULL : error);
    if (result != FAILED && !ls_comm_agree(t->comm, durable, error))
        result = FAILED;
    if (result == FAILED)
        return ls_command_fail(ls_comm_rank(t->comm), error);
    if (result == STOP) {
        const char *why = ls_signals_asked() ? ls_signals_asked()
                          : t->time_up       ? "--max-time is over"
                                             : "a signal to another rank";
        ls_report_line(
            t, "%s: stopped after step %ld, checkpoint written; the same command%s goes on", why,
            t->state.step, t->options->overwrite ? " without --resume and --overwrite" : "");
        return LS_AGAIN;
    }
    if (t->state.step == steps_before)
        ls_report_line(t, "nothing to do: the run is complete after %ld steps (%s goes on)",
                       t->state.step,
                       ls_stage_patience_over(t) ? "it stopped early: a larger "
                                                   "evaluate.stop_after="
                                                 : "a larger epochs= or steps=");
    ls_report_line(t, "results: %s/checkpoints, %s/metrics.jsonl", t->job->run, t->job->run);
    return 0;
}

static int train(ls_comm *comm, ls_job *job, const ls_train_options *options)
{
    ls_trainer *t = ls_alloc(1, sizeof *t);
    ls_error error = {0};
    int code;
    if (!ls_trainer_open(t, comm, job, options, &error)) {
        code = ls_command_fail(ls_comm_rank(comm), &error);
    } else if (options->dry_run) {
        if (ls_comm_rank(comm) == 0)
            ls_plan_print(t, stdout);
        code = 0;
    } else {
        long before = t->state.step;
        code = conclude(t, run_stages(t, &error), before, &error);
    }
    ls_trainer_close(t);
    ls_free(t);
    return code;
}

typedef struct arguments {
    ls_words words;
    ls_train_options train;
} arguments;

/* 90s, 30m, 11.5h or HH:MM:SS, in seconds; 0 where it is none of these. */
static double parse_time(const char *text)
{
    int hours, minutes, seconds, end = 0;
    if (sscanf(text, "%d:%2d:%2d%n", &hours, &minutes, &seconds, &end) == 3 && !text[end])
        return 3600.0 * hours + 60.0 * minutes + seconds;
    double value;
    char unit, rest;
    if (sscanf(text, "%lf%c%c", &value, &unit, &rest) != 2 || !(value > 0))
        return 0;
    return unit == 's' ? value : unit == 'm' ? 60 * value : unit == 'h' ? 3600 * value : 0;
}

static void read_max_time(void *context, const char *text, const struct argp_state *state)
{
    arguments *a = context;
    a->train.max_seconds = parse_time(text);
    if (a->train.max_seconds <= 0)
        argp_error(state, "--max-time=%s: %swrite 90s, 30m, 11.5h or HH:MM:SS", text,
                   text[strspn(text, "0123456789.")] ? "" : "the unit is missing: ");
}

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    if (a->train.overwrite &&
        (strcmp(a->train.resume, "auto") == 0 || strcmp(a->train.resume, "required") == 0))
        argp_error(state, "--overwrite goes with --resume=never or --resume=PATH");
}

static const ls_command_option options[] = {
    {"resume", 0, "auto|required|never|PATH",
     "go on from the newest valid checkpoint if there is one (auto, the default), only if there is "
     "one, not at all, or from this checkpoint or run directory",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, train.resume)},
    {"weights", 0, "FILE", "start a new run from the parameters in FILE", LS_COMMAND_TEXT,
     .offset = offsetof(arguments, train.weights)},
    {"overwrite", 0, NULL,
     "with --resume=never or PATH: remove what an earlier run wrote into the run directory",
     .offset = offsetof(arguments, train.overwrite)},
    {"max-time", 0, "TIME",
     "stop with a checkpoint and exit code 75 after TIME: 90s, 30m, 11.5h or HH:MM:SS",
     LS_COMMAND_OWN, .read = read_max_time},
    {"dry-run", 0, NULL,
     "check everything, print layers, memory and checkpoint size, start nothing",
     .offset = offsetof(arguments, train.dry_run)},
    LS_THREADS_OPTION(arguments, train.threads),
    {NULL}};

const ls_usage ls_usage_train = {
    .options = options,
    .check = check_arguments,
    .arguments = "JOB.yaml [KEY=VALUE ...]",
    .about =
        "Train the net of a job file, alone or under mpirun. A run that has checkpoints goes on "
        "where it stopped.",
    .more =
        "Every key of the job file can be given as KEY=VALUE; dotted keys reach inside: "
        "checkpoint.keep=5 stages.1.batch=64. INT, TERM, USR1 and --max-time end at the next step "
        "with a checkpoint and exit code 75: the same command goes on.",
    .arguments_min = 1,
    .arguments_max = -1,
};

int ls_command_train(int argc, char **argv)
{
    arguments a = {.train = {.resume = "auto", .threads = 1}};
    ls_error error = {0};
    ls_command_parse(&ls_usage_train, argc, argv, &a.words);
    ls_signals_start(); /* a request to stop while the run opens is heeded after its first step */
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    ls_job *job = ls_job_load(a.words.at[0], a.words.at + 1, a.words.count - 1, &error);
    int code = ls_comm_agree(comm, job != NULL, &error)
                   ? train(comm, job, &a.train)
                   : ls_command_fail(ls_comm_rank(comm), &error);
    ls_job_destroy(job);
    ls_comm_close(comm);
    return code;
}
