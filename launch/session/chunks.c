/* chunks: chunk c belongs to rank c modulo the ranks; a round is one chunk on each rank. */
#include "launch/session/chunks.h"

#include "core/memory.h"

/* What a rank holds of one chunk. */
typedef struct place {
    real *x, *y, *results;
    int64_t *row;
    real *all; /* rank 0: a round's results, [ranks, size, width] */
} place;

static const ls_split *split_of(const ls_chunks *c)
{
    return ls_dataset_split(c->data, c->split);
}

long ls_chunks_count(const ls_chunks *c)
{
    return (split_of(c)->x.rows + c->size - 1) / c->size;
}

static long rows_of(const ls_chunks *c, long chunk)
{
    long left = split_of(c)->x.rows - chunk * c->size;
    return left < c->size ? left : c->size;
}

static bool work(const ls_chunks *c, const place *at, long chunk, ls_error *error)
{
    const ls_split *split = split_of(c);
    real *y = c->targets && split->has_y ? at->y : NULL;
    long rows = rows_of(c, chunk);
    for (long i = 0; i < rows; i++)
        at->row[i] = chunk * c->size + i;
    if (!ls_dataset_read(c->data, c->split, at->row, rows, NULL, at->x, y, error))
        return false;
    const ls_batch batch = {.rows = rows,
                            .first = chunk * c->size,
                            .total = split->x.rows,
                            .x_shape = split->row,
                            .x = at->x,
                            .y_shape = split->y.shape,
                            .y = y,
                            .row = at->row};
    c->apply(c->context, &batch, chunk, at->results);
    return true;
}

/* **Collective.** The round's chunks to rank 0, and there to `take`, one after the other. */
static bool deliver(const ls_chunks *c, const place *at, ls_comm *comm, long first, ls_error *error)
{
    size_t reals = (size_t)(c->size * c->width);
    bool ok = true;
    ls_comm_gather(comm, at->results, reals * sizeof(real), at->all);
    for (int r = 0; at->all && ok && r < ls_comm_size(comm) && first + r < ls_chunks_count(c); r++)
        ok = c->take(c->context, rows_of(c, first + r), at->all + (size_t)r * reals, error);
    return ok;
}

static bool run_rounds(const ls_chunks *c, const place *at, ls_comm *comm, ls_error *error)
{
    bool ok = true;
    long count = ls_chunks_count(c);
    for (long first = 0; first < count; first += ls_comm_size(comm)) {
        long mine = first + ls_comm_rank(comm);
        ok = ok && (mine >= count || work(c, at, mine, error));
        if (!c->take)
            continue;
        ok = ls_comm_agree(comm, ok, error);
        if (!ok)
            break;
        ok = deliver(c, at, comm, first, error);
    }
    return ls_comm_agree(comm, ok, error);
}

bool ls_chunks_run(const ls_chunks *c, ls_comm *comm, ls_error *error)
{
    const ls_split *split = split_of(c);
    bool collects = c->take && ls_comm_rank(comm) == 0;
    size_t results = (size_t)(c->size * c->width);
    place at = {
        .x = ls_alloc((size_t)(c->size * ls_shape_count(&split->row)), sizeof(real)),
        .y = ls_alloc((size_t)(c->size * ls_shape_count(&split->y.shape)), sizeof(real)),
        .results = ls_alloc(results, sizeof(real)),
        .row = ls_alloc((size_t)c->size, sizeof(int64_t)),
        .all = collects ? ls_alloc((size_t)ls_comm_size(comm) * results, sizeof(real)) : NULL,
    };
    bool ok = run_rounds(c, &at, comm, error);
    ls_free(at.all);
    ls_free(at.row);
    ls_free(at.results);
    ls_free(at.y);
    ls_free(at.x);
    return ok;
}
