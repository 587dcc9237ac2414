/* resume: rank 0 chooses a checkpoint and reads it; the other ranks get what is in it. */
#include "launch/train/resume.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_find.h"
#include "launch/train/changes.h"
#include "launch/train/judge.h"

/* Whether both paths lead to the same file or folder. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether the checkpoint lies in the run's own folder. */
static bool is_own(const ls_trainer *t, const ls_checkpoint *checkpoint)
{
    const char *path = checkpoint->path, *slash = strrchr(path, '/');
    char *own = ls_format("%s/checkpoints/%s", t->session.job->run, slash ? slash + 1 : path);
    bool same = same_file(path, own);
    ls_free(own);
    return same;
}

/* Opens the newest valid checkpoint of `run`; *found is NULL where it has none at all. */
static bool find_newest(const ls_trainer *t, const char *run, ls_checkpoint **found,
                        ls_error *error)
{
    const ls_listener *listener = &t->options.listener;
    return ls_checkpoint_find(run, found, listener->notice, listener->context, error) !=
           LS_CHECKPOINT_BROKEN;
}

static bool check_progress(const ls_checkpoint *checkpoint, ls_error *error)
{
    const char *path = checkpoint->path;
    return !checkpoint->weights_only ||
           ls_error_set(error, LS_DATA,
                        "%s holds parameters only (no optimizer state, no step), so a run cannot "
                        "go on from it: start a new run from it with --weights %s",
                        path, path);
}

/* Opens the checkpoint that --resume=PATH names. */
static bool open_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options.resume;
    if (access(path, F_OK) != 0)
        return ls_error_set(error, LS_DATA,
                            "--resume=%s: there is no such file; write auto, required, never, a "
                            "checkpoint or a run directory",
                            path);
    if (!ls_atomic_file_is_folder(path))
        t->checkpoint = ls_checkpoint_open(path, error);
    else if (find_newest(t, path, &t->checkpoint, error) && !t->checkpoint)
        ls_error_set(error, LS_DATA, "--resume=%s holds no checkpoint", path);
    return t->checkpoint && check_progress(t->checkpoint, error);
}

/* --resume=PATH named t->checkpoint; *own is the newest checkpoint of the run itself. Leaves in
 * t->checkpoint the one to go on from, and in *own the other. */
static bool choose_own(ls_trainer *t, ls_checkpoint **own, ls_error *error)
{
    const char *path = t->options.resume, *newest = (*own)->path;
    ls_checkpoint *named = t->checkpoint;
    if (same_file(newest, named->path))
        return true;
    if (is_own(t, named))
        return t->options.overwrite ||
               ls_error_set(error, LS_USAGE,
                            "--resume=%s goes back, but the run has gone on to %s: leave --resume "
                            "out to go on from there, or add --overwrite to drop what came after",
                            path, newest);
    if (t->options.overwrite)
        return !t->run || ls_rundir_clear(t->run, error);
    ls_report_notice(&t->options.listener, "--resume=%s is where the run began: it goes on from %s",
                     path, newest);
    t->checkpoint = *own;
    *own = named;
    return true;
}

/* --resume=PATH begins a run from another run's checkpoint, or goes back within this one. Where the
 * run has a checkpoint of its own since, it goes on from that: the command can be repeated. */
static bool choose_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options.resume, *run = t->session.job->run;
    ls_checkpoint *own;
    if (!find_newest(t, run, &own, error))
        return false;
    if (own && (same_file(own->path, path) || same_file(run, path))) {
        t->checkpoint = own;
        return true;
    }
    bool ok = open_path(t, error) && (!own || choose_own(t, &own, error));
    ls_checkpoint_close(own);
    return ok;
}

/* Opens t->checkpoint as options.resume says; it stays NULL where the run starts anew. With
 * options.overwrite, removes what an earlier run wrote, but not in a dry run. */
