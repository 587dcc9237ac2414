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
 *
 * Each line is a *move*: something is sent to one node while something comes from it. The moves of
 * a node are a list, made once: `scatter` writes its first half, `gather` the second. A part of the
 * array goes through the list in a *lane*, and never waits: ls_exchange_progress asks MPI whether a
 * lane's messages are through, adds what came, and posts the next move. As parts in other lanes are
 * at other moves, the network has always something to carry, also while reals are added.
 *
 * Lanes are taken in turn, so a part has the same lane on all nodes. Messages of one lane and move
 * between two nodes have one tag, and MPI keeps their order: a part that lies in several runs is
 * several messages, and those of the part that had the lane before came first. */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/exchange.h"

#include "core/memory.h"
#include "core/minmax.h"
#include "core/params.h"
#include "dist/sum_order.h"

/* LANES: as many as keep a network of 10 Gbit/s busy between two layers of VGG-16
 * (tests/cluster/simgrid/). TAGS: room for the moves of a lane. */
enum { LANES = 24, LEVELS = 30, TAGS = 64, MOVES = 2 * (LEVELS + 1) };

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

/* Which reals of a part: what is left to the group `index` after so many halvings; -1: none. */
typedef struct share {
    int halvings, index;
} share;

typedef struct move {
    int other, tag;   /* the node that messages go to and come from */
    int whom;         /* its rank of that node_rank */
    share give, keep; /* what is sent, and what is received */
    bool add;         /* what comes is added; else it replaces */
} move;

/* A part of the array on its way. Positions count its reals from 0, without the gaps between runs.
 */
typedef struct lane {
    const ls_runs *part;
    long reals;   /* of it */
    int move;     /* that is on its way */
    int messages; /* of the move, that are not through */
    real *buffer; /* [room_for(most)] what has come and is to be added */
} lane;

struct ls_exchange {
    const ls_comm *comm;
    real *array;
    long runs; /* of a part, that there is room for */
    int moves;
    move move[MOVES];
    long started, taken; /* parts so far; number n has lane n % LANES */
    lane lane[LANES];
    MPI_Request *request; /* [LANES, 2 * runs] */
    int *through;         /* [LANES * 2 * runs] the numbers of those that MPI says are done */
};

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

static const share all = {0, 0}, none = {-1, 0};

static void add_move(ls_exchange *x, move move)
{
    move.whom = ls_comm_peer(x->comm, move.other);
    x->move[x->moves++] = move;
}

/* The first half of the moves: each group adds up its share, a part of 1 / groups. */
static void scatter(ls_exchange *x, const group *g)
{
    const int nodes = x->comm->nodes;
    if (x->comm->node_index != g->first) {
        add_move(x, (move){.other = g->first, .tag = LEVELS, .give = all, .keep = none});
        return;
    }
    if (g->count == 2)
        add_move(
            x,
            (move){.other = g->first + 1, .tag = LEVELS, .give = none, .keep = all, .add = true});
    for (int level = 0; level < g->levels; level++) {
        const int other = g->index ^ 1 << level;
        add_move(x, (move){.other = group_at(nodes, g->levels, other).first,
                           .tag = level,
                           .give = {level + 1, other},
                           .keep = {level + 1, g->index},
                           .add = true});
    }
}

/* The second half: each group gets the shares of all others. */
static void gather(ls_exchange *x, const group *g)
{
    const int nodes = x->comm->nodes, tags = LEVELS + 1;
    if (x->comm->node_index != g->first) {
        add_move(x, (move){.other = g->first, .tag = tags + LEVELS, .give = none, .keep = all});
        return;
    }
    for (int level = g->levels - 1; level >= 0; level--) {
        const int other = g->index ^ 1 << level;
        add_move(x, (move){.other = group_at(nodes, g->levels, other).first,
                           .tag = tags + level,
                           .give = {level + 1, g->index},
                           .keep = {level + 1, other}});
    }
    if (g->count == 2)
        add_move(x, (move){.other = g->first + 1, .tag = tags + LEVELS, .give = all, .keep = none});
}

/* The most reals that a move brings to be added, of a part of `most` reals: half of them from
 * another group, all of them from the second node of this group. */
static long room_for(const ls_comm *comm, long most)
{
    const group g = group_of(comm->nodes, comm->node_index);
    return g.count == 2 ? most : ls_min(most, most / 2 + LS_SLOT_ALIGN);
}

ls_exchange *ls_exchange_create(const ls_comm *comm, real *array, long most)
{
    ls_exchange *x = ls_alloc(1, sizeof *x);
    const group g = group_of(comm->nodes, comm->node_index);
    x->comm = comm;
    x->array = array;
    scatter(x, &g);
    gather(x, &g);
    const size_t room = (size_t)room_for(comm, most);
    for (int k = 0; k < LANES; k++)
        x->lane[k].buffer = ls_alloc(room, sizeof(real));
    return x;
}

void ls_exchange_destroy(ls_exchange *x)
{
    if (!x)
        return;
    for (int k = 0; k < LANES; k++)
        ls_free(x->lane[k].buffer);
    ls_free(x->request);
    ls_free(x->through);
    ls_free(x);
}

size_t ls_exchange_bytes(const ls_comm *comm, long most)
{
    return LANES * (size_t)room_for(comm, most) * sizeof(real);
}

