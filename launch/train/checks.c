/* checks: what must hold between a job and its data before a run starts. */
#include "launch/train/checks.h"

#include "core/memory.h"
#include "core/minmax.h"
#include "launch/session/chunks.h"
#include "launch/train/judge.h"
#include "launch/train/states.h"

static bool check_metric(const ls_session *s, int stage, ls_error *error)
{
    char known[256] = "loss", place[256];
    const ls_objective *objective = s->stage[stage].objective;
    if (ls_judge_sum(s->job, objective) >= 0)
        return true;
    for (int k = 0; objective->metrics[k]; k++)
        ls_format_join(known, sizeof known, objective->metrics[k]);
    return ls_error_set(error, LS_USAGE, "%s: there is no metric '%s' in stage %d, which has: %s",
                        ls_job_where(s->job, "evaluate.metric", place, sizeof place),
                        s->job->evaluate.metric, stage + 1, known);
}

static bool check_average(const ls_session *s, int stage, ls_error *error)
{
    char place[256];
    return !s->job->evaluate.average || ls_states_kept(&s->stage[stage], LS_OPTIMIZER_AVERAGE) ||
           ls_error_set(error, LS_USAGE,
                        "%s: there is no average to evaluate in stage %d: give its optimizer "
                        "ema=0.999 (the share that an update keeps), or leave evaluate.average out",
                        ls_job_where(s->job, "evaluate.average", place, sizeof place), stage + 1);
}

static bool check_rows(const ls_session *s, ls_error *error)
{
    const char *data = ls_dataset_path(s->data), *split = s->job->evaluate.split;
    ls_split_id id = ls_split_find(split);
    if (!ls_dataset_split(s->data, LS_TRAIN)->present)
        return ls_error_set(error, LS_DATA, "%s: there is no train/x to train on", data);
    if (id == LS_SPLITS)
        return ls_error_set(error, LS_USAGE, "evaluate.split=%s: write train, valid or test",
                            split);
    const ls_split *judged = ls_dataset_split(s->data, id);
    if (judged->present && s->task.has_y && !judged->has_y)
        return ls_error_set(error, LS_DATA, "%s: %s/y is missing, evaluation needs it", data,
                            split);
    return judged->present || s->job->evaluate.stop_after == 0 ||
           ls_error_set(error, LS_USAGE,
                        "evaluate.stop_after=%ld, but %s has no rows of %s to judge by: import "
                        "them (--valid N), or give evaluate.stop_after=0",
                        s->job->evaluate.stop_after, data, split);
}

bool ls_checks_pass(const ls_session *s, ls_error *error)
{
    bool ok = check_rows(s, error);
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = check_metric(s, i, error) && check_average(s, i, error);
    return ok;
}

/* Reading has checked the rows. */
static void accept_rows(void *context, const ls_batch *batch, long chunk, real *results)
{
}

bool ls_checks_judged_rows(const ls_session *s, ls_error *error)
{
    enum { ROWS = 4096, BYTES = 4 << 20 };
    ls_split_id id = ls_split_find(s->job->evaluate.split);
    const ls_split *split = ls_dataset_split(s->data, id);
    long most = BYTES / (long)sizeof(real) / ls_shape_count(&split->row);
    const ls_chunks chunks = {.data = s->data,
                              .split = id,
                              .size = ls_max(1, ls_min(ROWS, most)),
                              .targets = true,
                              .apply = accept_rows};
    return ls_chunks_run(&chunks, s->comm, error);
}

const ls_layer *ls_checks_synchronous(const ls_session *s)
{
    for (int n = 0; n < s->task.nets; n++)
        for (int i = 0; i < s->net[n]->count; i++)
            if (s->net[n]->layers[i]->sums)
                return s->net[n]->layers[i];
    return NULL;
}

bool ls_checks_shards(const ls_session *s, int shards, ls_error *error)
{
    const ls_layer *layer = ls_checks_synchronous(s);
    int ranks = s->comm->size;
    return !layer || shards == ranks ||
           ls_error_set(error, LS_USAGE,
                        "%s/%s: statistics over all ranks (sync=1) need one shard a rank, but the "
                        "run has %d shards on %d rank%s: give shards=%d%s",
                        layer->net, layer->name, shards, ranks, ranks > 1 ? "s" : "", ranks,
                        s->job->accumulate > 1 ? " in place of accumulate" : "");
}
