/* changes: shards, batch, schedule and evaluation may change between two starts of a run. */
#include "launch/train/changes.h"

#include <string.h>

#include "io/loader.h"
#include "launch/job/job_compatible.h"
#include "launch/train/judge.h"

static void change_shards(const ls_job *now, const ls_job *before, const ls_listener *listener,
                          ls_position *position)
{
    if (now->accumulate != before->accumulate)
        ls_listener_notice(listener,
                           "accumulate matters at a run's first start only: the run keeps its %ld "
                           "shards (shards=N changes them)",
                           position->shards);
    if (!now->shards || now->shards == position->shards)
        return;
    ls_listener_notice(listener,
                       "shards: %ld of the job instead of %ld of the checkpoint: the bits differ "
                       "from here on",
                       now->shards, position->shards);
    position->shards = now->shards;
}

/* A batch of another size makes another number of steps an epoch: stage_step is converted, so that
 * the run goes on at the same part of the same epoch. */
static void change_batch(const ls_session *session, const ls_job *before,
                         const ls_listener *listener, ls_position *position)
{
    long rows = ls_dataset_split(session->data, LS_TRAIN)->x.rows, done = position->stage_step;
    long steps_before = ls_loader_steps_per_epoch(rows, before->stage[position->stage].batch);
    long steps_now = session->stage[position->stage].steps_per_epoch;
    if (session->job->stage[position->stage].steps || steps_before == steps_now || done == 0)
        return;
    long now = done / steps_before * steps_now + done % steps_before * steps_now / steps_before;
    position->stage_step = now > 0 ? now : 1;
    if (done % steps_before)
        ls_listener_notice(listener,
                           "batch: the rest of this epoch is cut anew, so some of its rows may "
                           "come twice or not at all; from the next epoch on every row comes once");
}

/* Over another number of steps, the schedule may give another rate at this step. */
static void notice_schedule(const ls_session *session, const ls_job *before,
                            const ls_listener *listener, const ls_position *position)
{
    const ls_job_stage *was = &before->stage[position->stage];
    const ls_session_stage *now = &session->stage[position->stage];
    const ls_schedule *schedule = &now->schedule;
    double per_epoch = (double)now->steps_per_epoch;
    long steps = was->steps ? was->steps : was->epochs * now->steps_per_epoch;
    if (ls_schedule_factor(schedule, position->stage_step, steps, per_epoch) !=
        ls_schedule_factor(schedule, position->stage_step, now->steps, per_epoch))
        ls_listener_notice(listener,
                           "schedule: '%s' now spans another number of steps, so the rate goes on "
                           "from another point than it had reached",
                           session->job->stage[position->stage].schedule);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Where evaluations are no longer comparable, the best so far is forgotten. */
static void change_evaluation(const ls_job *now, const ls_job *before, const ls_listener *listener,
                              ls_position *position)
{
    if (same_text(before->evaluate.metric, now->evaluate.metric) &&
        same_text(before->evaluate.split, now->evaluate.split) &&
        before->evaluate.average == now->evaluate.average)
        return;
    ls_listener_notice(listener, "evaluate: another metric, split or average than before: the best "
                                 "is sought anew");
    ls_judge_forget(position);
    position->stale = 0;
}

bool ls_changes_accept(const ls_session *session, const ls_job *before, const char *where,
                       const ls_listener *listener, ls_position *position, ls_error *error)
{
    const ls_job *now = session->job;
    if (!ls_job_compatible(before, now, position->stage, listener->notice, listener->context,
                           error))
        return false;
    if (position->data_digest != ls_dataset_shape_digest(session->data))
        return ls_error_set(error, LS_DATA,
                            "%s was trained on data of other shapes or types than %s", where,
                            now->data);
    change_shards(now, before, listener, position);
    change_batch(session, before, listener, position);
    notice_schedule(session, before, listener, position);
    change_evaluation(now, before, listener, position);
    return true;
}
