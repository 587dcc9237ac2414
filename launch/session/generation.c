/* generation: what is computed of a chunk: rows made from nothing, or rows and their
 * reconstructions. */
#include "launch/session/generation.h"

#include <string.h>

#include "core/minmax.h"
#include "launch/session/chunks.h"

typedef struct maker {
    const ls_generation_plan *plan;
    const ls_generation *what;
    long width; /* numbers of a row of x */
} maker;

ls_split_id ls_generation_split(const ls_job *job, const ls_dataset *data)
{
    const ls_split_id split = ls_split_find(job->evaluate.split);
    return ls_dataset_split(data, split)->present ? split : LS_TRAIN;
}

long ls_generation_chunk(const ls_objective *objective, long rows)
{
    enum { RESULT_BYTES = 4 << 20 }; /* that a rank sends to rank 0 */
    size_t row = 2 * (size_t)ls_shape_count(&objective->task.x) * sizeof(real);
    long most = ls_max(1, (long)(RESULT_BYTES / row));
    return ls_min(ls_min(ls_objective_chunk(objective), most), rows);
}

static void make_chunk(void *context, const ls_batch *batch, long chunk, real *results)
{
    const maker *m = context;
    ls_objective *objective = m->plan->objective;
    const ls_pass pass = {.seed = m->plan->seed, .row = batch->first};
    objective->type->generate(objective, &pass, m->what, batch->rows, results);
    ls_dataset_untransform(m->plan->data, batch->rows, results);
}

static void rebuild_chunk(void *context, const ls_batch *batch, long chunk, real *results)
{
    const maker *m = context;
    ls_objective *objective = m->plan->objective;
    const ls_pass pass = {.seed = m->plan->seed, .row = batch->first};
    const real *y = objective->type->evaluate(objective, batch, &pass, NULL);
    const size_t bytes = (size_t)m->width * sizeof *results;
    for (long r = 0; r < batch->rows; r++)
        memcpy(results + 2 * r * m->width, batch->x + r * m->width, bytes);
    ls_loss_values(objective->meaning, batch->rows, m->width, y, 2 * m->width, results + m->width);
    ls_dataset_untransform(m->plan->data, 2 * batch->rows, results);
}

static bool collect(void *context, long rows, const real *x, ls_error *error)
{
    const ls_generation_plan *plan = ((maker *)context)->plan;
    return plan->collect(plan->context, rows, x, error);
}

bool ls_generation_run(const ls_generation_plan *plan, const ls_generation *what, ls_error *error)
{
    maker m = {.plan = plan, .what = what, .width = ls_shape_count(&plan->objective->task.x)};
    const ls_chunks chunks = {.rows = what->rows,
                              .size = ls_generation_chunk(plan->objective, what->rows),
                              .context = &m,
                              .apply = make_chunk,
                              .width = m.width,
                              .collect = collect};
    return ls_chunks_run(&chunks, plan->comm, error);
}

bool ls_generation_rebuild(const ls_generation_plan *plan, ls_dataset *data, ls_split_id split,
                           long rows, ls_error *error)
{
    maker m = {.plan = plan, .width = ls_shape_count(&plan->objective->task.x)};
    const ls_chunks chunks = {.data = data,
                              .split = split,
                              .rows = rows,
                              .size = ls_generation_chunk(plan->objective, rows),
                              .context = &m,
                              .apply = rebuild_chunk,
                              .width = 2 * m.width,
                              .collect = collect};
    return ls_chunks_run(&chunks, plan->comm, error);
}
