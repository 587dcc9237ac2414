/* reduce: the sum of the ranks' gradients, in place.
 *
 * The ranks of a node share the parameters, their gradient arrays, each rank's step sums, the total
 * of these, and sums of squares (squares.h). There are no locks: three barriers divide a step, A
 * and B in ls_reduce_sum, C in ls_reduce_end.
 *
 *   before A   Rank r writes its gradient array and its step sums.
 *   A to B     Rank r reads slice r of all arrays, writes slice r of its own array, and the squares
 *              of slice r. Rank 0 reads all step sums and writes their total.
 *   B to C     All ranks read the total and the squares. Rank r reads slice r of its own array, and
 *              updates slice r of the parameters.
 *   after C    All ranks read the parameters. The next step begins: this is its "before A".
 *
 * Why no rank reads what another may still be writing:
 *
 *   A   Gradients and step sums are complete before any of them is read. Between A and B a rank
 *       writes slice r only, and slice r of all arrays is read by rank r only.
 *   B   Sums, total and squares are complete before any of them is read. They are written again
 *       after the next A at the earliest, and a rank gets to that A only after it has read them.
 *       Between B and C a rank reads no other rank's array, so each may write its own again.
 *   C   Parameters are complete before any of them is read. They are written again after the next B
 *       at the earliest, and a rank gets there only after it has read them.
 *
 * A step that is given up after the sum goes without C: no parameter was written, so there is
 * nothing to wait for before the next A.
 *
 * ls_reduce_norms, called between B and C, writes the squares anew. It has two barriers of its own:
 * after the first no rank reads the old squares; after the second the new ones are complete. */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/reduce.h"

#include "core/memory.h"
#include "core/minmax.h"
#include "dist/exchange.h"

/* Reals from one gradient array to the next. */
static long stride_of(const ls_params *params)
{
    return (params->size + LS_SLICE_ALIGN - 1) / LS_SLICE_ALIGN * LS_SLICE_ALIGN;
}

size_t ls_reduce_bytes(const ls_params *params, int node_size)
{
    return (size_t)(stride_of(params) * node_size) * sizeof(real) +
           (size_t)(1 + node_size) * sizeof(ls_step_sums) +
           (size_t)ls_squares_room(params) * sizeof(double);
}

size_t ls_reduce_buffer_bytes(const ls_comm *comm)
{
    return comm->nodes > 1 ? LS_EXCHANGE_BUFFER * sizeof(real) : 0;
}

/* Where slice r begins. All nodes are cut alike, into as many slices as the smallest node has
 * ranks; in larger nodes the last ranks have an empty slice. */
static long slice_begin(const ls_reduce *reduce, long r)
{
    long slices = reduce->comm->smallest_node, blocks = reduce->stride / LS_SLICE_ALIGN;
    return ls_min(blocks * ls_min(r, slices) / slices * LS_SLICE_ALIGN, reduce->params->size);
}

ls_reduce *ls_reduce_create(ls_comm *comm, const ls_params *params, ls_error *error)
{
    int size = comm->node_size, r = comm->node_rank;
    ls_reduce *reduce = ls_alloc(1, sizeof *reduce);
    reduce->comm = comm;
    reduce->params = params;
    reduce->stride = stride_of(params);
    reduce->slice = (ls_interval){slice_begin(reduce, r), slice_begin(reduce, r + 1)};
    reduce->from = ls_alloc((size_t)size, sizeof *reduce->from);
    reduce->node_sums = ls_alloc((size_t)comm->nodes, sizeof *reduce->node_sums);
    if (comm->nodes > 1)
        reduce->buffer = ls_alloc(LS_EXCHANGE_BUFFER, sizeof *reduce->buffer);
    reduce->shared = ls_shared_create(comm, ls_reduce_bytes(params, size), error);
    if (!ls_comm_agree(comm, reduce->shared, error)) {
        ls_reduce_destroy(reduce);
        return NULL;
    }
    reduce->arrays = ls_shared_data(reduce->shared);
    reduce->gradient = reduce->arrays + r * reduce->stride;
    reduce->total = (ls_step_sums *)(reduce->arrays + size * reduce->stride);
    reduce->sums = reduce->total + 1;
    reduce->squares = (double *)(reduce->sums + size);
    return reduce;
}

void ls_reduce_destroy(ls_reduce *reduce)
{
    if (!reduce)
        return;
    ls_shared_destroy(reduce->shared);
    ls_free(reduce->buffer);
    ls_free(reduce->node_sums);
    ls_free(reduce->from);
    ls_free(reduce);
}

void ls_reduce_watch(ls_reduce *reduce, const ls_watch *watch)
{
    reduce->watch = watch;
}

