/* resume: the run directory, and the checkpoint to go on from. Rank 0 reads, the others are told.
 */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/weights.h"
#include "io/loader.h"
#include "launch/job/job_compatible.h"
#include "launch/job/job_json.h"
#include "launch/job/yaml/job_file.h"
#include "launch/train/trainer.h"

static void notice(void *trainer, const char *text)
{
    ls_report_line(trainer, "%s", text);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Opens the newest valid checkpoint of `run`; *found is NULL where it has none at all. */
static bool find_newest(ls_trainer *t, const char *run, ls_checkpoint **found, ls_error *error)
{
    return ls_checkpoint_find(run, found, notice, t, error) != LS_CHECKPOINT_BROKEN;
}

/* Whether both paths lead to one file or folder. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether t->checkpoint stands in the run's own folder. */
static bool is_own(const ls_trainer *t)
{
    const char *path = ls_checkpoint_path(t->checkpoint), *slash = strrchr(path, '/');
    char *folder = ls_format("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    char *own = ls_format("%s/checkpoints", t->job->run);
    bool same = same_file(folder, own);
    ls_free(own);
    ls_free(folder);
    return same;
}

/* Whether a run can go on from t->checkpoint. */
static bool check_progress(const ls_trainer *t, ls_error *error)
{
    const char *path = ls_checkpoint_path(t->checkpoint);
    return !ls_checkpoint_weights_only(t->checkpoint) ||
           ls_error_set(
               error, LS_DATA,
               "%s holds parameters only (no optimizer state, no step), so a run cannot go "
               "on from it: start a new run from it with --weights %s",
               path, path);
}

/* Opens the checkpoint that --resume=PATH names, as t->checkpoint. */
static bool open_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options->resume;
    if (access(path, F_OK) != 0)
        return ls_error_set(error, LS_DATA,
                            "--resume=%s: there is no such file; write auto, required, never, a "
                            "checkpoint or a run directory",
                            path);
    if (!is_directory(path))
        t->checkpoint = ls_checkpoint_open(path, error);
    else if (find_newest(t, path, &t->checkpoint, error) && !t->checkpoint)
        ls_error_set(error, LS_DATA, "--resume=%s holds no checkpoint", path);
    return t->checkpoint && check_progress(t, error);
}

/* Of the checkpoint that --resume=PATH names and the run's own newest one, leaves in t->checkpoint
 * the one to go on from, and in *own the other. */
static bool choose_own(ls_trainer *t, ls_checkpoint **own, ls_error *error)
{
    const char *path = t->options->resume;
    ls_checkpoint *named = t->checkpoint;
    if (is_own(t))
        return t->options->overwrite ||
               ls_error_set(
                   error, LS_USAGE,
                   "--resume=%s goes back, but the run has gone on to %s: leave --resume out "
                   "to go on from there, or add --overwrite to drop what came after",
                   path, ls_checkpoint_path(*own));
    if (t->options->overwrite)
        return t->options->dry_run || ls_rundir_clear(t->run, error);
    ls_report_line(t, "--resume=%s is where the run began: it goes on from %s", path,
                   ls_checkpoint_path(*own));
    t->checkpoint = *own;
    *own = named;
    return true;
}

/* --resume=PATH begins a run from another run's checkpoint, or goes back within this one. A run
 * that has gone on since goes on from its own, so that the same command can be started again. Two
 * checkpoints are open here at most, before the optimizer's memory is taken. */
static bool choose_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options->resume, *run = t->job->run;
    ls_checkpoint *own;
    if (!find_newest(t, run, &own, error))
        return false;
    if (own && (same_file(ls_checkpoint_path(own), path) || same_file(run, path))) {
        t->checkpoint = own;
        return true;
    }
    bool ok = open_path(t, error) && (!own || choose_own(t, &own, error));
    ls_checkpoint_close(own);
    return ok;
}

