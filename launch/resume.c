/* resume: the run directory, and the checkpoint to go on from. Rank 0 reads, the others are told.
 */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "launch/trainer.h"

static void notice(void *trainer, const char *text)
{
    ls_report_line(trainer, "%s", text);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The newest valid checkpoint of `run` into t->found; "" where there is none at all. */
static bool find_newest(ls_trainer *t, const char *run, ls_error *error)
{
    error->text[0] = 0;
    if (ls_checkpoint_find(run, t->found, sizeof t->found, notice, t, error))
        return true;
    t->found[0] = 0;
    return error->text[0] == 0;
}

static bool choose_checkpoint(ls_trainer *t, ls_error *error)
{
    const char *resume = t->options->resume, *run = t->job->run;
    bool never = strcmp(resume, "never") == 0, required = strcmp(resume, "required") == 0;
    if (never && t->options->overwrite)
        return t->options->dry_run || ls_rundir_clear(t->run, error);
    if (strcmp(resume, "auto") != 0 && !never && !required) {
        snprintf(t->found, sizeof t->found, "%s", resume);
        if (!is_directory(resume))
            return true;
        run = resume;
    }
    if (!find_newest(t, run, error))
        return false;
    if (never && t->found[0])
        return ls_error_set(error, LS_USAGE,
                            "--resume=never, but %s holds the checkpoint %s: give another run=, or "
                            "--overwrite to remove what the earlier run wrote",
                            run, t->found);
    if (!t->found[0] && strcmp(resume, "auto") != 0 && !never)
        return ls_error_set(error, LS_DATA, "--resume=%s, but %s holds no checkpoint", resume, run);
    return true;
}

/* Reads the small fields of t->found and holds them against the job. */
static bool read_state(ls_trainer *t, ls_error *error)
{
    ls_snapshot found;
    if (!ls_checkpoint_open(t->found, &found, error))
        return false;
    bool ok = true;
    if (found.weights_only)
        ok = ls_error_set(
            error, LS_DATA,
            "%s holds parameters only (no optimizer state, no step), so a run cannot go "
            "on from it: start a new run from it with --weights %s",
            t->found, t->found);
    ls_job *before = ok ? ls_job_parse(found.job, t->found, error) : NULL;
    ok = before && ls_job_compatible(before, t->job, found.stage, notice, t, error);
    ls_job_destroy(before);
    if (ok && found.data_digest != t->state.data_digest)
        ok = ls_error_set(error, LS_DATA, "%s was trained on data of other shapes or types than %s",
                          t->found, t->job->data);
    ls_snapshot mine = t->state;
    if (ok) {
        if (t->job->shards && t->job->shards != found.shards)
            ls_report_line(
                t,
                "shards: %ld of the job instead of %d of the checkpoint: the bits differ "
                "from here on",
                t->job->shards, found.shards);
        t->state = found;
        t->state.shards = t->job->shards ? (int)t->job->shards : found.shards;
        t->state.params = mine.params;
        t->state.job = mine.job;
        t->state.arrays = 0;
    }
    ls_snapshot_release(&found);
    return ok;
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
    return choose_checkpoint(t, error) && (!t->found[0] || read_state(t, error));
}

bool ls_resume_find(ls_trainer *t, ls_error *error)
{
    bool ok = true;
    t->state.job = ls_job_text(t->job);
    if (ls_comm_rank(t->comm) == 0)
        ok = find_local(t, error);
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    ls_snapshot mine = t->state, told = t->state;
    ls_comm_broadcast(t->comm, &told, sizeof told); /* pointers are each rank's own */
    told.params = mine.params;
    told.job = mine.job;
    t->state = told;
    ls_comm_broadcast(t->comm, t->found, sizeof t->found);
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
    if (t->found[0]) {
        if (t->options->weights)
            ls_report_line(t,
                           "--weights matters at a run's first start only: the run goes on from %s",
                           t->found);
        ls_snapshot wanted = t->state;
        if (t->state.stage_step == 0) /* the stage's optimizer begins at zero: not in the file */
            wanted.arrays = 0;
        return ls_checkpoint_load(t->found, &wanted, error);
    }
    return !t->options->weights ||
           ls_checkpoint_load_weights(t->options->weights, t->session.params, error);
}

static bool open_files(ls_trainer *t, ls_error *error)
{
    t->writer = ls_checkpoint_writer_open(t->job->run, (int)t->job->checkpoint.keep);
    return ls_rundir_put(t->run, "job.yaml", t->state.job, error) &&
           ls_rundir_metrics_rewind(t->run, t->state.step, error);
}

bool ls_resume_load(ls_trainer *t, ls_error *error)
{
    if (t->state.stage < t->job->stages && !ls_trainer_open_stage(t, error))
        return false;
    bool ok = true;
    if (ls_comm_rank(t->comm) == 0)
        ok = load_local(t, error) && open_files(t, error);
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    spread(t, t->session.params->values);
    for (int k = 0; k < t->states; k++)
        spread(t, t->optimizer_state[k]);
    ls_session_prepare(&t->session);
    if (ls_comm_rank(t->comm) == 0)
        ls_plan_print_start(t, stdout);
    return true;
}