void ls_exchange_reserve(ls_exchange *x, long runs)
{
    if (runs <= x->runs)
        return;
    const size_t requests = LANES * 2 * (size_t)runs;
    ls_check(x->started == x->taken, "parts are on their way");
    x->runs = runs;
    x->request = ls_realloc(x->request, requests, sizeof *x->request);
    x->through = ls_realloc(x->through, requests, sizeof *x->through);
    for (size_t i = 0; i < requests; i++)
        x->request[i] = MPI_REQUEST_NULL;
}

static long length(ls_interval interval)
{
    return interval.end - interval.begin;
}

/* Each halving leaves a group the first or the second half, by a bit of its index, the lowest bit
 * first. */
static ls_interval positions_of(share share, long reals)
{
    ls_interval left = {0, share.halvings < 0 ? 0 : reals};
    for (int k = 0; k < share.halvings; k++) {
        long middle = left.begin + length(left) / 2 / LS_SLOT_ALIGN * LS_SLOT_ALIGN;
        *(share.index >> k & 1 ? &left.begin : &left.end) = middle;
    }
    return left;
}

/* Cuts what lies in one run off the front of `positions`. Returns it as reals of the array; empty:
 * no positions are left. */
static ls_interval next_reals(const ls_runs *part, ls_interval *positions)
{
    long before = 0; /* position of the run's first real */
    for (long i = 0; i < part->count && length(*positions) > 0; i++) {
        ls_interval reals = part->at[i];
        long reach = before + length(reals);
        if (positions->begin < reach) {
            reals.begin += positions->begin - before;
            reals.end = reals.begin + ls_min(reach, positions->end) - positions->begin;
            positions->begin += length(reals);
            return reals;
        }
        before = reach;
    }
    return (ls_interval){0, 0};
}

/* Posts the messages of the lane's move. */
static void post(ls_exchange *x, int number)
{
    lane *lane = &x->lane[number];
    const move *m = &x->move[lane->move];
    const int tag = number * TAGS + m->tag;
    const MPI_Comm peers = x->comm->mpi->peers;
    ls_interval keep = positions_of(m->keep, lane->reals), reals;
    ls_interval give = positions_of(m->give, lane->reals);
    MPI_Request *request = &x->request[number * 2 * x->runs];
    real *buffer = lane->buffer;
    while (length(reals = next_reals(lane->part, &keep)) > 0) {
        ls_mpi(MPI_Irecv(m->add ? buffer : x->array + reals.begin, (int)length(reals), LS_MPI_REAL,
                         m->other, tag, peers, &request[lane->messages++]));
        buffer += length(reals);
    }
    while (length(reals = next_reals(lane->part, &give)) > 0)
        ls_mpi(MPI_Isend(x->array + reals.begin, (int)length(reals), LS_MPI_REAL, m->other, tag,
                         peers, &request[lane->messages++]));
}

static void add_received(const ls_exchange *x, const lane *lane)
{
    ls_interval keep = positions_of(x->move[lane->move].keep, lane->reals), reals;
    real *buffer = lane->buffer;
    while (length(reals = next_reals(lane->part, &keep)) > 0) {
        real *to = x->array + reals.begin;
        ls_sum_order_add(to, (real *[]){to, buffer}, 2, length(reals));
        buffer += length(reals);
    }
}

bool ls_exchange_full(const ls_exchange *x)
{
    return x->started - x->taken == LANES;
}

void ls_exchange_start(ls_exchange *x, const ls_runs *part)
{
    lane *lane = &x->lane[x->started++ % LANES];
    ls_check(part->count <= x->runs, "a part of %ld runs, of which there is room for %ld",
             part->count, x->runs);
    lane->part = part;
    lane->reals = 0;
    for (long i = 0; i < part->count; i++)
        lane->reals += length(part->at[i]);
    lane->move = -1; /* the first is yet to come */
    lane->messages = 0;
}

/* Asks MPI which messages are through, once for those of all lanes: a question moves all messages
 * on, and costs system calls. */
static void find_through(ls_exchange *x)
{
    int count;
    ls_mpi(MPI_Testsome((int)(LANES * 2 * x->runs), x->request, &count, x->through,
                        MPI_STATUSES_IGNORE));
    for (int i = 0; i < count; i++) /* of no messages it is MPI_UNDEFINED, below 0 */
        x->lane[x->through[i] / (2 * x->runs)].messages--;
}

/* If the messages of the lane's move are through, posts the next. */
static bool move_on(ls_exchange *x, int number)
{
    lane *lane = &x->lane[number];
    if (lane->move == x->moves || lane->messages > 0)
        return false;
    if (lane->move >= 0 && x->move[lane->move].add)
        add_received(x, lane);
    if (++lane->move < x->moves)
        post(x, number);
    return true;
}

bool ls_exchange_progress(ls_exchange *x)
{
    bool moved = false;
    find_through(x);
    for (long n = x->taken; n < x->started; n++)
        moved |= move_on(x, (int)(n % LANES));
    return moved;
}

int ls_exchange_waits_for(const ls_exchange *x)
{
    const lane *lane = &x->lane[x->taken % LANES];
    const bool waits = x->taken < x->started && lane->move >= 0 && lane->move < x->moves;
    return waits ? x->move[lane->move].whom : LS_BOARD_NOBODY;
}

const ls_runs *ls_exchange_take(ls_exchange *x)
{
    const lane *lane = &x->lane[x->taken % LANES];
    if (x->taken == x->started || lane->move < x->moves)
        return NULL;
    x->taken++;
    return lane->part;
}
