/* chunks: rank r takes chunks r, r + ranks, r + 2 ranks, ...; a round is one chunk on each rank. */
#include "launch/session/chunks.h"

#include "core/memory.h"
#include "io/lengths.h"

/* A rank's memory for one chunk. */
typedef struct buffers {
    real *x, *y, *results;
    int64_t *row;
    int32_t *length; /* of these rows; NULL: the split has none */
    real *all; /* on rank 0, for `collect`: the results of a round, [ranks, size, width]; or NULL */
} buffers;

static long all_rows(const ls_chunks *c)
{
    return c->rows ? c->rows : ls_dataset_split(c->data, c->split)->x.rows;
}

long ls_chunks_count(const ls_chunks *c)
{
    return (all_rows(c) + c->size - 1) / c->size;
}

static long rows_of(const ls_chunks *c, long chunk)
{
    long left = all_rows(c) - chunk * c->size;
    return left < c->size ? left : c->size;
}

/* Reads the rows of the batch, and says what they are. Where each has a length and no results of
 * its own, the longest come first, as in training (io/loader.h). */
static bool read_rows(const ls_chunks *c, const buffers *b, ls_batch *batch, ls_error *error)
{
    const ls_split *split = ls_dataset_split(c->data, c->split);
    if (b->length && !c->collect)
        ls_lengths_sort(split->length, batch->rows, b->row, NULL);
    for (long i = 0; b->length && i < batch->rows; i++)
        b->length[i] = split->length[b->row[i]];
    real *y = c->targets && split->has_y ? b->y : NULL;
    batch->x_shape = split->row;
    batch->x = b->x;
    batch->y_shape = split->y.shape;
    batch->y = y;
    batch->length = b->length;
    return ls_dataset_read(c->data, c->split, b->row, batch->rows, NULL, b->x, y, error);
}

static bool apply_chunk(const ls_chunks *c, const buffers *b, long chunk, ls_board *board,
                        ls_error *error)
{
    const ls_activity before = ls_board_turn(board, LS_ACTIVITY_READING);
    ls_batch batch = {
        .rows = rows_of(c, chunk), .first = chunk * c->size, .total = all_rows(c), .row = b->row};
    for (long i = 0; i < batch.rows; i++)
        b->row[i] = batch.first + i;
    if (c->data && !read_rows(c, b, &batch, error))
        return false;
    ls_board_turn(board, before);
    c->apply(c->context, &batch, chunk, b->results);
    return true;
}

/* **Collective.** */
static bool run_rounds(const ls_chunks *c, const buffers *b, ls_comm *comm, ls_error *error)
{
    bool ok = true;
    long count = ls_chunks_count(c);
    size_t reals = (size_t)(c->size * c->width);
    for (long first = 0; first < count; first += comm->size) {
        long mine = first + comm->rank;
        ok = ok && (mine >= count || apply_chunk(c, b, mine, comm->board, error));
        if (c->collect && (ok = ls_comm_agree(comm, ok, error)))
            ls_comm_gather(comm, b->results, reals * sizeof(real), b->all);
        for (int r = 0; b->all && ok && r < comm->size && first + r < count; r++)
            ok = c->collect(c->context, rows_of(c, first + r), b->all + (size_t)r * reals, error);
    }
    return ls_comm_agree(comm, ok, error);
}

bool ls_chunks_run(const ls_chunks *c, ls_comm *comm, ls_error *error)
{
    const ls_split *split = c->data ? ls_dataset_split(c->data, c->split) : NULL;
    bool collects = c->collect && comm->rank == 0;
    size_t rows = (size_t)c->size, results = rows * (size_t)c->width;
    buffers b = {
        .x = split ? ls_alloc(rows * (size_t)ls_shape_count(&split->row), sizeof(real)) : NULL,
        .y = split ? ls_alloc(rows * (size_t)ls_shape_count(&split->y.shape), sizeof(real)) : NULL,
        .results = ls_alloc(results, sizeof(real)),
        .row = ls_alloc(rows, sizeof(int64_t)),
        .length = split && split->length ? ls_alloc(rows, sizeof(int32_t)) : NULL,
        .all = collects ? ls_alloc((size_t)comm->size * results, sizeof(real)) : NULL,
    };
    bool ok = run_rounds(c, &b, comm, error);
    ls_free(b.all);
    ls_free(b.length);
    ls_free(b.row);
    ls_free(b.results);
    ls_free(b.y);
    ls_free(b.x);
    return ok;
}
