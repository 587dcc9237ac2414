/* trainer: set up of a training run and its stages, gradients over shards, updates, checkpoints. */
#include "launch/trainer.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "launch/evaluation.h"

double ls_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Which of the sums decides what is best: the job's choice, else the objective's first metric, else
 * the loss. -1: the objective has no such metric. */
static int judged_sum(const ls_trainer *t, const ls_objective *objective)
{
    const char *wanted = t->job->evaluate.metric;
    if (wanted ? strcmp(wanted, "loss") == 0 : !objective->metrics[0])
        return LS_SUM_LOSS;
    for (int k = 0; objective->metrics[k]; k++)
        if (!wanted || strcmp(wanted, objective->metrics[k]) == 0)
            return LS_SUM_METRICS + k;
    return -1;
}

static bool check_metric(const ls_trainer *t, const ls_objective *objective, int stage,
                         ls_error *error)
{
    char known[256] = "loss", where[256];
    if (judged_sum(t, objective) >= 0)
        return true;
    for (int k = 0; objective->metrics[k]; k++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, ", %s", objective->metrics[k]);
    }
    return ls_error_set(error, LS_USAGE, "%s: there is no metric '%s' in stage %d, which has: %s",
                        ls_job_where(t->job, "evaluate.metric", where, sizeof where),
                        t->job->evaluate.metric, stage + 1, known);
}

/* The rows to train and to judge on are there; and the most optimizer state that any stage needs.
 */
static bool check_and_count(ls_trainer *t, ls_error *error)
{
    const ls_dataset *data = t->session.data;
    ls_split_id judged = ls_split_find(t->job->evaluate.split);
    if (!ls_dataset_split(data, LS_TRAIN)->present)
        return ls_error_set(error, LS_DATA, "%s: there is no train/x to train on", t->job->data);
    if (judged == LS_SPLITS)
        return ls_error_set(error, LS_USAGE, "evaluate.split=%s: write train, valid or test",
                            t->job->evaluate.split);
    if (ls_dataset_split(data, judged)->present && t->session.task.has_y &&
        !ls_dataset_split(data, judged)->has_y)
        return ls_error_set(error, LS_DATA, "%s: %s/y is missing, evaluation needs it",
                            t->job->data, t->job->evaluate.split);
    if (!ls_dataset_split(data, judged)->present) {
        if (t->job->evaluate.stop_after > 0)
            return ls_error_set(error, LS_USAGE,
                                "evaluate.stop_after=%ld, but %s has no rows of %s to judge by",
                                t->job->evaluate.stop_after, t->job->data, t->job->evaluate.split);
        t->job->evaluate.every.unit = LS_EVERY_NEVER;
    }
    for (int stage = 0; stage < t->job->stages; stage++) {
        ls_objective *objective = ls_session_objective(&t->session, stage, 0, 0, error);
        bool ok = objective && check_metric(t, objective, stage, error);
        for (int p = 0; ok && p < objective->phases; p++) {
            ls_optimizer optimizer;
            ok = ls_session_optimizer(&t->session, stage, objective->phase[p].name, &optimizer,
                                      error);
            if (ok && optimizer.type->states > t->states)
                t->states = optimizer.type->states;
        }
        ls_objective_destroy(objective);
        if (!ok)
            return false;
    }
    return true;
}

/* The shards [*begin, *end) of a rank. A power of two of ranks takes the halves of the tree itself,
 * so that every rank's sum is a node of it (ls_tree_add). */
static void cut_shards(int shards, int rank, int ranks, int *begin, int *end)
{
    *begin = (int)((long)shards * rank / ranks);
    *end = (int)((long)shards * (rank + 1) / ranks);
    if (ranks & (ranks - 1))
        return;
    *begin = 0;
    *end = shards;
    for (int half = ranks / 2; half > 0; half /= 2) {
        int middle = *begin + (*end - *begin) / 2;
        *(rank & half ? begin : end) = middle;
    }
}

/* Shards of the run, and this rank's. */
static void divide_shards(ls_trainer *t)
{
    int ranks = ls_comm_size(t->comm), rank = ls_comm_rank(t->comm);
    if (t->state.shards < ranks) {
        if (t->state.step || t->job->shards)
            ls_report_line(
                t,
                "%d ranks are more than the run's %d shards: from here on there are %d, and the "
                "bits differ from a run of %d shards",
                ranks, t->state.shards, ranks, t->state.shards);
        t->state.shards = ranks;
    }
    cut_shards(t->state.shards, rank, ranks, &t->first_shard, &t->end_shard);
}

