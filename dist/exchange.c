/* exchange: the sum over nodes: recursive doubling with vector halving, the nearest partner first,
 * then the mirrored gather (Rabenseifner 2004, "Optimization of collective reduction operations").
 *
 * The tree over P nodes, cut floor(log2 P) times, ends in groups of one or two nodes. In a group of
 * two the second gives its sum to the first, sits out, and gets the result at the end. The first
 * nodes of the groups, a power of two, exchange with the group at distance 1, 2, 4 ...: that is the
 * order of tree.h for any P, so nodes of one rank give the same bits as one node of all ranks.
 *
 *   4 groups      |----- ----- ----- -----|   each holds its node's sum
 *   distance 1    |#####------| halves with the neighbour, adds
 *   distance 2    |##|          quarters with the group two away, adds: final
 *   distance 2, 1 |##|##| |#####|#####|       the same partners hand the finished parts back */
#include <mpi.h>

#include "dist/internal.h"

#include <string.h>

enum { TAG = 1, LEVELS = 31 };

#ifdef LS_DOUBLE
#define LS_MPI_REAL MPI_DOUBLE
#else
#define LS_MPI_REAL MPI_FLOAT
#endif

typedef struct group {
    int levels;       /* of the tree above the groups: 1 << levels groups */
    int index;        /* of this group */
    int first, count; /* its nodes: 1 or 2 */
} group;

typedef struct exchange {
    MPI_Comm peers;
    real *array, *buffer;
    const ls_intervals *runs;
} exchange;

/* The group of number `index`: the bits of the number say which half, the highest bit first. */
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

static int partner(const ls_comm *comm, const group *g, int distance)
{
    return group_at(comm->nodes, g->levels, g->index ^ distance).first;
}

/* Takes the next message off the front of `places`; in reals of the array; empty at the end. */
static ls_interval take(const ls_intervals *runs, ls_interval *places)
{
    long before = 0;
    for (int i = 0; i < runs->count && places->begin < places->end; i++) {
        long length = runs->at[i].end - runs->at[i].begin;
        long skip = places->begin - before;
        if (skip < length) {
            long n = length - skip;
            n = n < LS_EXCHANGE_PIECE ? n : LS_EXCHANGE_PIECE;
            n = n < places->end - places->begin ? n : places->end - places->begin;
            places->begin += n;
            return (ls_interval){runs->at[i].begin + skip, runs->at[i].begin + skip + n};
        }
        before += length;
    }
    return (ls_interval){0, 0};
}

static long length(ls_interval piece)
{
    return piece.end - piece.begin;
}

/* Asks for the next message of `keep`: into `buffer`, or straight into the array where NULL. */
static ls_interval receive(const exchange *x, int other, ls_interval *keep, real *buffer,
                           MPI_Request *coming)
{
    ls_interval piece = take(x->runs, keep);
    *coming = MPI_REQUEST_NULL;
    if (length(piece))
        ls_mpi(MPI_Irecv(buffer ? buffer : x->array + piece.begin, (int)length(piece), LS_MPI_REAL,
                         other, TAG, x->peers, coming));
    return piece;
}

static void send(const exchange *x, int other, ls_interval *give, MPI_Request *going)
{
    ls_interval piece = take(x->runs, give);
    *going = MPI_REQUEST_NULL;
    if (length(piece))
        ls_mpi(MPI_Isend(x->array + piece.begin, (int)length(piece), LS_MPI_REAL, other, TAG,
                         x->peers, going));
}

/* Sends places `give` to node `other` and gets places `keep` from it: added to the array, or
 * written where not `add`. LS_EXCHANGE_DEPTH messages are on the way each way at a time. */
