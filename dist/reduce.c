/* reduce: the sum of the ranks' gradients, in place.
 *
 * Who touches what, between the three barriers of a step on a node (A and B in ls_reduce_sum, C in
 * ls_reduce_end):
 *
 *   before A   rank r writes its array, and its tail onto the board
 *   A to B     rank r reads slice r of all arrays, writes slice r of its own; writes the norms of
 *              the blocks of slice r; rank 0 reads the tails and writes their sum
 *   B to C     all read the tails' sum and the norms; rank r reads slice r of its own array and
 *              updates slice r of the shared parameters
 *   after C    all read the parameters and write their own array: before the next A
 *
 * A: nobody reads an array that is still written. Slices do not overlap, so between A and B nobody
 * reads what another writes. B: sums are complete before they are read; the board is not written
 * again before the next A, which a rank reaches only after it has read. C: parameters are complete
 * before they are read. A step that stops after the sum leaves out C: the next A takes its place,
 * since parameters were not written. */
#include <mpi.h>

#include "dist/internal.h"

#include <limits.h>
#include <string.h>

#include "core/memory.h"

struct ls_reduce {
    ls_comm *comm;
    long reals, stride, blocks;
    ls_shared *arrays; /* real [node_size, stride] */
    ls_shared *board;  /* double [1 + node_size, LS_TAIL]: sum, tails; double [blocks]: norms */
    real **array;      /* [node_size] starts of the node's arrays */
    real **at;         /* [node_size] for one block */
    double *sum, *tails, *norms;
    ls_interval slice;
    real *buffer; /* for the exchange; NULL: one node */
};

static long minimum(long a, long b)
{
    return a < b ? a : b;
}

static long maximum(long a, long b)
{
    return a > b ? a : b;
}