static bool choose_checkpoint(ls_trainer *t, ls_error *error)
{
    const char *resume = t->options.resume ? t->options.resume : "auto", *run = t->session.job->run;
    bool never = strcmp(resume, "never") == 0, required = strcmp(resume, "required") == 0;
    if (never && t->options.overwrite)
        return !t->run || ls_rundir_clear(t->run, error);
    if (strcmp(resume, "auto") != 0 && !never && !required)
        return choose_path(t, error);
    if (!find_newest(t, run, &t->checkpoint, error))
        return false;
    if (never && t->checkpoint)
        return ls_error_set(error, LS_USAGE,
                            "--resume=never, but %s holds the checkpoint %s: give another run=, or "
                            "--overwrite to remove what the earlier run wrote",
                            run, t->checkpoint->path);
    if (required && !t->checkpoint)
        return ls_error_set(error, LS_DATA, "--resume=required, but %s holds no checkpoint", run);
    return !t->checkpoint || check_progress(t->checkpoint, error);
}

/* The best.h5 of the run that this one begins from becomes this run's, if it is of the evaluation
 * that the position says was best. If not, or if going back dropped it, the best is forgotten. */
static bool copy_best(ls_trainer *t, ls_error *error)
{
    const char *run = t->session.job->run;
    bool copied = true, keep = is_own(t, t->checkpoint) && !t->options.overwrite;
    bool ok = !t->run || isnan(t->position.best) || keep ||
              ls_checkpoint_find_best(t->checkpoint, run, t->position.best_step, &copied, error);
    if (!copied)
        ls_judge_forget(&t->position);
    return ok;
}

/* Opens the run directory and the checkpoint to go on from, and takes over its position. */
static bool find_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options.weights;
    if (!t->options.dry_run && !(t->run = ls_rundir_open(t->session.job->run, error)))
        return false;
    if (weights && access(weights, R_OK) != 0)
        return ls_error_set(error, LS_DATA, "--weights %s: there is no such file", weights);
    if (!choose_checkpoint(t, error))
        return false;
    if (!t->checkpoint)
        return true;
    t->resumed = ls_copy_string(t->checkpoint->path);
    t->position = t->checkpoint->position;
    ls_job *before = t->options.read_job(t->checkpoint->job, t->resumed, error);
    bool ok = before && ls_changes_accept(t, before, error) && copy_best(t, error);
    ls_job_destroy(before);
    return ok;
}

bool ls_resume_find(ls_trainer *t, ls_error *error)
{
    if (!ls_comm_agree(t->comm, t->comm->rank != 0 || find_local(t, error), error))
        return false;
    ls_comm_broadcast(t->comm, &t->position, sizeof t->position);
    return true;
}

/* Loads the open checkpoint and closes it, or loads --weights. */
static bool load_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options.weights;
    const ls_params *params = t->session.params;
    if (!t->checkpoint)
        return !weights || ls_weights_load(weights, params, error);
    if (weights)
        ls_report_notice(&t->options.listener,
                         "--weights matters at a run's first start only: the run goes on from %s",
                         t->resumed);
    /* At the beginning of a stage, optimizer states are zero, and not in the file. */
    const ls_checkpoint_arrays *arrays = t->position.stage_step ? &t->states.saved : NULL;
    bool ok = ls_checkpoint_load(t->checkpoint, params, arrays, error);
    ls_checkpoint_close(t->checkpoint);
    t->checkpoint = NULL;
    return ok;
}

bool ls_resume_load(ls_trainer *t, ls_error *error)
{
    size_t bytes = (size_t)t->session.params->size * sizeof(real);
    if (!ls_comm_agree(t->comm, t->comm->rank != 0 || load_local(t, error), error))
        return false;
    ls_comm_broadcast_nodes(t->comm, t->session.params->values, bytes);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        if (t->states.array[k])
            ls_comm_broadcast_nodes(t->comm, t->states.array[k], bytes);
    ls_session_prepare(&t->session);
    return true;
}
