/* trainer_run: for each step, for each update of each phase of the objective: the batch, the update
 * (trainer_update.c); then checkpoint and evaluation where due. */
#include "launch/train/trainer_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/minmax.h"
#include "launch/session/evaluation.h"
#include "launch/train/checks.h"
#include "launch/train/judge.h"
#include "launch/train/plan.h"
#include "launch/train/trainer_update.h"

/* What comes after a step, or after a stage. */
typedef enum { GO_ON, STAGE_DONE, STOP, FAILED } verdict;

static const ls_batch *next_batch(ls_trainer *t, ls_error *error)
{
    const double begin = ls_timing_begin(&t->report.timing);
    const ls_batch *batch = ls_loader_next(t->loader, error);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_DATA, begin);
    return batch;
}

/* Whether the next step takes the first batch of an epoch. */
static bool begins_epoch(const ls_trainer *t)
{
    const ls_session_stage *stage = ls_trainer_stage(t);
    return t->position.stage_step * stage->batches % stage->epoch_batches == 0;
}

/* One step: the updates of each phase in turn. */
static bool train_step(ls_trainer *t, ls_trainer_step *done, ls_error *error)
{
    const ls_objective *objective = ls_trainer_stage(t)->objective;
    ls_trainer_turn now = {.batch = NULL};
    const double begin = ls_clock_now();
    *done = (ls_trainer_step){.stop = 0};
    if (begins_epoch(t))
        ls_carry_begin_epoch(&t->carry, &t->session, t->position.stage);
    for (now.phase = 0; now.phase < objective->phases; now.phase++)
        for (now.repeat = 0; now.repeat < objective->phase[now.phase].times; now.repeat++) {
            ls_trainer_note(t, LS_ACTIVITY_READING, now.phase);
            if (objective->phase[now.phase].fresh_batch)
                now.batch = next_batch(t, error);
            if (!ls_trainer_update(t, &now, done, error))
                return false;
            if (objective->phase[now.phase].fresh_batch)
                t->position.samples += (double)now.batch->total;
        }
    t->position.step++;
    t->position.stage_step++;
    ls_timing_step(&t->report.timing, now.batch->rows);
    ls_watch_end_of(ls_trainer_watch(t), LS_SPAN_STEP, (int)t->position.step, begin);
    return true;
}

/* On rank 0: what the last checkpoint cost, unless it is still being written. An old checkpoint
 * that stays though it should go ends no training. */
static void tell_written(ls_trainer *t)
{
    ls_checkpoint_writer *writer = t->snapshot.writer;
    double seconds = writer ? ls_checkpoint_writer_seconds(writer) : 0;
    const char *warning = writer ? ls_checkpoint_writer_warning(writer) : NULL;
    if (seconds > 0) {
        t->report.held = t->snapshot.held;
        t->report.written = seconds;
    }
    if (warning)
        ls_report_notice(&t->options.listener, "%s", warning);
}

/* Waits until the checkpoint before is written; none is ever left out. Says so once, when training
 * has waited for a second in all. */
static void wait_written(ls_trainer *t)
{
    double before = t->snapshot.waited;
    ls_snapshot_wait(&t->snapshot);
    tell_written(t);
    if (before < 1 && t->snapshot.waited >= 1)
        ls_report_notice(&t->options.listener,
                         "step %ld: training has waited %.1f s in all for a checkpoint to be "
                         "written before the next could be; a larger checkpoint.every= holds it "
                         "up less",
                         t->position.step, t->snapshot.waited);
}

/* Each rank copies its part of the state, which rank 0 writes to the disk while training goes on. A
 * failure is told at the next step, or at the end of the run. */