static bool take_memory(ls_trainer *t, ls_error *error)
{
    size_t reals = (size_t)t->session.params->size;
    bool ok = true;
    for (int k = 0; ok && k < t->states; k++) {
        t->memory[k] = ls_shared_create(t->comm, reals * sizeof(real), error);
        ok = t->memory[k] != NULL;
        t->optimizer_state[k] = ok ? ls_shared_data(t->memory[k]) : NULL;
    }
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    t->reduce = ls_reduce_create(t->comm, (long)reals, error);
    if (!t->reduce)
        return false;
    t->level[0] = ls_reduce_gradient(t->reduce);
    int most = (t->state.shards + ls_comm_size(t->comm) - 1) / ls_comm_size(t->comm);
    for (int level = 1; (1 << (level - 1)) < most; level++)
        t->level[level] = ls_alloc(reals, sizeof(real));
    return true;
}

/* Every rank has read the job and opened the data for itself. */
static bool check_same(ls_trainer *t, ls_error *error)
{
    char *text = ls_job_text(t->job);
    uint64_t data = ls_dataset_shape_digest(t->session.data);
    bool same_job = ls_comm_same(t->comm, text, strlen(text) + 1);
    bool same_data = ls_comm_same(t->comm, &data, sizeof data);
    ls_free(text);
    return (same_job && same_data) ||
           ls_error_set(error, LS_USAGE,
                        "the ranks read different %s: give paths that mean the same file on every "
                        "host",
                        same_job ? "data sets" : "jobs");
}

bool ls_trainer_open(ls_trainer *t, ls_comm *comm, ls_job *job, const ls_train_options *options,
                     ls_error *error)
{
    *t = (ls_trainer){.comm = comm, .job = job, .options = options, .start = ls_seconds()};
    if (!ls_session_open(&t->session, comm, job, error) || !check_same(t, error) ||
        !ls_comm_agree(comm, check_and_count(t, error), error))
        return false;
    t->state = (ls_snapshot){.shards = job->shards ? (int)job->shards : ls_comm_size(comm),
                             .best = NAN,
                             .params = t->session.params,
                             .data_digest = ls_dataset_shape_digest(t->session.data)};
    if (!ls_resume_find(t, error))
        return false;
    divide_shards(t);
    if (options->dry_run)
        return true;
    size_t reals = (size_t)t->session.params->size;
    ls_shared_make_room(comm, ls_session_bytes(&t->session) +
                                  reals * sizeof(real) * (size_t)t->states +
                                  ls_reduce_bytes((long)reals, ls_comm_node_size(comm)));
    if (!ls_session_commit(&t->session, error) || !take_memory(t, error))
        return false;
    return ls_resume_load(t, error);
}

void ls_trainer_close(ls_trainer *t)
{
    ls_trainer_close_stage(t);
    if (t->writer)
        ls_checkpoint_writer_close(t->writer, NULL); /* its last error was told by the wait */
    ls_rundir_close(t->run);
    ls_progress_close(t->progress);
    ls_free(t->state.job);
    if (t->reduce)
        ls_reduce_destroy(t->reduce);
    for (int level = 1; level < LS_TREE_LEVELS; level++)
        ls_free(t->level[level]);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        ls_shared_destroy(t->memory[k]);
    ls_session_close(&t->session);
}

static ls_feed *open_feed(const ls_trainer *t)
{
    const ls_job_stage *stage = &t->job->stage[t->state.stage];
    ls_feed_plan plan = {.split = LS_TRAIN,
                         .seed = (uint64_t)t->job->seed,
                         .stage = (uint32_t)t->state.stage,
                         .shuffle = true,
                         .batch = stage->batch,
                         .shards = t->state.shards,
                         .begin = t->first_shard,
                         .end = t->end_shard,
                         .first_step = t->state.stage_step,
                         .end_step = t->steps};
    return ls_feed_open(t->session.data, &plan);
}

bool ls_trainer_open_stage(ls_trainer *t, ls_error *error)
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
    objective->type->compile(objective, shard_rows, ls_objective_chunk(objective));
    t->state.arrays = 0;
    for (int p = 0; p < objective->phases; p++)
        for (int k = 0; k < t->optimizer[p].type->states; k++)
            t->state.array[t->state.arrays++] =
                (ls_snapshot_array){.name = t->optimizer[p].type->state_names[k],
                                    .slots = &objective->phase[p].slots,
                                    .array = t->optimizer_state[k]};
    t->epoch_sums = t->record_sums = (ls_sums){{0}};
    t->record_start = t->saved = t->evaluated = ls_seconds();
    t->record_rows = 0;
    return true;
}

