/* changes: shards, batch, schedule and evaluation may change between two starts of a run. */
#include "launch/train/changes.h"

#include <string.h>

#include "io/loader.h"
#include "launch/job/job_compatible.h"
#include "launch/train/judge.h"

static void change_shards(ls_trainer *t, const ls_job *before)
{
    const ls_job *now = t->session.job;
    const ls_listener *listener = &t->options.listener;
    long *shards = &t->position.shards;
    if (now->accumulate != before->accumulate)
        ls_report_notice(listener,
                         "accumulate matters at a run's first start only: the run keeps its %ld "
                         "shards (shards=N changes them)",
                         *shards);
    if (!now->shards || now->shards == *shards)
        return;
    ls_report_notice(listener,
                     "shards: %ld of the job instead of %ld of the checkpoint: the bits differ "
                     "from here on",
                     now->shards, *shards);
    *shards = now->shards;
}

/* A batch of another size makes another number of steps an epoch: stage_step is converted, so that
 * the run goes on at the same part of the same epoch. */
static void change_batch(ls_trainer *t, const ls_job *before)
{
    long stage = t->position.stage, done = t->position.stage_step;
    long rows = ls_dataset_split(t->session.data, LS_TRAIN)->x.rows;
    long steps_before = ls_loader_steps_per_epoch(rows, before->stage[stage].batch);
    long steps_now = t->session.stage[stage].steps_per_epoch;
    if (t->session.job->stage[stage].steps || steps_before == steps_now || done == 0)
        return;
    long now = done / steps_before * steps_now + done % steps_before * steps_now / steps_before;
    t->position.stage_step = now > 0 ? now : 1;
    if (done % steps_before)
        ls_report_notice(&t->options.listener,
                         "batch: the rest of this epoch is cut anew, so some of its rows may "
                         "come twice or not at all; from the next epoch on every row comes once");
}

/* Over another number of steps, the schedule may give another rate at this step. */
static void notice_schedule(const ls_trainer *t, const ls_job *before)
{
    long stage = t->position.stage, step = t->position.stage_step;
    const ls_job_stage *was = &before->stage[stage];
    const ls_session_stage *now = &t->session.stage[stage];
    double per_epoch = (double)now->steps_per_epoch;
    long steps = was->steps ? was->steps : was->epochs * now->steps_per_epoch;
    if (ls_schedule_factor(&now->schedule, step, steps, per_epoch) !=
        ls_schedule_factor(&now->schedule, step, now->steps, per_epoch))
        ls_report_notice(&t->options.listener,
                         "schedule: '%s' now spans another number of steps, so the rate goes on "
                         "from another point than it had reached",
                         t->session.job->stage[stage].schedule);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Where evaluations are no longer comparable, the best so far is forgotten. */
static void change_evaluation(ls_trainer *t, const ls_job *before)
{
    const ls_job_evaluate *was = &before->evaluate, *now = &t->session.job->evaluate;
    if (same_text(was->metric, now->metric) && same_text(was->split, now->split) &&
        was->average == now->average)
        return;
    ls_report_notice(&t->options.listener, "evaluate: another metric, split or average than "
                                           "before: the best is sought anew");
    ls_judge_forget(&t->position);
    t->position.stale = 0;
}

bool ls_changes_accept(ls_trainer *t, const ls_job *before, ls_error *error)
{
    const ls_job *now = t->session.job;
    const ls_listener *l = &t->options.listener;
    if (!ls_job_compatible(before, now, t->position.stage, l->notice, l->context, error))
        return false;
    if (t->position.data_digest != ls_dataset_shape_digest(t->session.data))
        return ls_error_set(error, LS_DATA,
                            "%s was trained on data of other shapes or types than %s", t->resumed,
                            now->data);
    change_shards(t, before);
    change_batch(t, before);
    notice_schedule(t, before);
    change_evaluation(t, before);
    return true;
}