static void save(ls_trainer *t, ls_checkpoint_part part)
{
    ls_checkpoint_contents now = {.job = t->job_text,
                                  .position = t->position,
                                  .params = t->session.params,
                                  .values = t->session.params->values,
                                  .arrays = t->states.saved,
                                  .data = t->session.data_text,
                                  .vocabulary = ls_dataset_vocabulary(t->session.data)};
    ls_error why;
    const double begin = ls_clock_now();
    ls_trainer_note(t, LS_ACTIVITY_CHECKPOINTING, -1);
    if (part == LS_CHECKPOINT_WEIGHTS) /* as best.c writes best.h5 again */
        now.position.gap = 0;
    wait_written(t);
    if (t->snapshot.writer && !ls_rundir_check(t->run, &why))
        ls_checkpoint_writer_bar(t->snapshot.writer, &why);
    ls_snapshot_take(&t->snapshot, &now, &t->carry, part);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_CHECKPOINT, begin);
    if (part == LS_CHECKPOINT_ALL)
        t->last.saved = ls_clock_now();
}

/* **Collective** over the node. From here on the nets read `values`. */
static void read_values(const ls_trainer *t, real *values)
{
    ls_params_commit(t->session.params, values, t->session.params->prepared);
    ls_session_prepare(&t->session, NULL);
}

/* **Collective.** Evaluates the parameters, or their average where the job says so; what is the
 * best so far becomes best.h5. */
static bool evaluate(ls_trainer *t, ls_error *error)
{
    const ls_session *session = &t->session;
    const ls_job *job = session->job;
    ls_evaluation evaluation = {.seed = (uint64_t)job->seed, .training = ls_trainer_stage(t)->rows};
    ls_objective *objective = ls_trainer_stage(t)->objective;
    double value[LS_METRICS];
    real *trained = session->params->values, *average = t->states.array[LS_OPTIMIZER_AVERAGE];
    double start = ls_clock_now();
    ls_trainer_note(t, LS_ACTIVITY_EVALUATING, -1);
    if (job->evaluate.average)
        read_values(t, average);
    bool ok = ls_evaluate(t->comm, objective, session->data, ls_split_find(job->evaluate.split),
                          &evaluation, error);
    if (ok) {
        t->position.evaluation_due = 0;
        ls_evaluation_values(&evaluation, objective, value);
        if (ls_judge_note(job, objective, value, &t->position))
            save(t, LS_CHECKPOINT_WEIGHTS);
        t->last.evaluated = ls_clock_now();
        ls_trainer_note(t, LS_ACTIVITY_REPORTING, -1);
        ls_report_evaluation(&t->report, value, t->last.evaluated - start);
    }
    if (job->evaluate.average)
        read_values(t, trained);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_EVALUATION, start);
    return ls_comm_agree(t->comm, ok, error);
}

/* **Collective.** Pictures of what the parameters make, or their average where that is judged. */
static void take_samples(ls_trainer *t)
{
    const bool average = t->session.job->evaluate.average;
    real *trained = t->session.params->values;
    const double begin = ls_clock_now();
    ls_trainer_note(t, LS_ACTIVITY_PICTURING, -1);
    if (average)
        read_values(t, t->states.array[LS_OPTIMIZER_AVERAGE]);
    ls_samples_take(&t->samples);
    if (average)
        read_values(t, trained);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_SAMPLES, begin);
}

/* Whether what is done `every` so often is due: by the steps done, or by the clock (`flag`). */
static bool due(const ls_trainer *t, const ls_every *every, double flag)
{
    const ls_session_stage *stage = ls_trainer_stage(t);
    double period = every->count, step = (double)t->position.stage_step, before = step - 1;
    if (every->unit == LS_EVERY_NEVER || every->unit == LS_EVERY_MINUTES)
        return flag > 0;
    if (every->unit == LS_EVERY_EPOCHS) { /* in batches: these are whole numbers */
        period *= (double)stage->epoch_batches;
        step *= (double)stage->batches;
        before *= (double)stage->batches;
    }
    return floor(step / period) != floor(before / period);
}

/* **Collective.** Makes the evaluation that the position says is due. */
static verdict evaluate_due(ls_trainer *t, ls_error *error)
{
    if (!evaluate(t, error))
        return FAILED;
    bool last =
        t->position.stage_step >= ls_trainer_stage(t)->steps; /* above: the job may ask for less */
    return last || ls_judge_ends(t->session.job, &t->position) ? STAGE_DONE : GO_ON;
}

