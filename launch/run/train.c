/* train: the command `lockstep train`: its options, signals, output and exit codes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "launch/command.h"
#include "launch/job/yaml/job_file.h"
#include "launch/ranks.h"
#include "launch/run/hosts.h"
#include "launch/run/overview.h"
#include "launch/run/progress.h"
#include "launch/signals.h"
#include "launch/threads.h"
#include "launch/train/judge.h"
#include "launch/train/pace.h"
#include "launch/train/trainer_run.h"

static void print_notice(void *progress, const char *text)
{
    ls_progress_line(progress, "%s", text);
}

static void print_step(void *progress, const ls_figures *figures)
{
    ls_progress_step(progress, figures);
}

static void print_evaluation(void *progress, const ls_figures *f, const char *split, bool best)
{
    char values[512] = "", number[32];
    size_t used = 0;
    for (int k = 0; k < f->objective->metrics && used < sizeof values; k++) {
        ls_progress_number(f->value[k], number);
        used += (size_t)snprintf(values + used, sizeof values - used, "%s%s %s", k ? ", " : "",
                                 f->objective->metric[k].name, number);
    }
    ls_progress_line(progress, "epoch %.4g, step %ld: %s %s%s",
                     (double)f->step / f->steps_per_epoch, f->run_step, split, values,
                     best ? " (best so far)" : "");
}

static void print_stage_end(void *progress, const ls_figures *f, const char *how)
{
    ls_progress_line(progress, "stage %d of %d %s: step %ld, %.0f s, %.0f samples/s", f->stage + 1,
                     f->stages, how, f->run_step, f->seconds, f->samples_per_second);
}

/* `progress` is NULL on all ranks but the first. */
static const char *asked_to_stop(void *progress)
{
    return progress && ls_progress_unread(progress) ? "nobody reads stdout" : ls_signals_asked();
}

/* What makes a run that is complete go on, into text[size]; returns text. */
static const char *what_goes_on(const ls_trainer *t, char *text, size_t size)
{
    const ls_job *job = t->session.job;
    const int last = job->stages - 1;
    if (t->position.stage_step < t->session.stage[last].steps)
        return ls_judge_gap_exceeded(job, &t->position)
                   ? "it stopped early: a larger evaluate.gap="
                   : "it stopped early: a larger evaluate.stop_after=";
    if (last == 0)
        return "a larger epochs= or steps=";
    snprintf(text, size, "a larger stages.%d.epochs= or stages.%d.steps=", last, last);
    return text;
}

/* Prints how a run ended that did not fail; returns the exit code. */
static int conclude(const ls_trainer *t, ls_outcome outcome, bool complete_before)
{
    const ls_listener *listener = &t->options.listener;
    const ls_job *job = t->session.job;
    char text[96];
    if (outcome == LS_OUTCOME_STOPPED) {
        const char *asked = asked_to_stop(listener->context);
        const char *why = asked              ? asked
                          : t->first.time_up ? "--max-time is over"
                                             : "a signal to another rank";
        const char *without = t->options.overwrite ? " without --resume and --overwrite"
                              : t->first.once      ? " without --resume"
                                                   : "";
        ls_report_notice(
            listener, "%s: stopped after step %ld, checkpoint written; the same command%s goes on",
            why, t->position.step, without);
        return LS_AGAIN;
    }
    if (complete_before)
        ls_report_notice(listener,
                         "nothing to do: the run is complete after %ld steps (%s goes on)",
                         t->position.step, what_goes_on(t, text, sizeof text));
    ls_report_notice(listener, "results: %s/checkpoints, %s/metrics.jsonl", job->run, job->run);
    return 0;
}

/* Trains, or plans only; the exit code. */
static int train(ls_comm *comm, ls_job *job, ls_train_options *options)
{
    ls_trainer trainer;
    ls_error error = {0};
    ls_outcome outcome = LS_OUTCOME_FAILED;
    ls_progress *progress = comm->rank == 0 ? ls_progress_open(stdout) : NULL;
    options->read_job = ls_job_parse;
    options->listener = (ls_listener){.stop = asked_to_stop};
    if (progress)
        options->listener = (ls_listener){.context = progress,
                                          .notice = print_notice,
                                          .step = print_step,
                                          .evaluation = print_evaluation,
                                          .stage_end = print_stage_end,
                                          .stop = asked_to_stop};
    bool ok = ls_trainer_open(&trainer, comm, job, options, &error);
    bool complete_before = ok && ls_trainer_complete(&trainer);
    const bool computes = ok && (options->dry_run || !complete_before);
    const double pace = computes ? ls_pace_measure(comm, options->threads) : 0;
    ls_host *hosts = ok ? ls_hosts_gather(comm, options->threads) : NULL;
    if (ok && progress && options->dry_run)
        ls_overview_print_plan(&trainer, hosts, pace, stdout);
    else if (ok && progress)
        ls_overview_print(&trainer, hosts, stdout);
    ls_free(hosts);
    if (ok && !options->dry_run) {
        trainer.report.pace = pace;
        if (progress)
            ls_progress_flush(progress);
        ls_signals_heed();
        ok = (outcome = ls_trainer_run(&trainer, &error)) != LS_OUTCOME_FAILED;
    }
    int code = !ok                ? ls_command_fail(comm->rank, &error)
               : options->dry_run ? 0
                                  : conclude(&trainer, outcome, complete_before);
    ls_progress_close(progress);
    ls_trainer_close(&trainer);
    return code;
}