static bool choose_checkpoint(ls_trainer *t, ls_error *error)
{
    const char *resume = t->options->resume, *run = t->job->run;
    bool never = strcmp(resume, "never") == 0, required = strcmp(resume, "required") == 0;
    if (never && t->options->overwrite)
        return t->options->dry_run || ls_rundir_clear(t->run, error);
    if (strcmp(resume, "auto") != 0 && !never && !required)
        return choose_path(t, error);
    if (!find_newest(t, run, &t->checkpoint, error))
        return false;
    if (never && t->checkpoint)
        return ls_error_set(error, LS_USAGE,
                            "--resume=never, but %s holds the checkpoint %s: give another run=, or "
                            "--overwrite to remove what the earlier run wrote",
                            run, ls_checkpoint_path(t->checkpoint));
    if (required && !t->checkpoint)
        return ls_error_set(error, LS_DATA, "--resume=required, but %s holds no checkpoint", run);
    return true;
}

/* A batch of another size makes other steps: the run goes on at the same part of the same epoch. */
static void keep_epoch(ls_trainer *t, const ls_job *before)
{
    const ls_job_stage *was = &before->stage[t->state.stage], *is = &t->job->stage[t->state.stage];
    long rows = ls_dataset_split(t->session.data, LS_TRAIN)->x.rows;
    long steps_before = ls_loader_steps_per_epoch(rows, was->batch);
    long steps_now = ls_loader_steps_per_epoch(rows, is->batch);
    long done = t->state.stage_step;
    if (is->steps || steps_before == steps_now || done == 0)
        return;
    long now = done / steps_before * steps_now + done % steps_before * steps_now / steps_before;
    t->state.stage_step = now > 0 ? now : 1;
    if (done % steps_before)
        ls_report_line(t, "batch: the rest of this epoch is cut anew, so some of its rows may come "
                          "twice or not at all; from the next epoch on every row comes once");
}

/* A schedule over more steps than before is another schedule. */
static void tell_schedule(ls_trainer *t, const ls_job *before)
{
    const ls_job_stage *was = &before->stage[t->state.stage], *is = &t->job->stage[t->state.stage];
    bool longer = was->epochs != is->epochs || was->steps != is->steps;
    if (longer && strncmp(is->schedule, "constant", 8) != 0)
        ls_report_line(t,
                       "schedule: '%s' now spans another number of steps, so the rate goes on from "
                       "another point than it had reached",
                       is->schedule);
}

/* A figure of another kind says nothing about the ones to come. */
static void keep_best(ls_trainer *t, const ls_job *before)
{
    const char *was = before->evaluate.metric, *is = t->job->evaluate.metric;
    bool same_metric = was && is ? strcmp(was, is) == 0 : was == is;
    if (same_metric && strcmp(before->evaluate.split, t->job->evaluate.split) == 0 &&
        before->evaluate.average == t->job->evaluate.average)
        return;
    ls_report_line(t, "evaluate: another metric, split or average than before: the best is sought "
                      "anew");
    t->state.best = NAN;
    t->state.best_step = t->state.stale = 0;
}

/* Holds t->checkpoint against the job, and takes over where it stands. */
static bool read_position(ls_trainer *t, ls_error *error)
{
    const char *path = ls_checkpoint_path(t->checkpoint);
    const ls_position *found = ls_checkpoint_position(t->checkpoint);
    if (!check_progress(t, error))
        return false;
    ls_job *before = ls_job_parse(ls_checkpoint_job(t->checkpoint), path, error);
    bool ok = before && ls_job_compatible(before, t->job, found->stage, notice, t, error);
    if (ok && found->data_digest != t->state.data_digest)
        ok = ls_error_set(error, LS_DATA, "%s was trained on data of other shapes or types than %s",
                          path, t->job->data);
    if (ok) {
        if (t->job->shards && t->job->shards != found->shards)
            ls_report_line(
                t,
                "shards: %ld of the job instead of %d of the checkpoint: the bits differ "
                "from here on",
                t->job->shards, found->shards);
        if (t->job->accumulate != before->accumulate)
            ls_report_line(t,
                           "accumulate matters at a run's first start only: the run keeps its %d "
                           "shards (shards=N changes them)",
                           found->shards);
        t->state = *found;
        if (t->job->shards)
            t->state.shards = (int)t->job->shards;
        keep_epoch(t, before);
        tell_schedule(t, before);
        keep_best(t, before);
    }
    ls_job_destroy(before);
    return ok;
}