/* **Collective.** Pictures at the end of a stage, and at their pace. */
static void take_samples_due(ls_trainer *t, verdict result, double flag)
{
    if (t->samples.wanted && result != FAILED &&
        (result == STAGE_DONE || due(t, &t->session.job->samples.every, flag)))
        take_samples(t);
}

/* What is due after a step: a checkpoint, an evaluation, which may end the stage, then pictures.
 * The checkpoint says that the evaluation is still to come, so that none of the steps is lost where
 * it fails, or where a stop or a kill comes meanwhile: the next start makes it. */
static verdict after_step(ls_trainer *t, const ls_trainer_step *done, ls_error *error)
{
    bool last = t->position.stage_step == ls_trainer_stage(t)->steps,
         stop = done->stop > 0 && !last;
    bool judged =
        t->evaluate.unit != LS_EVERY_NEVER && (last || due(t, &t->evaluate, done->evaluate));
    bool saved = last ? judged : stop || due(t, &t->session.job->checkpoint.every, done->save);
    t->position.evaluation_due = judged;
    if (saved)
        save(t, LS_CHECKPOINT_ALL);
    verdict result = stop ? STOP : judged ? evaluate_due(t, error) : last ? STAGE_DONE : GO_ON;
    if (t->position.evaluation_due && !saved)
        save(t, LS_CHECKPOINT_ALL);
    take_samples_due(t, result, done->samples);
    return result;
}

static verdict step_and_after(ls_trainer *t, ls_error *error)
{
    ls_trainer_step done;
    if (!train_step(t, &done, error))
        return FAILED;
    ls_trainer_note(t, LS_ACTIVITY_REPORTING, -1);
    t->report.waited = ls_loader_waited(t->loader);
    tell_written(t);
    ls_report_step(&t->report, done.sums);
    return after_step(t, &done, error);
}

/* The loader begins to read the rows of this rank's shards, from the position on. */
static ls_loader *open_loader(const ls_trainer *t)
{
    const long batches = ls_trainer_stage(t)->batches;
    const ls_loader_plan plan = {.split = LS_TRAIN,
                                 .seed = (uint64_t)t->session.job->seed,
                                 .stage = (uint32_t)t->position.stage,
                                 .targets = ls_trainer_stage(t)->objective->takes_y,
                                 .shuffle = !ls_objective_streams(ls_trainer_stage(t)->objective),
                                 .streams = ls_objective_streams(ls_trainer_stage(t)->objective),
                                 .sampler = ls_trainer_stage(t)->sampler,
                                 .bucket = t->session.job->stage[t->position.stage].bucket,
                                 .rows = ls_trainer_stage(t)->rows,
                                 .batch = t->session.job->stage[t->position.stage].batch,
                                 .shards = t->shards.count,
                                 .begin = t->shards.begin,
                                 .end = t->shards.end,
                                 .first_step = t->position.stage_step * batches,
                                 .end_step = ls_trainer_stage(t)->steps * batches};
    return ls_loader_open(t->session.data, &plan);
}

/* Begins the stage of t->position, or goes on with it. */
static void start_stage(ls_trainer *t)
{
    long number = t->position.stage, shard_rows, chunk_rows;
    ls_objective *objective = ls_trainer_stage(t)->objective;
    const ls_job_stage *stages = t->session.job->stage;
    ls_states_select(&t->states, &t->session, (int)number);
    if (t->position.stage_step == 0) {
        ls_states_clear(&t->states, &t->session);
        ls_carry_begin(&t->carry, &t->session, &t->shards, number);
        memset(t->position.updates, 0, sizeof t->position.updates);
        /* Evaluations by another objective cannot be compared. */
        if (number == 0 || strcmp(stages[number].objective, stages[number - 1].objective) != 0)
            ls_judge_forget(&t->position);
    }
    const ls_factors_load load = {.threads = ls_max(1, t->options.threads),
                                  .shards = t->shards.end - t->shards.begin,
                                  .most_shards = t->shards.most};
    const ls_slots none = {0};
    for (int p = 0; p < LS_PHASES; p++)
        ls_reduce_set_phase(t->reduce, p,
                            p < objective->phases ? &objective->phase[p].slots : &none, &load);
    /* Workspaces come after ls_reduce_set_phase, which frees the blocks of the last stage's sums.
     */
    ls_plan_rows(t, number, &shard_rows, &chunk_rows);
    objective->type->compile(objective, shard_rows, chunk_rows);
    if (t->report.timing.timeline)
        ls_timeline_watch(t->report.timing.timeline, objective);
    t->loader = open_loader(t);
    ls_report_start(&t->report);
    t->last.saved = t->last.evaluated = t->samples.taken = t->report.stage_start;
}