static void transfer(const exchange *x, int other, ls_interval give, ls_interval keep, bool add)
{
    MPI_Request going[LS_EXCHANGE_DEPTH], coming[LS_EXCHANGE_DEPTH];
    ls_interval piece[LS_EXCHANGE_DEPTH];
    real *buffer[LS_EXCHANGE_DEPTH];
    for (int k = 0; k < LS_EXCHANGE_DEPTH; k++) {
        buffer[k] = add ? x->buffer + (long)k * LS_EXCHANGE_PIECE : NULL;
        piece[k] = receive(x, other, &keep, buffer[k], &coming[k]);
        send(x, other, &give, &going[k]);
    }
    for (int k = 0; length(piece[k]) || going[k] != MPI_REQUEST_NULL;
         k = (k + 1) % LS_EXCHANGE_DEPTH) {
        ls_mpi(MPI_Wait(&coming[k], MPI_STATUS_IGNORE));
        real *to = x->array + piece[k].begin;
        if (add && length(piece[k]))
            ls_sum_order_add(to, (real *[]){to, buffer[k]}, 2, length(piece[k]));
        piece[k] = receive(x, other, &keep, buffer[k], &coming[k]);
        ls_mpi(MPI_Wait(&going[k], MPI_STATUS_IGNORE));
        send(x, other, &give, &going[k]);
    }
}

/* Between the first nodes of the groups. */
static void halve_and_double(const ls_comm *comm, const group *g, const exchange *x)
{
    ls_interval mine = {0, x->runs->total}, before[LEVELS];
    for (int level = 0; level < g->levels; level++) {
        before[level] = mine;
        long middle = mine.begin + length(mine) / 2 / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
        ls_interval lower = {mine.begin, middle}, upper = {middle, mine.end};
        bool keep_upper = g->index >> level & 1;
        mine = keep_upper ? upper : lower;
        transfer(x, partner(comm, g, 1 << level), keep_upper ? lower : upper, mine, true);
    }
    for (int level = g->levels - 1; level >= 0; level--) {
        ls_interval whole = before[level];
        ls_interval other = mine.begin > whole.begin ? (ls_interval){whole.begin, mine.begin}
                                                     : (ls_interval){mine.end, whole.end};
        transfer(x, partner(comm, g, 1 << level), mine, other, false);
        mine = whole;
    }
}

void ls_exchange_sum(const ls_comm *comm, real *array, const ls_intervals *runs, real *buffer)
{
    exchange x = {.peers = comm->peers, .array = array, .buffer = buffer, .runs = runs};
    group g = group_of(comm->nodes, comm->node_index);
    ls_interval all = {0, runs->total}, none = {0, 0};
    if (comm->node_index != g.first) {
        transfer(&x, g.first, all, none, false);
        transfer(&x, g.first, none, all, false);
        return;
    }
    if (g.count == 2)
        transfer(&x, g.first + 1, none, all, true);
    halve_and_double(comm, &g, &x);
    if (g.count == 2)
        transfer(&x, g.first + 1, all, none, false);
}

void ls_exchange_tail(const ls_comm *comm, double *tail)
{
    group g = group_of(comm->nodes, comm->node_index);
    double pair[2][LS_TAIL];
    if (comm->node_index != g.first) {
        ls_mpi(MPI_Send(tail, LS_TAIL, MPI_DOUBLE, g.first, TAG, comm->peers));
        ls_mpi(MPI_Recv(tail, LS_TAIL, MPI_DOUBLE, g.first, TAG, comm->peers, MPI_STATUS_IGNORE));
        return;
    }
    memcpy(pair[0], tail, sizeof pair[0]);
    if (g.count == 2) {
        ls_mpi(MPI_Recv(pair[1], LS_TAIL, MPI_DOUBLE, g.first + 1, TAG, comm->peers,
                        MPI_STATUS_IGNORE));
        ls_sum_order_add_doubles(pair[0], pair[0], 2, LS_TAIL);
    }
    for (int level = 0; level < g.levels; level++) {
        int other = partner(comm, &g, 1 << level);
        ls_mpi(MPI_Sendrecv(pair[0], LS_TAIL, MPI_DOUBLE, other, TAG, pair[1], LS_TAIL, MPI_DOUBLE,
                            other, TAG, comm->peers, MPI_STATUS_IGNORE));
        ls_sum_order_add_doubles(pair[0], pair[0], 2, LS_TAIL);
    }
    memcpy(tail, pair[0], sizeof pair[0]);
    if (g.count == 2)
        ls_mpi(MPI_Send(tail, LS_TAIL, MPI_DOUBLE, g.first + 1, TAG, comm->peers));
}