/* **Collective** over the node. */
static void wait_node(const ls_reduce *reduce)
{
    const double begin = ls_watch_begin(reduce->watch);
    ls_comm_node_barrier(reduce->comm);
    ls_watch_end(reduce->watch, LS_SPAN_WAIT, begin);
}

/* The part of the slots that lies in this rank's slice. */
static ls_intervals slots_in_slice(const ls_reduce *reduce, const ls_slots *slots)
{
    ls_intervals parts = {0};
    for (int i = 0; i < slots->count; i++) {
        ls_interval part = ls_slots_reals(reduce->params, &slots->at[i]);
        part.begin = ls_max(part.begin, reduce->slice.begin);
        part.end = ls_min(part.end, reduce->slice.end);
        if (part.begin >= part.end)
            continue;
        parts.at[parts.count++] = part;
        parts.total += part.end - part.begin;
    }
    return parts;
}

/* Adds the node's arrays into this rank's own, block by block. With `measure`, the squares of a
 * block are summed while it is in the cache. */
static void sum_node(ls_reduce *reduce, const ls_intervals *parts, bool measure)
{
    int size = reduce->comm->node_size;
    real *own = reduce->gradient;
    for (int i = 0; i < parts->count; i++) {
        long end = parts->at[i].end;
        for (long begin = parts->at[i].begin, next; begin < end; begin = next) {
            next = ls_min((begin / LS_SLICE_ALIGN + 1) * LS_SLICE_ALIGN, end);
            for (int r = 0; r < size; r++)
                reduce->from[r] = reduce->arrays + r * reduce->stride + begin;
            ls_sum_order_add(own + begin, reduce->from, size, next - begin);
            if (measure)
                ls_squares_measure(reduce->params, own, begin, next, reduce->squares);
        }
    }
}

static void measure_squares(const ls_reduce *reduce, const ls_intervals *parts, const real *array)
{
    for (int i = 0; i < parts->count; i++)
        ls_squares_measure(reduce->params, array, parts->at[i].begin, parts->at[i].end,
                           reduce->squares);
}

/* The total of the node, then of all nodes, in the order of sum_order.h. */
static void add_step_sums(ls_reduce *reduce)
{
    enum { COUNT = LS_SUMS + 5 };
    _Static_assert(sizeof(ls_step_sums) == COUNT * sizeof(double), "added as doubles");
    const ls_comm *comm = reduce->comm;
    double *total = (double *)reduce->total, *nodes = (double *)reduce->node_sums;
    ls_sum_order_add_doubles(total, (double *)reduce->sums, comm->node_size, COUNT);
    if (comm->nodes == 1)
        return;
    ls_mpi_wait(
        comm, LS_BOARD_ALL,
        MPI_Allgather(total, COUNT, MPI_DOUBLE, nodes, COUNT, MPI_DOUBLE, comm->mpi->peers));
    ls_sum_order_add_doubles(total, nodes, comm->nodes, COUNT);
}

void ls_reduce_sum(ls_reduce *reduce, const ls_slots *slots, ls_step_sums *sums, double *norm2)
{
    ls_comm *comm = reduce->comm;
    bool one_node = comm->nodes == 1;
    ls_intervals parts = slots_in_slice(reduce, slots);
    reduce->sums[comm->node_rank] = *sums;
    wait_node(reduce); /* A */
    const double begin = ls_watch_begin(reduce->watch);
    sum_node(reduce, &parts, one_node);
    if (!one_node && comm->node_rank < comm->smallest_node) {
        ls_exchange_sum(comm, reduce->gradient, &parts, reduce->buffer);
        measure_squares(reduce, &parts, reduce->gradient);
    }
    if (comm->node_rank == 0)
        add_step_sums(reduce);
    ls_watch_end(reduce->watch, LS_SPAN_SUM, begin);
    wait_node(reduce); /* B */
    *sums = *reduce->total;
    ls_squares_add(reduce->params, slots, reduce->squares, norm2);
}

void ls_reduce_norms(ls_reduce *reduce, const real *array, const ls_slots *slots, double *norm2)
{
    ls_intervals parts = slots_in_slice(reduce, slots);
    wait_node(reduce);
    measure_squares(reduce, &parts, array);
    wait_node(reduce);
    ls_squares_add(reduce->params, slots, reduce->squares, norm2);
}

void ls_reduce_end(ls_reduce *reduce)
{
    wait_node(reduce); /* C */
}

void ls_reduce_by_mpi(ls_comm *comm, const real *values, real *sum, long count)
{
    enum { MOST = 1 << 28 }; /* the counts of MPI's calls are int */
    for (long done = 0; done < count; done += MOST)
        ls_mpi(MPI_Allreduce(values + done, sum + done, (int)ls_min(count - done, MOST),
                             sizeof(real) == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM,
                             comm->mpi->world));
}