/* Moves the position to the beginning of the next stage, which starts from the parameters as they
 * are, not from the best: so pretraining is meant, and stage-N.h5 keeps them. In the last stage it
 * stays, so that a later start can ask for more epochs, or more evaluations without a better one.
 */
static void advance(ls_trainer *t)
{
    if (t->position.stage + 1 == t->session.job->stages)
        return;
    save(t, LS_CHECKPOINT_STAGE);
    t->position.stage++;
    t->position.stage_step = 0;
    t->position.stale = 0;
    t->position.gap = 0;
    t->states.saved.count = 0;
    ls_carry_release(&t->carry);
}

/* Says how the stage has ended. */
static void report_end(ls_trainer *t)
{
    char how[128] = "stopped early";
    const ls_objective *objective = ls_trainer_stage(t)->objective;
    const double most = t->session.job->evaluate.gap;
    if (t->position.stage_step >= ls_trainer_stage(t)->steps)
        snprintf(how, sizeof how, "done");
    else if (ls_judge_gap_exceeded(t->session.job, &t->position))
        snprintf(how, sizeof how, "stopped early (%s %.4g, evaluate.gap=%g)",
                 objective->metric[ls_objective_gap(objective)].name, t->position.gap, most);
    ls_report_stage(&t->report, how);
}

/* Ends a stage that the job as it is now asks no further step of. Of the last, which is complete, a
 * former start may have said so. */
static void end_at_once(ls_trainer *t)
{
    if (t->position.stage + 1 < t->session.job->stages) {
        ls_report_start(&t->report);
        report_end(t);
    }
    advance(t);
}

/* Trains the stage of t->position to its end, unless a former start came there. */
static verdict run_stage(ls_trainer *t, ls_error *error)
{
    verdict result = GO_ON;
    ls_session_stage *stage = ls_trainer_stage(t);
    t->position.evaluation_due &= t->evaluate.unit != LS_EVERY_NEVER; /* the job may have changed */
    if (!t->position.evaluation_due &&
        (t->position.stage_step >= stage->steps || ls_judge_ends(t->session.job, &t->position))) {
        end_at_once(t);
        return STAGE_DONE;
    }
    start_stage(t);
    if (t->position.evaluation_due) {
        result = evaluate_due(t, error);
        take_samples_due(t, result, 0);
    }
    while (result == GO_ON)
        result = step_and_after(t, error);
    if (result != STAGE_DONE)
        return result;
    report_end(t);
    advance(t);
    save(t, LS_CHECKPOINT_ALL);
    ls_loader_close(t->loader);
    t->loader = NULL;
    ls_objective_destroy(stage->objective); /* its workspaces make room for the next stage's */
    stage->objective = NULL;
    return STAGE_DONE;
}

ls_outcome ls_trainer_run(ls_trainer *t, ls_error *error)
{
    verdict result;
    long before;
    t->first.step = t->position.step;
    do {
        before = t->position.stage;
        result = run_stage(t, error);
    } while (result == STAGE_DONE && t->position.stage != before);
    bool failed = result == FAILED;
    ls_trainer_note(t, LS_ACTIVITY_CHECKPOINTING, -1);
    bool durable = ls_trainer_check_written(t, failed ? NULL : error);
    ls_samples_wait(&t->samples);
    tell_written(t);
    if (t->report.timing.timeline)
        ls_timeline_write(t->report.timing.timeline, &t->options.listener);
    if (failed || !ls_comm_agree(t->comm, durable, error))
        return LS_OUTCOME_FAILED;
    return result == STOP ? LS_OUTCOME_STOPPED : LS_OUTCOME_COMPLETE;
}