typedef struct arguments {
    ls_words words;
    ls_train_options train;
    int share; /* ls_comm_sharing */
    ls_watchdog_plan stall;
} arguments;

static void check_arguments(const void *context, const struct argp_state *state)
{
    const arguments *a = context;
    if (a->train.except && !a->train.weights)
        argp_error(state, "--except goes with --weights FILE");
    if (a->train.overwrite &&
        (strcmp(a->train.resume, "auto") == 0 || strcmp(a->train.resume, "required") == 0))
        argp_error(state, "--overwrite goes with --resume=never or --resume=PATH");
}

static const ls_command_option options[] = {
    {"resume", 0, "auto|required|never|PATH",
     "go on from the newest valid checkpoint if there is one (auto, the default), only if there is "
     "one, not at all, or from this checkpoint or run directory",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, train.resume)},
    {"weights", 0, "FILE",
     "start a new run from the parameters in FILE, a checkpoint or .safetensors", LS_COMMAND_TEXT,
     .offset = offsetof(arguments, train.weights)},
    {"except", 0, "LINE,...",
     "with --weights: lines, or patterns of them as in train:, that begin as drawn (dense3, for "
     "another number of classes)",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, train.except)},
    {"overwrite", 0, NULL,
     "with --resume=never or PATH: remove what an earlier run wrote into the run directory",
     .offset = offsetof(arguments, train.overwrite)},
    {"max-time", 0, "TIME",
     "stop with a checkpoint and exit code 75 after TIME: 90s, 30m, 11.5h or HH:MM:SS",
     LS_COMMAND_TIME, offsetof(arguments, train.max_seconds), .low = 1},
    LS_STALL_OPTIONS(arguments, stall, NULL),
    {"timeline", 0, "FILE.json",
     "write what each rank did when in the last steps, for chrome://tracing or Perfetto, in place "
     "of an earlier timeline but of no other file",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, train.timeline)},
    {"dry-run", 0, NULL,
     "check everything, print layers, memory, checkpoint size and a guess of the time, start "
     "nothing",
     .offset = offsetof(arguments, train.dry_run)},
    LS_THREADS_OPTION(arguments, train.threads),
    LS_SHARE_OPTION(arguments, share),
    {.name = NULL}};

const ls_usage ls_usage_train = {
    .options = options,
    .check = check_arguments,
    .arguments = "JOB.yaml [KEY=VALUE ...]",
    .about =
        "Train the net of a job file, alone or under mpirun. A run that has checkpoints goes on "
        "where it stopped.",
    .more = "Every key of the job file can be given as KEY=VALUE; dotted keys reach inside: "
            "checkpoint.keep=5 stages.1.batch=64. INT, TERM, USR1, HUP and --max-time end at the "
            "next step "
            "with a checkpoint and exit code 75: the same command goes on.",
    .arguments_min = 1,
    .arguments_max = -1,
};

int ls_command_train(int argc, char **argv)
{
    arguments a = {.train = {.resume = "auto", .threads = 1}, .stall = ls_stall_usual};
    ls_error error = {0};
    ls_command_parse(&ls_usage_train, argc, argv, &a.words);
    ls_signals_start();
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    bool ok = ls_comm_share(comm, (ls_comm_sharing)a.share, &error);
    ls_watchdog *watchdog = ls_ranks_watch(comm, &a.stall);
    ls_job *job = ok ? ls_job_load(a.words.at[0], a.words.at + 1, a.words.count - 1, &error) : NULL;
    ok = ok && ls_comm_agree(comm, job != NULL, &error);
    int code = ok ? train(comm, job, &a.train) : ls_command_fail(comm->rank, &error);
    ls_job_destroy(job);
    ls_watchdog_stop(watchdog);
    ls_comm_close(comm);
    return code;
}
