/* exchange: the sum over the nodes, by recursive doubling with vector halving, and its mirror image
 * that hands the sums back (Rabenseifner 2004, "Optimization of collective reduction operations").
 *
 * The order of additions must be that of sum_order.h: the sum of n nodes is the sum of the first
 * n/2 plus the sum of the rest. Halving the nodes floor(log2 n) times leaves groups of one or two.
 * In a group of two the second node sends its array to the first, waits, and gets the sum at the
 * end. The first nodes of the groups, a power of two of them, are partners of the group at distance
 * 1, then 2, 4 ...: they add up first what sum_order.h adds first, for any n. With 4 groups:
 *
 *   at first        |-----------------------|   each group holds an array to be summed
 *   distance 1      |###########|               of two neighbours one keeps the first half, the
 *                                               other the second: sends the rest, adds what comes
 *   distance 2      |#####|                     the same with halves of these: now final
 *   back: 2, then 1 |#####|#####|               the same partners send each other what is final
 */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/exchange.h"

#include "core/minmax.h"
#include "dist/sum_order.h"

enum { TAG = 1, LEVELS = 31 };

#ifdef LS_DOUBLE
#define LS_MPI_REAL MPI_DOUBLE
#else
#define LS_MPI_REAL MPI_FLOAT
#endif

typedef struct group {
    int levels;       /* how often the nodes were halved: there are 1 << levels groups */
    int index;        /* of this group */
    int first, count; /* its nodes: 1 or 2 */
} group;

typedef struct exchange {
    const ls_comm *comm;
    real *array, *buffer;
    const ls_intervals *intervals;
} exchange;

/* The bits of a group's index say which half it lies in, the highest bit first. */
static group group_at(int nodes, int levels, int index)
{
    group g = {.levels = levels, .index = index, .count = nodes};
    for (int bit = levels - 1; bit >= 0; bit--) {
        int half = g.count / 2;
        bool second = index >> bit & 1;
        g.first += second ? half : 0;
        g.count = second ? g.count - half : half;
    }
    return g;
}

static group group_of(int nodes, int node)
{
    int levels = 0;
    while (nodes >> (levels + 1))
        levels++;
    group g = group_at(nodes, levels, 0);
    while (node >= g.first + g.count)
        g = group_at(nodes, levels, g.index + 1);
    return g;
}

static long length(ls_interval interval)
{
    return interval.end - interval.begin;
}

/* Cuts the next message, which lies in one interval, off the front of `positions`. Returns it as
 * reals of the array; empty: no positions are left. */
static ls_interval next_message(const ls_intervals *intervals, ls_interval *positions)
{
    long before = 0; /* position of the interval's first real */
    for (int i = 0; i < intervals->count && positions->begin < positions->end; i++) {
        ls_interval reals = intervals->at[i];
        reals.begin += positions->begin - before;
        if (reals.begin < reals.end) {
            long most = ls_min(length(*positions), LS_EXCHANGE_MESSAGE);
            reals.end = ls_min(reals.end, reals.begin + most);
            positions->begin += length(reals);
            return reals;
        }
        before += length(intervals->at[i]);
    }
    return (ls_interval){0, 0};
}

/* Starts to receive the next message of `keep`, into `buffer`, or into the array itself where that
 * is NULL. */
static ls_interval receive(const exchange *x, int other, ls_interval *keep, real *buffer,
                           MPI_Request *request)
{
    ls_interval message = next_message(x->intervals, keep);
    *request = MPI_REQUEST_NULL;
    if (length(message))
        ls_mpi(MPI_Irecv(buffer ? buffer : x->array + message.begin, (int)length(message),
                         LS_MPI_REAL, other, TAG, x->comm->mpi->peers, request));
    return message;
}

