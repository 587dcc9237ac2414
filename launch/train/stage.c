/* stage: the stage that runs: its objective, optimizers and feed; gradients over shards in tree
 * order, updates, evaluation, checkpoints. */
#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/step.h"
#include "launch/session/evaluation.h"
#include "launch/train/trainer.h"

static ls_loader *open_feed(const ls_trainer *t)
{
    const ls_job_stage *stage = &t->job->stage[t->state.stage];
    ls_loader_plan plan = {.split = LS_TRAIN,
                           .seed = (uint64_t)t->job->seed,
                           .stage = (uint32_t)t->state.stage,
                           .shuffle = true,
                           .batch = stage->batch,
                           .shards = t->state.shards,
                           .begin = t->first_shard,
                           .end = t->end_shard,
                           .first_step = t->state.stage_step,
                           .end_step = t->steps};
    return ls_loader_open(t->session.data, &plan);
}

/* The optimizers' state, for updates and for checkpoints. The average is one for all phases. */
static void list_states(ls_trainer *t)
{
    t->every_slot = ls_slots_all(t->session.params);
    t->arrays.count = 0;
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++) {
        t->optimizer_state[k] = NULL;
        for (int p = 0; p < t->objective->phases; p++) {
            const char *name = ls_optimizer_state_name(&t->optimizer[p], k);
            bool average = k == LS_OPTIMIZER_AVERAGE;
            if (!name || (average && t->optimizer_state[k]))
                continue;
            t->optimizer_state[k] = ls_shared_data(t->memory[k]);
            t->arrays.at[t->arrays.count++] = (ls_checkpoint_array){
                .name = name,
                .slots = average ? &t->every_slot : &t->objective->phase[p].slots,
                .statistics = average,
                .array = t->optimizer_state[k]};
        }
    }
}

long ls_stage_chunk(const ls_job *job, const ls_objective *objective)
{
    return job->evaluate.every.unit == LS_EVERY_NEVER ? 0 : ls_objective_chunk(objective);
}

bool ls_stage_open(ls_trainer *t, ls_error *error)
{
    int number = (int)t->state.stage;
    const ls_job_stage *stage = &t->job->stage[number];
    t->steps = ls_session_steps(&t->session, number, &t->steps_per_epoch);
    ls_objective *objective = ls_session_objective(&t->session, number, 0, 0, error);
    bool ok = objective && ls_schedule_parse(stage->schedule, &t->schedule, error);
    t->objective = objective;
    for (int p = 0; ok && p < objective->phases; p++)
        ok = ls_session_optimizer(&t->session, number, objective->phase[p].name, &t->optimizer[p],
                                  error);
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    long shard_rows = (stage->batch + t->state.shards - 1) / t->state.shards;
    objective->type->compile(objective, shard_rows, ls_stage_chunk(t->job, objective));
    list_states(t);
    t->epoch_sums = t->record_sums = (ls_sums){{0}};
    t->record_start = t->saved = t->evaluated = ls_clock_now();
    t->record_rows = t->record_waited = 0;
    return true;
}

/* Each stage's optimizer state starts at zero, its average at the values. */
static void clear_optimizer(ls_trainer *t)
{
    size_t bytes = (size_t)t->session.params->size * sizeof(real);
    ls_comm_node_barrier(t->comm);
    for (int k = 0; k < LS_OPTIMIZER_STATES && ls_comm_node_rank(t->comm) == 0; k++) {
        if (k == LS_OPTIMIZER_AVERAGE && t->optimizer_state[k])
            memcpy(t->optimizer_state[k], t->session.params->values, bytes);
        else if (t->optimizer_state[k])
            memset(t->optimizer_state[k], 0, bytes);
    }
    ls_comm_node_barrier(t->comm);
}

/* A stage with the objective of the stage before it is judged by the same figure. */
static bool goes_on_judging(const ls_trainer *t)
{
    long stage = t->state.stage;
    return stage > 0 &&
           strcmp(t->job->stage[stage].objective, t->job->stage[stage - 1].objective) == 0;
}

void ls_stage_start(ls_trainer *t)
{
    if (t->state.stage_step == 0) {
        clear_optimizer(t);
        memset(t->state.updates, 0, sizeof t->state.updates);
        if (!goes_on_judging(t)) {
            t->state.best = NAN;
            t->state.best_step = 0;
        }
    }
    t->stage_start = ls_clock_now();
    t->stage_first = t->state.stage_step;
    t->stage_rows = 0;
    t->feed = open_feed(t);
}

void ls_stage_close(ls_trainer *t)
{
    if (t->feed)
        ls_loader_close(t->feed);
    ls_objective_destroy(t->objective);
    t->feed = NULL;
    t->objective = NULL;
}

static void sum_over_ranks(void *comm, double *values, long count)
{
    ls_comm_sum_ordered(comm, values, count);
}

/* Gradient of shards [begin, end) into `level`, with their sums: [begin, middle) + [middle, end),
 * the order of ls_sum_order_add. */
