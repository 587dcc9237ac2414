/* reduce: the sum of the ranks' gradients, in place.
 *
 * Who touches what, between the three barriers of a step on a node (A and B in ls_reduce_sum, C in
 * ls_reduce_end):
 *
 *   before A   rank r writes its array, and its tail onto the board
 *   A to B     rank r reads slice r of all arrays, writes slice r of its own; writes the squares of
 *              the pieces of slice r; rank 0 reads the tails and writes their sum
 *   B to C     all read the tails' sum and the squares; rank r reads slice r of its own array and
 *              updates slice r of the shared parameters
 *   after C    all read the parameters and write their own array: before the next A
 *
 * A: nobody reads an array that is still written. Slices do not overlap, so between A and B nobody
 * reads what another writes. B: sums are complete before they are read; the board is not written
 * again before the next A, which a rank reaches only after it has read. C: parameters are complete
 * before they are read. A step that stops after the sum leaves out C: the next A takes its place,
 * since parameters were not written.
 *
 * ls_reduce_norms, between B and C, has two barriers of its own: one after which nobody reads the
 * squares of before, one after which all squares are written. */
#include <mpi.h>

#include "dist/internal.h"

#include <limits.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

struct ls_reduce {
    ls_comm *comm;
    const ls_params *params;
    long stride, blocks;
    ls_shared *arrays; /* real [node_size, stride] */
    ls_shared *board;  /* double [1 + node_size, LS_TAIL]: sum, tails; double [room]: squares */
    real **array;      /* [node_size] starts of the node's arrays */
    real **at;         /* [node_size] for one block */
    double *sum, *tails, *pieces;
    ls_interval slice;
    real *buffer; /* for the exchange; NULL: one node */
};

