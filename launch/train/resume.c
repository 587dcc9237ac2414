/* resume: reads position, parameters and optimizer state from the chosen checkpoint. */
#include "launch/train/resume.h"

#include <math.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_find.h"
#include "launch/train/changes.h"
#include "launch/train/choose.h"
#include "launch/train/judge.h"

/* On rank 0. Checks that the run may go on with the job, from the checkpoint's position. */
static bool read_position(ls_trainer *t, ls_error *error)
{
    const char *path = t->checkpoint->path;
    ls_job *before = t->options.read_job(t->checkpoint->job, path, error);
    t->position = t->checkpoint->position;
    bool ok = before && ls_changes_accept(&t->session, before, path, &t->options.listener,
                                          &t->position, error);
    ls_job_destroy(before);
    return ok;
}

/* On rank 0. If this run begins from another run's checkpoint, copies that run's best.h5; without
 * it, no evaluation counts as the best so far. */
static bool copy_best(ls_trainer *t, ls_error *error)
{
    bool copied = true;
    const ls_job *job = t->session.job;
    if (t->run && !isnan(t->position.best) && !ls_choose_is_own(t->checkpoint, job) &&
        !ls_checkpoint_find_best(t->checkpoint, job->run, t->position.best_step, &copied, error))
        return false;
    if (!copied)
        ls_judge_forget(&t->position);
    return true;
}

/* On rank 0. Opens the run directory and the checkpoint to go on from. */
static bool find_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options.weights;
    const ls_job *job = t->session.job;
    if (!t->options.dry_run && !(t->run = ls_rundir_open(job->run, error)))
        return false;
    if (weights && access(weights, R_OK) != 0)
        return ls_error_set(error, LS_DATA, "--weights %s: there is no such file", weights);
    if (!ls_choose_checkpoint(job, &t->options, t->run, &t->checkpoint, error))
        return false;
    if (t->checkpoint)
        t->resumed = ls_copy_string(t->checkpoint->path);
    return !t->checkpoint || (read_position(t, error) && copy_best(t, error));
}

bool ls_resume_find(ls_trainer *t, ls_error *error)
{
    if (!ls_comm_agree(t->comm, t->comm->rank != 0 || find_local(t, error), error))
        return false;
    ls_comm_broadcast(t->comm, &t->position, sizeof t->position);
    return true;
}

/* On rank 0. Loads the open checkpoint and closes it, or loads --weights. */
static bool load_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options.weights;
    const ls_params *params = t->session.params;
    if (!t->checkpoint)
        return !weights || ls_weights_load(weights, params, error);
    if (weights)
        ls_listener_notice(&t->options.listener,
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
