/* trainer: sets a training run up: checks, shards, memory, where it stands. */
#include "launch/train/trainer.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "launch/job/job_json.h"

static bool check_metric(const ls_trainer *t, const ls_objective *objective, int stage,
                         ls_error *error)
{
    char known[256] = "loss", where[256];
    if (ls_stage_judged_sum(t->job, objective) >= 0)
        return true;
    for (int k = 0; objective->metrics[k]; k++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, ", %s", objective->metrics[k]);
    }
    return ls_error_set(error, LS_USAGE, "%s: there is no metric '%s' in stage %d, which has: %s",
                        ls_job_where(t->job, "evaluate.metric", where, sizeof where),
                        t->job->evaluate.metric, stage + 1, known);
}

/* The optimizers of a stage; what state they keep. */
static bool check_optimizers(ls_trainer *t, const ls_objective *objective, int stage,
                             ls_error *error)
{
    bool averages = false;
    char where[256];
    for (int p = 0; p < objective->phases; p++) {
        ls_optimizer optimizer;
        if (!ls_session_optimizer(&t->session, stage, objective->phase[p].name, &optimizer, error))
            return false;
        for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
            t->keeps[k] = t->keeps[k] || ls_optimizer_state_name(&optimizer, k);
        averages = averages || ls_optimizer_state_name(&optimizer, LS_OPTIMIZER_AVERAGE);
    }
    return averages || !t->job->evaluate.average ||
           ls_error_set(error, LS_USAGE,
                        "%s: there is no average to evaluate in stage %d: give its optimizer "
                        "ema=0.999 (the share that an update keeps), or leave evaluate.average out",
                        ls_job_where(t->job, "evaluate.average", where, sizeof where), stage + 1);
}

/* The rows to train and to judge on are there; and what optimizer state any stage needs. */
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
            return ls_error_set(
                error, LS_USAGE,
                "evaluate.stop_after=%ld, but %s has no rows of %s to judge by: import them "
                "(--valid N), or give evaluate.stop_after=0",
                t->job->evaluate.stop_after, t->job->data, t->job->evaluate.split);
        t->job->evaluate.every.unit = LS_EVERY_NEVER;
    }
    for (int stage = 0; stage < t->job->stages; stage++) {
        ls_objective *objective = ls_session_objective(&t->session, stage, 0, 0, error);
        bool ok = objective && check_metric(t, objective, stage, error) &&
                  check_optimizers(t, objective, stage, error);
        ls_objective_destroy(objective);
        if (!ok)
            return false;
    }
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        t->states += t->keeps[k];
    return true;
}

/* The shards [*begin, *end) of a rank. A power of two of ranks takes the halves of the tree itself,
 * so that every rank's sum is a node of it (ls_sum_order_add). */
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

/* Layers that sum over the ranks within a pass see the whole batch at once only where each rank has
 * one shard of it. */
static bool check_sums(ls_trainer *t, ls_error *error)
{
    int ranks = ls_comm_size(t->comm);
    for (int n = 0; n < t->session.task.nets; n++)
        for (int i = 0; i < t->session.net[n]->count; i++) {
            const ls_layer *layer = t->session.net[n]->layers[i];
            t->sums = t->sums || layer->sums;
            if (layer->sums && t->state.shards != ranks)
                return ls_error_set(
                    error, LS_USAGE,
                    "%s/%s: statistics over all ranks (sync=1) need one shard a rank, but the run "
                    "has %d shards on %d rank%s: give shards=%d%s",
                    layer->net, layer->name, t->state.shards, ranks, ranks > 1 ? "s" : "", ranks,
                    t->job->accumulate > 1 ? " in place of accumulate" : "");
        }
    return true;
}

static bool take_memory(ls_trainer *t, ls_error *error)
{
    size_t reals = (size_t)t->session.params->size;
    bool ok = true;
    for (int k = 0; ok && k < LS_OPTIMIZER_STATES; k++) {
        t->memory[k] = t->keeps[k] ? ls_shared_create(t->comm, reals * sizeof(real), error) : NULL;
        ok = t->memory[k] || !t->keeps[k];
    }
    if (!ls_comm_agree(t->comm, ok, error))
        return false;
    t->gradient2 = ls_alloc((size_t)t->session.params->count, sizeof *t->gradient2);
    t->value2 = ls_alloc((size_t)t->session.params->count, sizeof *t->value2);
    t->reduce = ls_reduce_create(t->comm, t->session.params, error);
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
    *t = (ls_trainer){.comm = comm, .job = job, .options = options, .start = ls_clock_now()};
    if (!ls_session_open(&t->session, comm, job, true, error) || !check_same(t, error) ||
        !ls_comm_agree(comm, check_and_count(t, error), error))
        return false;
    ls_session_set_threads(&t->session, options->threads);
    int shards = ls_comm_size(comm) * (job->accumulate ? (int)job->accumulate : 1);
    t->state = (ls_position){.shards = job->shards ? (int)job->shards : shards,
                             .best = NAN,
                             .data_digest = ls_dataset_shape_digest(t->session.data)};
    if (!ls_resume_find(t, error))
        return false;
    divide_shards(t);
    if (!check_sums(t, error)) /* the same on all ranks */
        return false;
    if (options->dry_run)
        return true;
    size_t reals = (size_t)t->session.params->size;
    ls_shared_make_room(comm, ls_session_bytes(&t->session) +
                                  reals * sizeof(real) * (size_t)t->states +
                                  ls_reduce_bytes(t->session.params, ls_comm_node_size(comm)));
    if (!ls_session_commit(&t->session, error) || !take_memory(t, error))
        return false;
    return ls_resume_load(t, error);
}

void ls_trainer_close(ls_trainer *t)
{
    ls_stage_close(t);
    if (t->writer)
        ls_checkpoint_writer_close(t->writer, NULL); /* its last error was told by the wait */
    ls_rundir_close(t->run);
    ls_progress_close(t->progress);
    ls_checkpoint_close(t->checkpoint);
    ls_free(t->resumed);
    ls_free(t->job_text);
    if (t->reduce)
        ls_reduce_destroy(t->reduce);
    for (int level = 1; level < LS_SUM_ORDER_LEVELS; level++)
        ls_free(t->level[level]);
    ls_free(t->gradient2);
    ls_free(t->value2);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        ls_shared_destroy(t->memory[k]);
    ls_session_close(&t->session);
}
