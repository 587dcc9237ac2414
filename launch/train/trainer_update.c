/* trainer_update: the gradient of this rank's shards, the sum over all ranks, the update. */
#include "launch/train/trainer_update.h"

#include <math.h>
#include <stdio.h>

#include "core/clock.h"
#include "launch/train/checks.h"

static bool minutes_over(const ls_every *every, double since)
{
    return every->unit == LS_EVERY_MINUTES && ls_clock_now() - since > 60 * every->count;
}

/* Whether all checkpoints that rank 0 has written so far could be written. */
static bool is_saving_well(const ls_trainer *t)
{
    return !t->snapshot.writer || !ls_checkpoint_writer_failed(t->snapshot.writer);
}

/* Whether the run directory is still this job's. Records that can't be written raise the doubt. */
static bool owns_run(const ls_trainer *t, ls_error *error)
{
    return !t->run || t->report.lost == 0 || ls_rundir_check(t->run, error);
}

/* Sets the flags that are summed over the ranks; the time is measured on rank 0. */
static void raise_flags(ls_trainer *t, ls_step_sums *sums)
{
    const ls_listener *listener = &t->options.listener;
    double limit = t->options.max_seconds;
    ls_error ignored;
    sums->stop = listener->stop && listener->stop(listener->context);
    if (t->comm->rank != 0)
        return;
    t->first.time_up = limit > 0 && ls_clock_now() - t->report.opened > limit;
    sums->stop += t->first.time_up;
    sums->failed += !is_saving_well(t) || !owns_run(t, &ignored);
    sums->save = minutes_over(&t->session.job->checkpoint.every, t->last.saved);
    sums->evaluate = minutes_over(&t->evaluate, t->last.evaluated);
    sums->samples = minutes_over(&t->session.job->samples.every, t->samples.taken);
}

static void sum_over_ranks(void *trainer, double *values, long count)
{
    const ls_trainer *t = trainer;
    const double begin = ls_clock_now();
    ls_comm_sum_ordered(t->comm, values, count);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_WAIT, begin);
}

/* Slots of this rank's gradient are complete: their sum goes on while backward does. */
static void hear_finished(void *reduce, const int *slots, int count)
{
    ls_reduce_ready(reduce, slots, count);
}

static bool hear_factors(void *reduce, const ls_layer_factors *factors)
{
    return ls_reduce_factors(reduce, factors);
}

/* Whether this rank has a batch; **collective** where layers sum over the ranks: then whether all
 * have one, as a rank that entered such layers alone would wait for ever. */
static bool all_have(ls_trainer *t, const ls_batch *batch)
{
    if (!ls_checks_synchronous(&t->session))
        return batch != NULL;
    const double begin = ls_watch_begin(ls_trainer_watch(t));
    const bool all = ls_comm_max(t->comm, batch == NULL) == 0;
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_WAIT, begin);
    return all;
}

/* The gradient of a phase over this rank's shards, with its sums; zero where the batch could not be
 * read. **Collective** where layers sum over the ranks. */
static void compute_gradient(ls_trainer *t, const ls_trainer_turn *now, ls_step_sums *sums)
{
    const ls_batch *batch = now->batch;
    ls_objective *objective = ls_trainer_stage(t)->objective;
    const ls_pass pass = {.training = true,
                          .seed = (uint64_t)t->session.job->seed,
                          .step = (uint64_t)t->position.step,
                          .draw = ls_pass_draw(now->phase, now->repeat),
                          .total = batch ? batch->total : 0,
                          .frozen = &objective->frozen,
                          .carried = t->carry.states.count ? t->carry.own : NULL,
                          .finished = t->comm->nodes > 1 ? hear_finished : NULL,
                          .factors = t->comm->nodes > 1 ? hear_factors : NULL,
                          .listener = t->reduce,
                          .sum = sum_over_ranks,
                          .context = t};
    *sums = (ls_step_sums){.failed = batch == NULL};
    const bool able = all_have(t, batch);
    const double begin = ls_timing_begin(&t->report.timing);
    if (able)
        ls_shards_gradient(&t->shards, objective, now->phase, batch, &pass, &sums->sums);
    else
        ls_objective_zero(objective, now->phase, t->shards.partial[0]);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_GRADIENT, begin);
}

/* Whether this rank has its rows, and on rank 0 whether the run directory is this job's, and all
 * checkpoints could be written. */
static bool check_files(const ls_trainer *t, const ls_batch *batch, ls_error *error)
{
    return batch && owns_run(t, error) && (is_saving_well(t) || ls_trainer_check_written(t, error));
}

/* What the sums are divided by. Where no row of a batch has a label, they are 0. */
static double weight_of(const ls_sums *sums)
{
    return fmax(1, sums->at[LS_SUM_WEIGHT]);
}

/* What to do where the numbers of an update are not finite, into text[size]; returns text. In the
 * first update from a checkpoint they follow from its parameters alone. */