static long count_blocks(long reals)
{
    return (reals + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN;
}

/* Arrays begin at whole blocks, so that ranks share no page. */
static size_t arrays_bytes(long reals, int node_size)
{
    return (size_t)count_blocks(reals) * LS_SLICE_ALIGN * sizeof(real) * (size_t)node_size;
}

static size_t board_bytes(long reals, int node_size)
{
    return ((size_t)(1 + node_size) * LS_TAIL + (size_t)count_blocks(reals)) * sizeof(double);
}

size_t ls_reduce_bytes(long reals, int node_size)
{
    return arrays_bytes(reals, node_size) + board_bytes(reals, node_size);
}

/* As many slices as the smallest node has ranks: ranks beyond have none. */
static ls_interval cut_slice(const ls_reduce *reduce)
{
    long slices = reduce->comm->smallest_node, r = minimum(reduce->comm->node_rank, slices);
    long begin = reduce->blocks * r / slices,
         end = reduce->blocks * minimum(r + 1, slices) / slices;
    return (ls_interval){minimum(begin * LS_SLICE_ALIGN, reduce->reals),
                         minimum(end * LS_SLICE_ALIGN, reduce->reals)};
}

ls_reduce *ls_reduce_create(ls_comm *comm, long reals, ls_error *error)
{
    int size = comm->node_size;
    ls_reduce *reduce = ls_alloc(1, sizeof *reduce);
    reduce->comm = comm;
    reduce->reals = reals;
    reduce->blocks = count_blocks(reals);
    reduce->stride = reduce->blocks * LS_SLICE_ALIGN;
    reduce->slice = cut_slice(reduce);
    reduce->array = ls_alloc((size_t)size, sizeof *reduce->array);
    reduce->at = ls_alloc((size_t)size, sizeof *reduce->at);
    if (comm->nodes > 1)
        reduce->buffer = ls_alloc(LS_EXCHANGE_DEPTH * LS_EXCHANGE_PIECE, sizeof *reduce->buffer);
    reduce->arrays = ls_shared_create(comm, arrays_bytes(reals, size), error);
    if (reduce->arrays) /* the same on all ranks of the node */
        reduce->board = ls_shared_create(comm, board_bytes(reals, size), error);
    if (!ls_comm_agree(comm, reduce->board, error)) {
        ls_reduce_destroy(reduce);
        return NULL;
    }
    for (int r = 0; r < size; r++)
        reduce->array[r] = (real *)ls_shared_data(reduce->arrays) + r * reduce->stride;
    reduce->sum = ls_shared_data(reduce->board);
    reduce->tails = reduce->sum + LS_TAIL;
    reduce->norms = reduce->tails + (long)size * LS_TAIL;
    return reduce;
}

void ls_reduce_destroy(ls_reduce *reduce)
{
    if (!reduce)
        return;
    ls_shared_destroy(reduce->board);
    ls_shared_destroy(reduce->arrays);
    ls_free(reduce->buffer);
    ls_free(reduce->at);
    ls_free(reduce->array);
    ls_free(reduce);
}

real *ls_reduce_gradient(ls_reduce *reduce)
{
    return reduce->array[reduce->comm->node_rank];
}

ls_interval ls_reduce_slice(const ls_reduce *reduce)
{
    return reduce->slice;
}

/* The parts that lie in this rank's slice. */
static ls_runs runs_in_slice(const ls_reduce *reduce, const ls_interval *parts, int count)
{
    ls_check(count <= LS_INTERVALS, "%d parts of a gradient to sum, at most %d are possible", count,
             LS_INTERVALS);
    ls_runs runs = {0};
    for (int i = 0; i < count; i++) {
        ls_interval part = {maximum(parts[i].begin, reduce->slice.begin),
                            minimum(parts[i].end, reduce->slice.end)};
        if (part.begin >= part.end)
            continue;
        runs.at[runs.count++] = part;
        runs.total += part.end - part.begin;
    }
    return runs;
}

/* Block by block, while it is in cache: the node's sum into this rank's own array where `add`, and
 * its sum of squares onto the board where `norms`. */
static void walk(ls_reduce *reduce, const ls_runs *runs, bool add, bool norms)
{
    int size = reduce->comm->node_size;
    real *own = ls_reduce_gradient(reduce);
    for (int i = 0; i < runs->count; i++) {
        long end = runs->at[i].end;
        for (long begin = runs->at[i].begin, next; begin < end; begin = next) {
            long block = begin / LS_SLICE_ALIGN;
            next = minimum((block + 1) * LS_SLICE_ALIGN, end);
            for (int r = 0; r < size && add; r++)
                reduce->at[r] = reduce->array[r] + begin;
            if (add)
                ls_tree_add(own + begin, reduce->at, size, next - begin);
            if (norms)
                reduce->norms[block] += ls_tree_norm2(own + begin, next - begin);
        }
    }
}

static void clear_norms(ls_reduce *reduce)
{
    long begin = reduce->slice.begin / LS_SLICE_ALIGN, end = count_blocks(reduce->slice.end);
    if (reduce->slice.begin < reduce->slice.end) /* an empty slice may begin inside a block */
        memset(reduce->norms + begin, 0, (size_t)(end - begin) * sizeof *reduce->norms);
}

static double add_norms(const ls_reduce *reduce)
{
    double sum = 0;
    for (long i = 0; i < reduce->blocks; i++)
        sum += reduce->norms[i];
    return sum;
}

void ls_reduce_sum(ls_reduce *reduce, const ls_interval *parts, int count, double *tail,
                   double *norm2)
{
    ls_comm *comm = reduce->comm;
    bool alone = comm->nodes == 1;
    ls_runs runs = runs_in_slice(reduce, parts, count);
    memcpy(reduce->tails + (long)comm->node_rank * LS_TAIL, tail, LS_TAIL * sizeof *tail);
    ls_comm_node_barrier(comm); /* A */
    clear_norms(reduce);
    walk(reduce, &runs, true, alone);
    if (!alone && comm->node_rank < comm->smallest_node) {
        ls_exchange_sum(comm, ls_reduce_gradient(reduce), &runs, reduce->buffer);
        walk(reduce, &runs, false, true);
    }
    if (comm->node_rank == 0) {
        ls_tree_add_tails(reduce->sum, reduce->tails, comm->node_size);
        if (!alone)
            ls_exchange_tail(comm, reduce->sum);
    }
    ls_comm_node_barrier(comm); /* B */
    memcpy(tail, reduce->sum, LS_TAIL * sizeof *tail);
    *norm2 = add_norms(reduce);
}

void ls_reduce_end(ls_reduce *reduce)
{
    ls_comm_node_barrier(reduce->comm); /* C */
}

void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count)
{
    enum { PIECE = 1 << 28 };
    for (long at = 0; at < count; at += PIECE)
        ls_mpi(MPI_Allreduce(values + at, sum + at, (int)minimum(count - at, PIECE),
                             sizeof(real) == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM,
                             comm->world));
}