static long count_blocks(long reals)
{
    return (reals + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN;
}

/* Arrays begin at whole blocks, so that ranks share no page. */
static size_t arrays_bytes(long reals, int node_size)
{
    return (size_t)count_blocks(reals) * LS_SLICE_ALIGN * sizeof(real) * (size_t)node_size;
}

static size_t board_bytes(const ls_params *params, int node_size)
{
    return (size_t)((1 + node_size) * LS_TAIL + ls_squares_room(params)) * sizeof(double);
}

size_t ls_reduce_bytes(const ls_params *params, int node_size)
{
    return arrays_bytes(params->size, node_size) + board_bytes(params, node_size);
}

size_t ls_reduce_own_bytes(const ls_comm *comm)
{
    return comm->nodes > 1 ? LS_EXCHANGE_DEPTH * LS_EXCHANGE_PIECE * sizeof(real) : 0;
}

/* As many slices as the smallest node has ranks: ranks beyond have none. */
static ls_interval cut_slice(const ls_reduce *reduce)
{
    long slices = reduce->comm->smallest_node, r = ls_min(reduce->comm->node_rank, slices);
    long begin = reduce->blocks * r / slices, end = reduce->blocks * ls_min(r + 1, slices) / slices;
    return (ls_interval){ls_min(begin * LS_SLICE_ALIGN, reduce->params->size),
                         ls_min(end * LS_SLICE_ALIGN, reduce->params->size)};
}

ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error)
{
    int size = comm->node_size;
    ls_reduce *reduce = ls_alloc(1, sizeof *reduce);
    reduce->comm = comm;
    reduce->params = params;
    reduce->blocks = count_blocks(params->size);
    reduce->stride = reduce->blocks * LS_SLICE_ALIGN;
    reduce->slice = cut_slice(reduce);
    reduce->array = ls_alloc((size_t)size, sizeof *reduce->array);
    reduce->at = ls_alloc((size_t)size, sizeof *reduce->at);
    if (comm->nodes > 1)
        reduce->buffer = ls_alloc(LS_EXCHANGE_DEPTH * LS_EXCHANGE_PIECE, sizeof *reduce->buffer);
    reduce->arrays = ls_shared_create(comm, arrays_bytes(params->size, size), error);
    if (reduce->arrays) /* the same on all ranks of the node */
        reduce->board = ls_shared_create(comm, board_bytes(params, size), error);
    if (!ls_comm_agree(comm, reduce->board, error)) {
        ls_reduce_destroy(reduce);
        return NULL;
    }
    for (int r = 0; r < size; r++)
        reduce->array[r] = (real *)ls_shared_data(reduce->arrays) + r * reduce->stride;
    reduce->sum = ls_shared_data(reduce->board);
    reduce->tails = reduce->sum + LS_TAIL;
    reduce->pieces = reduce->tails + (long)size * LS_TAIL;
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

/* What the slots have in this rank's slice. */
static ls_intervals runs_in_slice(const ls_reduce *reduce, const ls_slots *slots)
{
    ls_intervals runs = {0};
    for (int i = 0; i < slots->count; i++) {
        ls_interval part = ls_slots_reals(reduce->params, &slots->at[i]);
        part.begin = ls_max(part.begin, reduce->slice.begin);
        part.end = ls_min(part.end, reduce->slice.end);
        if (part.begin >= part.end)
            continue;
        runs.at[runs.count++] = part;
        runs.total += part.end - part.begin;
    }
    return runs;
}

/* The node's sum into this rank's own array, block by block; the squares of a block, where
 * `measure`, while it is in cache. */
static void add_up(ls_reduce *reduce, const ls_intervals *runs, bool measure)
{
    int size = reduce->comm->node_size;
    real *own = ls_reduce_gradient(reduce);
    for (int i = 0; i < runs->count; i++) {
        long end = runs->at[i].end;
        for (long begin = runs->at[i].begin, next; begin < end; begin = next) {
            next = ls_min((begin / LS_SLICE_ALIGN + 1) * LS_SLICE_ALIGN, end);
            for (int r = 0; r < size; r++)
                reduce->at[r] = reduce->array[r] + begin;
            ls_sum_order_add(own + begin, reduce->at, size, next - begin);
            if (measure)
                ls_squares_measure(reduce->params, own, begin, next, reduce->pieces);
        }
    }
}

static void measure_runs(const ls_reduce *reduce, const ls_intervals *runs, const real *array)
{
    for (int i = 0; i < runs->count; i++)
        ls_squares_measure(reduce->params, array, runs->at[i].begin, runs->at[i].end,
                           reduce->pieces);
}

void ls_reduce_sum(ls_reduce *reduce, const ls_slots *slots, double *tail, double *norm2)
{
    ls_comm *comm = reduce->comm;
    bool alone = comm->nodes == 1;
    ls_intervals runs = runs_in_slice(reduce, slots);
    memcpy(reduce->tails + (long)comm->node_rank * LS_TAIL, tail, LS_TAIL * sizeof *tail);
    ls_comm_node_barrier(comm); /* A */
    add_up(reduce, &runs, alone);
    if (!alone && comm->node_rank < comm->smallest_node) {
        ls_exchange_sum(comm, ls_reduce_gradient(reduce), &runs, reduce->buffer);
        measure_runs(reduce, &runs, ls_reduce_gradient(reduce));
    }
    if (comm->node_rank == 0) {
        ls_sum_order_add_doubles(reduce->sum, reduce->tails, comm->node_size, LS_TAIL);
        if (!alone)
            ls_exchange_tail(comm, reduce->sum);
    }
    ls_comm_node_barrier(comm); /* B */
    memcpy(tail, reduce->sum, LS_TAIL * sizeof *tail);
    ls_squares_add(reduce->params, slots, reduce->pieces, norm2);
}

void ls_reduce_norms(ls_reduce *reduce, const real *array, const ls_slots *slots, double *norm2)
{
    ls_intervals runs = runs_in_slice(reduce, slots);
    ls_comm_node_barrier(reduce->comm);
    measure_runs(reduce, &runs, array);
    ls_comm_node_barrier(reduce->comm);
    ls_squares_add(reduce->params, slots, reduce->pieces, norm2);
}

void ls_reduce_end(ls_reduce *reduce)
{
    ls_comm_node_barrier(reduce->comm); /* C */
}

void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count)
{
    enum { PIECE = 1 << 28 };
    for (long at = 0; at < count; at += PIECE)
        ls_mpi(MPI_Allreduce(values + at, sum + at, (int)ls_min(count - at, PIECE),
                             sizeof(real) == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM,
                             comm->world));
}