static const char *advise(const ls_trainer *t, const ls_trainer_turn *now, char *text, size_t size)
{
    if (t->resumed && t->position.step == t->first.step && now->phase + now->repeat == 0)
        snprintf(text, size,
                 "it is the first from %s, whose parameters are broken themselves: go back with "
                 "--resume=PATH of an earlier checkpoint and --overwrite, or begin anew with "
                 "--resume=never --overwrite, and lower rate=, set clip= or a warm-up",
                 t->resumed);
    else
        snprintf(text, size,
                 "no checkpoint is lost: lower rate=, set clip= or a warm-up, and start again");
    return text;
}

/* Whether the update may be made: the same verdict on every rank, before any of them makes it. */
static bool accept(const ls_trainer *t, const ls_trainer_turn *now, const ls_step_sums *sums,
                   ls_error *error)
{
    double weight = weight_of(&sums->sums), loss = sums->sums.at[LS_SUM_LOSS] / weight;
    double norm2 = ls_squares_total(t->session.params, t->norm2.gradient);
    const ls_objective *objective = ls_trainer_stage(t)->objective;
    bool several = objective->phases > 1;
    char advice[1024];
    if (sums->failed > 0)
        return ls_comm_agree(t->comm, check_files(t, now->batch, error), error);
    if (isfinite(loss) && isfinite(norm2))
        return true;
    return ls_error_set(error, LS_NUMERIC,
                        "step %ld%s%s: the %s is not finite (loss %g, gradient norm %g), so this "
                        "update was not made; %s",
                        t->position.step + 1, several ? ", " : "",
                        several ? objective->phase[now->phase].name : "",
                        isfinite(loss) ? "gradient" : "loss", loss, sqrt(norm2) / weight,
                        advise(t, now, advice, sizeof advice));
}

static void measure(void *reduce, const real *array, const ls_slots *slots, double *norm2)
{
    (void)slots; /* they are those that were summed */
    ls_reduce_norms(reduce, array, norm2);
}

/* Updates this rank's runs of the phase's slots. **Collective** over the node. */
static void update(ls_trainer *t, int phase, double weight)
{
    const ls_session_stage *stage = ls_trainer_stage(t);
    const ls_optimizer *optimizer = &stage->optimizer[phase];
    t->report.rate[phase] =
        optimizer->rate * ls_schedule_factor(&stage->schedule, t->position.stage_step, stage->steps,
                                             ls_session_steps_per_epoch(stage));
    const ls_update update = {.optimizer = optimizer,
                              .params = t->session.params,
                              .slots = &stage->objective->phase[phase].slots,
                              .runs = t->reduce->own,
                              .gradient = t->shards.partial[0],
                              .state = t->states.array,
                              .gradient2 = t->norm2.gradient,
                              .value2 = t->norm2.value,
                              .measure = measure,
                              .context = t->reduce,
                              .rate = t->report.rate[phase],
                              .count = ++t->position.updates[phase],
                              .epoch = ls_session_epochs(stage, t->position.stage_step)};
    ls_optimizer_step(&update, weight);
}

static void add_sums(ls_trainer_step *done, int phase, const ls_step_sums *sums)
{
    for (int k = 0; k < LS_SUMS; k++)
        done->sums[phase].at[k] += sums->sums.at[k];
    done->stop += sums->stop;
    done->save += sums->save;
    done->evaluate += sums->evaluate;
    done->samples += sums->samples;
}

bool ls_trainer_update(ls_trainer *t, const ls_trainer_turn *now, ls_trainer_step *done,
                       ls_error *error)
{
    ls_step_sums sums;
    char notice[256];
    ls_trainer_note(t, LS_ACTIVITY_COMPUTING, now->phase);
    ls_reduce_begin(t->reduce, now->phase);
    if (ls_reduce_notice(t->reduce, notice, sizeof notice) && t->comm->rank == 0)
        ls_report_notice(&t->options.listener, "%s", notice);
    compute_gradient(t, now, &sums);
    raise_flags(t, &sums);
    ls_trainer_note(t, LS_ACTIVITY_SUMMING, now->phase);
    ls_reduce_finish(t->reduce, &sums, t->norm2.gradient);
    ls_trainer_note(t, LS_ACTIVITY_UPDATING, now->phase);
    bool accepted = accept(t, now, &sums, error);
    double begin = ls_timing_begin(&t->report.timing);
    if (accepted)
        update(t, now->phase, weight_of(&sums.sums));
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_UPDATE, begin);
    ls_reduce_end(t->reduce);
    if (!accepted) {
        if (error->code == LS_NUMERIC)
            ls_report_failure(&t->report, error->text);
        return false;
    }
    begin = ls_timing_begin(&t->report.timing);
    ls_session_prepare(&t->session, &ls_trainer_stage(t)->objective->phase[now->phase].slots);
    ls_watch_end(ls_trainer_watch(t), LS_SPAN_PREPARE, begin);
    add_sums(done, now->phase, &sums);
    return true;
}