/* The best of the run that this one begins from, if it is still there, is this run's best so far.
 */
static bool bring_best(ls_trainer *t, ls_error *error)
{
    bool copied = true;
    if (t->options->dry_run || isnan(t->state.best) || is_own(t))
        return true;
    if (!ls_checkpoint_find_best(t->checkpoint, t->job->run, t->state.best_step, &copied, error))
        return false;
    if (!copied) {
        t->state.best = NAN;
        t->state.best_step = 0;
    }
    return true;
}

/* On rank 0 alone. */
static bool find_local(ls_trainer *t, ls_error *error)
{
    t->progress = ls_progress_open(stdout, isatty(1));
    if (!t->options->dry_run) {
        t->run = ls_rundir_open(t->job->run, error);
        if (!t->run)
            return false;
    }
    if (t->options->weights && access(t->options->weights, R_OK) != 0)
        return ls_error_set(error, LS_DATA, "--weights %s: there is no such file",
                            t->options->weights);
    if (!choose_checkpoint(t, error))
        return false;
    if (!t->checkpoint)
        return true;
    t->resumed = ls_copy_string(ls_checkpoint_path(t->checkpoint));
    return read_position(t, error) && bring_best(t, error);
}

bool ls_resume_find(ls_trainer *t, ls_error *error)
{
    bool ok = true;
    t->job_text = ls_job_json(t->job);
    if (ls_comm_rank(t->comm) == 0)
        ok = find_local(t, error);
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    ls_comm_broadcast(t->comm, &t->state, sizeof t->state);
    return true;
}

/* Rank 0's array to the copies of the other nodes. */
static void spread(ls_trainer *t, real *array)
{
    if (array)
        ls_comm_broadcast_nodes(t->comm, array, (size_t)t->session.params->size * sizeof(real));
}

static bool load_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options->weights;
    if (!t->checkpoint)
        return !weights || ls_weights_load(weights, t->session.params, error);
    if (weights)
        ls_report_line(t, "--weights matters at a run's first start only: the run goes on from %s",
                       t->resumed);
    /* A stage that is about to begin starts its optimizer at zero: the file has no state for it. */
    const ls_checkpoint_arrays *arrays = t->state.stage_step ? &t->arrays : NULL;
    bool ok = ls_checkpoint_load(t->checkpoint, t->session.params, arrays, error);
    ls_checkpoint_close(t->checkpoint);
    t->checkpoint = NULL;
    return ok;
}

/* A run that is complete keeps the job that it was trained by. */
static bool open_files(ls_trainer *t, ls_error *error)
{
    t->writer = ls_checkpoint_writer_open(t->job->run, (int)t->job->checkpoint.keep);
    char *text = ls_job_text(t->job);
    bool ok = ls_plan_is_complete(t) || ls_rundir_put(t->run, "job.yaml", text, error);
    ls_free(text);
    return ok && ls_rundir_metrics_rewind(t->run, t->state.step, error);
}

bool ls_resume_load(ls_trainer *t, ls_error *error)
{
    if (t->state.stage < t->job->stages && !ls_stage_open(t, error))
        return false;
    bool ok = true;
    if (ls_comm_rank(t->comm) == 0)
        ok = load_local(t, error) && open_files(t, error);
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    spread(t, t->session.params->values);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        spread(t, t->optimizer_state[k]);
    ls_session_prepare(&t->session);
    if (ls_comm_rank(t->comm) == 0)
        ls_plan_print_start(t, stdout);
    return true;
}