static void send(const exchange *x, int other, ls_interval *give, MPI_Request *request)
{
    ls_interval message = next_message(x->intervals, give);
    *request = MPI_REQUEST_NULL;
    if (length(message))
        ls_mpi(MPI_Isend(x->array + message.begin, (int)length(message), LS_MPI_REAL, other, TAG,
                         x->comm->mpi->peers, request));
}

typedef enum { ADD, REPLACE } arrival; /* what is done with the reals that come */

/* Sends the positions `give` to node `other`, and receives the positions `keep` from it. Up to
 * LS_EXCHANGE_DEPTH messages are on their way in each direction. */
static void transfer(const exchange *x, int other, ls_interval give, ls_interval keep, arrival how)
{
    MPI_Request sent[LS_EXCHANGE_DEPTH], received[LS_EXCHANGE_DEPTH];
    ls_interval message[LS_EXCHANGE_DEPTH];
    real *buffer[LS_EXCHANGE_DEPTH];
    const int whom = ls_comm_peer(x->comm, other);
    for (int k = 0; k < LS_EXCHANGE_DEPTH; k++) {
        buffer[k] = how == ADD ? x->buffer + (long)k * LS_EXCHANGE_MESSAGE : NULL;
        message[k] = receive(x, other, &keep, buffer[k], &received[k]);
        send(x, other, &give, &sent[k]);
    }
    for (int k = 0; length(message[k]) || sent[k] != MPI_REQUEST_NULL;
         k = (k + 1) % LS_EXCHANGE_DEPTH) {
        ls_mpi_wait(x->comm, whom, MPI_Wait(&received[k], MPI_STATUS_IGNORE));
        real *to = x->array + message[k].begin;
        if (how == ADD && length(message[k]))
            ls_sum_order_add(to, (real *[]){to, buffer[k]}, 2, length(message[k]));
        message[k] = receive(x, other, &keep, buffer[k], &received[k]);
        ls_mpi_wait(x->comm, whom, MPI_Wait(&sent[k], MPI_STATUS_IGNORE));
        send(x, other, &give, &sent[k]);
    }
}

/* Between the first nodes of the groups. At each level a node leaves half of its positions,
 * `theirs`, to its partner, and adds up `mine`. On the way back `mine` grows by them again. */
static void halve_and_double(const exchange *x, const group *g)
{
    ls_interval mine = {0, x->intervals->total}, theirs[LEVELS];
    int partner[LEVELS]; /* the first node of the group at distance 1 << level */
    for (int level = 0; level < g->levels; level++) {
        long middle = mine.begin + length(mine) / 2 / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
        ls_interval lower = {mine.begin, middle}, upper = {middle, mine.end};
        bool keep_upper = g->index >> level & 1;
        mine = keep_upper ? upper : lower;
        theirs[level] = keep_upper ? lower : upper;
        partner[level] = group_at(x->comm->nodes, g->levels, g->index ^ 1 << level).first;
        transfer(x, partner[level], theirs[level], mine, ADD);
    }
    for (int level = g->levels - 1; level >= 0; level--) {
        transfer(x, partner[level], mine, theirs[level], REPLACE);
        mine.begin = ls_min(mine.begin, theirs[level].begin);
        mine.end = ls_max(mine.end, theirs[level].end);
    }
}

void ls_exchange_sum(const ls_comm *comm, real *array, const ls_intervals *intervals, real *buffer)
{
    exchange x = {.comm = comm, .array = array, .buffer = buffer, .intervals = intervals};
    group g = group_of(comm->nodes, comm->node_index);
    ls_interval all = {0, intervals->total}, none = {0, 0};
    if (comm->node_index != g.first) {
        transfer(&x, g.first, all, none, REPLACE);
        transfer(&x, g.first, none, all, REPLACE);
        return;
    }
    if (g.count == 2)
        transfer(&x, g.first + 1, none, all, ADD);
    halve_and_double(&x, &g);
    if (g.count == 2)
        transfer(&x, g.first + 1, all, none, REPLACE);
}
