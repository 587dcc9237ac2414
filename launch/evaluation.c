/* evaluation: chunk c of the split's rows belongs to rank c modulo the ranks; the chunks' sums are
 * added in their order, in double. */
#include "launch/evaluation.h"

#include "core/loss.h"
#include "core/memory.h"

double ls_sums_mean(const ls_sums *sums, int k)
{
    return sums->at[k] / sums->at[LS_SUM_WEIGHT];
}

typedef struct chunks {
    ls_dataset *data;
    ls_split_id split;
    long size; /* rows of a chunk */
    real *x, *y;
    int64_t *row;
} chunks;

static bool read_chunk(const chunks *c, const ls_split *split, long index, ls_batch *batch,
                       ls_error *error)
{
    long first = index * c->size;
    long rows = split->x.rows - first < c->size ? split->x.rows - first : c->size;
    for (long i = 0; i < rows; i++)
        c->row[i] = first + i;
    *batch = (ls_batch){.rows = rows,
                        .first = first,
                        .total = split->x.rows,
                        .x_shape = split->x.shape,
                        .x = c->x,
                        .y_shape = split->y.shape,
                        .y = split->has_y ? c->y : NULL,
                        .row = c->row};
    return ls_dataset_read(c->data, c->split, c->row, rows, c->x, split->has_y ? c->y : NULL,
                           error);
}

/* Fills this rank's chunks of sums[count]. */
static bool run_chunks(const chunks *c, ls_comm *comm, ls_objective *objective, ls_sums *sums,
                       long count, ls_evaluation *evaluation, ls_error *error)
{
    const ls_split *split = ls_dataset_split(c->data, c->split);
    for (long i = ls_comm_rank(comm); i < count; i += ls_comm_size(comm)) {
        ls_batch batch;
        ls_pass pass = {.row = i * c->size};
        long width;
        if (!read_chunk(c, split, i, &batch, error))
            return false;
        const real *y = objective->type->evaluate(objective, &batch, &pass, &sums[i], &width);
        for (long r = 0; evaluation->confusion && r < batch.rows; r++) {
            long label = (long)batch.y[r];
            long prediction = ls_loss_predict(y + r * width, width, objective->threshold);
            evaluation->confusion[label * evaluation->classes + prediction]++;
        }
    }
    return true;
}

bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id split_id,
                 bool confusion, ls_evaluation *evaluation, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, split_id);
    if (!split->present || (objective->task.has_y && !split->has_y))
        return ls_error_set(error, LS_DATA, "%s: %s/%s is missing", ls_dataset_path(data),
                            split->name, split->present ? "y" : "x");
    chunks c = {.data = data, .split = split_id, .size = ls_objective_chunk(objective)};
    long count = (split->x.rows + c.size - 1) / c.size;
    c.x = ls_alloc((size_t)(c.size * ls_shape_count(&split->x.shape)), sizeof *c.x);
    c.y = ls_alloc((size_t)(c.size * ls_shape_count(&split->y.shape)), sizeof *c.y);
    c.row = ls_alloc((size_t)c.size, sizeof *c.row);
    ls_sums *sums = ls_alloc((size_t)count, sizeof *sums);

    *evaluation = (ls_evaluation){.rows = split->x.rows};
    if (confusion) {
        long width = ls_shape_count(&objective->task.net[0]->y);
        evaluation->classes = width > 1 ? width : 2;
        evaluation->confusion =
            ls_alloc((size_t)(evaluation->classes * evaluation->classes), sizeof(long));
    }
    bool ok = run_chunks(&c, comm, objective, sums, count, evaluation, error);
    ok = ls_comm_agree(comm, ok, error);
    if (ok) {
        ls_comm_sum(comm, sums[0].at, count * LS_SUMS); /* one rank only holds each chunk */
        for (long i = 0; i < count; i++)
            for (int k = 0; k < LS_SUMS; k++)
                evaluation->sums.at[k] += sums[i].at[k];
        if (confusion)
            ls_comm_sum_long(comm, evaluation->confusion,
                             evaluation->classes * evaluation->classes);
    }
    ls_free(sums);
    ls_free(c.row);
    ls_free(c.y);
    ls_free(c.x);
    return ok;
}

void ls_evaluation_release(ls_evaluation *evaluation)
{
    ls_free(evaluation->confusion);
    evaluation->confusion = NULL;
}
