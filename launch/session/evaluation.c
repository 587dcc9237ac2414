/* evaluation: the chunks' sums are added in their order, in double. */
#include "launch/session/evaluation.h"

#include "core/loss.h"
#include "core/memory.h"
#include "launch/session/chunks.h"

double ls_sums_mean(const ls_sums *sums, int k)
{
    return sums->at[k] / sums->at[LS_SUM_WEIGHT];
}

typedef struct work {
    ls_objective *objective;
    ls_evaluation *evaluation;
    ls_sums *sums; /* of each chunk */
} work;

static void apply(void *context, const ls_batch *batch, long chunk, real *results)
{
    (void)results;
    work *w = context;
    ls_evaluation *e = w->evaluation;
    const ls_pass pass = {.row = batch->first};
    long width;
    const real *y =
        w->objective->type->evaluate(w->objective, batch, &pass, &w->sums[chunk], &width);
    for (long r = 0; e->confusion && r < batch->rows; r++) {
        long label = (long)batch->y[r];
        long prediction = ls_loss_predict(y + r * width, width, w->objective->meaning->threshold);
        e->confusion[label * e->classes + prediction]++;
    }
}

static void make_confusion(ls_evaluation *e, const ls_objective *objective)
{
    long width = ls_shape_count(&objective->answers->y);
    e->classes = width > 1 ? width : 2;
    e->confusion = ls_alloc((size_t)(e->classes * e->classes), sizeof(long));
}

/* **Collective.** One rank only holds the sums of a chunk. */
static void add_up(ls_comm *comm, ls_sums *sums, long count, ls_evaluation *e)
{
    ls_comm_sum(comm, sums[0].at, count * LS_SUMS);
    for (long i = 0; i < count; i++)
        for (int k = 0; k < LS_SUMS; k++)
            e->sums.at[k] += sums[i].at[k];
    if (e->confusion)
        ls_comm_sum_long(comm, e->confusion, e->classes * e->classes);
}

bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id split_id,
                 bool confusion, ls_evaluation *evaluation, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, split_id);
    *evaluation = (ls_evaluation){.rows = split->x.rows};
    if (!split->present || (objective->task.has_y && !split->has_y))
        return ls_error_set(error, LS_DATA, "%s: %s/%s is missing", ls_dataset_path(data),
                            split->name, split->present ? "y" : "x");
    if (confusion)
        make_confusion(evaluation, objective);
    work w = {.objective = objective, .evaluation = evaluation};
    const ls_chunks chunks = {.data = data,
                              .split = split_id,
                              .size = ls_objective_chunk(objective),
                              .targets = true,
                              .context = &w,
                              .apply = apply};
    long count = ls_chunks_count(&chunks);
    w.sums = ls_alloc((size_t)count, sizeof *w.sums);
    bool ok = ls_chunks_run(&chunks, comm, error);
    if (ok)
        add_up(comm, w.sums, count, evaluation);
    ls_free(w.sums);
    return ok;
}

void ls_evaluation_release(ls_evaluation *evaluation)
{
    ls_free(evaluation->confusion);
    evaluation->confusion = NULL;
}