static void tree_gradient(ls_trainer *t, int phase, const ls_batch *batch, int begin, int end,
                          int level, ls_sums *sums)
{
    if (end - begin == 1) {
        ls_batch shard = ls_batch_shard(batch, begin, t->state.shards);
        ls_pass pass = {.training = true,
                        .seed = (uint64_t)t->job->seed,
                        .step = (uint64_t)t->state.step,
                        .draw = (uint32_t)phase,
                        .row = shard.first,
                        .gradient = t->level[level],
                        .sum = sum_over_ranks,
                        .context = t->comm};
        t->objective->type->gradient(t->objective, phase, &shard, &pass, sums);
        return;
    }
    ls_sums other;
    int middle = begin + (end - begin) / 2;
    tree_gradient(t, phase, batch, begin, middle, level, sums);
    tree_gradient(t, phase, batch, middle, end, level + 1, &other);
    const ls_slots *slots = &t->objective->phase[phase].slots;
    for (int i = 0; i < slots->count; i++) {
        ls_interval reals = ls_slots_reals(t->session.params, &slots->at[i]);
        real *to = t->level[level] + reals.begin;
        real *const from[] = {to, t->level[level + 1] + reals.begin};
        ls_sum_order_add(to, from, 2, reals.end - reals.begin);
    }
    for (int k = 0; k < LS_SUMS; k++)
        sums->at[k] += other.at[k];
}

void ls_stage_gradient(ls_trainer *t, int phase, const ls_batch *batch, ls_step_sums *sums)
{
    *sums = (ls_step_sums){.failed = batch == NULL};
    /* If any rank could not read its batch, no rank starts the pass: a layer that sums over the
     * ranks would wait for that rank for ever. */
    bool run = t->sums ? ls_comm_max(t->comm, sums->failed) == 0 : batch != NULL;
    if (run)
        tree_gradient(t, phase, batch, t->first_shard, t->end_shard, 0, &sums->sums);
    else
        ls_objective_zero(t->objective, phase, t->level[0]);
}

static void measure(void *reduce, const real *array, const ls_slots *slots, double *norm2)
{
    ls_reduce_norms(reduce, array, slots, norm2);
}

void ls_stage_update(ls_trainer *t, int phase, double weight)
{
    const ls_step step = {.optimizer = &t->optimizer[phase],
                          .params = t->session.params,
                          .slots = &t->objective->phase[phase].slots,
                          .part = ls_reduce_slice(t->reduce),
                          .gradient = t->level[0],
                          .state = t->optimizer_state,
                          .gradient2 = t->gradient2,
                          .value2 = t->value2,
                          .measure = measure,
                          .context = t->reduce};
    t->rate = t->optimizer[phase].rate * ls_schedule_factor(&t->schedule, t->state.stage_step,
                                                            t->steps, (double)t->steps_per_epoch);
    ls_step_update(&step, t->rate, weight, ++t->state.updates[phase]);
}

static ls_checkpoint_contents contents(const ls_trainer *t)
{
    return (ls_checkpoint_contents){.job = t->job_text,
                                    .position = &t->state,
                                    .params = t->session.params,
                                    .arrays = &t->arrays};
}

bool ls_stage_save(ls_trainer *t, ls_error *error)
{
    t->saved = ls_clock_now();
    const ls_checkpoint_contents now = contents(t);
    bool ok = !t->writer || ls_checkpoint_writer_write(t->writer, &now, error);
    return ls_comm_agree(t->comm, ok, error);
}

int ls_stage_judged_sum(const ls_job *job, const ls_objective *objective)
{
    const char *wanted = job->evaluate.metric;
    if (wanted ? strcmp(wanted, "loss") == 0 : !objective->metrics[0])
        return LS_SUM_LOSS;
    for (int k = 0; objective->metrics[k]; k++)
        if (!wanted || strcmp(wanted, objective->metrics[k]) == 0)
            return LS_SUM_METRICS + k;
    return -1;
}

bool ls_stage_patience_over(const ls_trainer *t)
{
    return t->job->evaluate.stop_after > 0 && t->state.stale >= t->job->evaluate.stop_after;
}

/* **Collective.** Evaluates the weights that the nets read now; keeps them where they are best. */
static bool judge(ls_trainer *t, bool *stop_early, ls_error *error)
{
    ls_evaluation evaluation;
    ls_split_id split = ls_split_find(t->job->evaluate.split);
    t->evaluation_start = ls_clock_now();
    if (!ls_evaluate(t->comm, t->objective, t->session.data, split, false, &evaluation, error))
        return false;
    int judged = ls_stage_judged_sum(t->job, t->objective);
    bool larger = judged >= LS_SUM_METRICS, first = isnan(t->state.best), ok = true;
    double value = ls_sums_mean(&evaluation.sums, judged);
    if (isfinite(value) && (first || (larger ? value > t->state.best : value < t->state.best))) {
        t->state.best = value;
        t->state.best_step = t->state.step;
        t->state.stale = 0;
        const ls_checkpoint_contents now = contents(t);
        ok = !t->writer || ls_checkpoint_writer_write_best(t->writer, &now, error);
    } else {
        t->state.stale++;
    }
    t->evaluated = ls_clock_now();
    *stop_early = ls_stage_patience_over(t);
    ls_report_evaluation(t, &evaluation.sums);
    return ls_comm_agree(t->comm, ok, error);
}

/* **Collective** over the node. From here on the nets read these weights. */
static void read_weights(const ls_trainer *t, real *values)
{
    ls_params *params = t->session.params;
    ls_params_commit(params, values, params->prepared);
    ls_session_prepare(&t->session);
}

bool ls_stage_evaluate(ls_trainer *t, bool *stop_early, ls_error *error)
{
    real *trained = t->session.params->values;
    real *average = t->job->evaluate.average ? t->optimizer_state[LS_OPTIMIZER_AVERAGE] : NULL;
    if (average)
        read_weights(t, average);
    bool ok = judge(t, stop_early, error);
    if (average)
        read_weights(t, trained);
    return ok;
}