/* Each stage's optimizer state starts at zero. */
static void clear_optimizer(ls_trainer *t)
{
    ls_comm_node_barrier(t->comm);
    for (int k = 0; k < t->states && ls_comm_node_rank(t->comm) == 0; k++)
        memset(t->optimizer_state[k], 0, (size_t)t->session.params->size * sizeof(real));
    ls_comm_node_barrier(t->comm);
}

/* A stage with the objective of the stage before it is judged by the same figure. */
static bool goes_on_judging(const ls_trainer *t)
{
    long stage = t->state.stage;
    return stage > 0 &&
           strcmp(t->job->stage[stage].objective, t->job->stage[stage - 1].objective) == 0;
}

void ls_trainer_start_stage(ls_trainer *t)
{
    if (t->state.stage_step == 0) {
        clear_optimizer(t);
        memset(t->state.updates, 0, sizeof t->state.updates);
        if (!goes_on_judging(t)) {
            t->state.best = NAN;
            t->state.best_step = 0;
        }
    }
    t->stage_start = ls_seconds();
    t->stage_first = t->state.stage_step;
    t->stage_rows = 0;
    t->feed = open_feed(t);
}

void ls_trainer_close_stage(ls_trainer *t)
{
    if (t->feed)
        ls_feed_close(t->feed);
    ls_objective_destroy(t->objective);
    t->feed = NULL;
    t->objective = NULL;
}

/* Gradient of shards [begin, end) into `level`, with their sums: [begin, middle) + [middle, end),
 * the order of ls_tree_add. */
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
                        .gradient = t->level[level]};
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
        ls_tree_add(to, from, 2, reals.end - reals.begin);
    }
    for (int k = 0; k < LS_SUMS; k++)
        sums->at[k] += other.at[k];
}

void ls_trainer_gradient(ls_trainer *t, int phase, const ls_batch *batch, double *tail)
{
    ls_sums sums = {{0}};
    memset(tail, 0, LS_TAIL * sizeof *tail);
    if (batch)
        tree_gradient(t, phase, batch, t->first_shard, t->end_shard, 0, &sums);
    else
        ls_objective_zero(t->objective, phase, t->level[0]);
    memcpy(tail, sums.at, sizeof sums.at);
    tail[LS_TAIL_FAILED] = batch == NULL;
}

void ls_trainer_update(ls_trainer *t, int phase, double weight, double norm2)
{
    const ls_optimizer *optimizer = &t->optimizer[phase];
    double factor =
        ls_schedule_factor(&t->schedule, t->state.stage_step, t->steps, (double)t->steps_per_epoch);
    ls_update update = {.rate = optimizer->rate * factor,
                        .scale = ls_optimizer_clip(optimizer, norm2 / (weight * weight)) / weight,
                        .mean = 1 / weight,
                        .decay = optimizer->decay,
                        .count = ++t->state.updates[phase]};
    ls_interval slice = ls_reduce_slice(t->reduce);
    ls_optimizer_update(optimizer, &update, t->session.params, &t->objective->phase[phase].slots,
                        slice.begin, slice.end, t->level[0], t->optimizer_state);
    t->rate = update.rate;
}

bool ls_trainer_save(ls_trainer *t, ls_error *error)
{
    t->saved = ls_seconds();
    bool ok = !t->writer || ls_checkpoint_write(t->writer, &t->state, false, error);
    return ls_comm_agree(t->comm, ok, error);
}

bool ls_trainer_patience_over(const ls_trainer *t)
{
    return t->job->evaluate.stop_after > 0 && t->state.stale >= t->job->evaluate.stop_after;
}

bool ls_trainer_evaluate(ls_trainer *t, bool *stop_early, ls_error *error)
{
    ls_evaluation evaluation;
    ls_split_id split = ls_split_find(t->job->evaluate.split);
    t->evaluation_start = ls_seconds();
    if (!ls_evaluate(t->comm, t->objective, t->session.data, split, false, &evaluation, error))
        return false;
    int judged = judged_sum(t, t->objective);
    bool larger = judged >= LS_SUM_METRICS, first = isnan(t->state.best), ok = true;
    double value = ls_sums_mean(&evaluation.sums, judged);
    if (isfinite(value) && (first || (larger ? value > t->state.best : value < t->state.best))) {
        t->state.best = value;
        t->state.best_step = t->state.step;
        t->state.stale = 0;
        ok = !t->writer || ls_checkpoint_write(t->writer, &t->state, true, error);
    } else {
        t->state.stale++;
    }
    t->evaluated = ls_seconds();
    *stop_early = ls_trainer_patience_over(t);
    ls_report_evaluation(t, &evaluation.sums);
    return ls_comm_agree(t->comm, ok, error);
}
