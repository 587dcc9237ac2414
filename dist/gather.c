/* gather: numbers of all nodes by Bruck's algorithm (Bruck et al. 1997, "Efficient algorithms for
 * all-to-all communications"): a node that knows `known` nodes from its own on, around a ring, gets
 * as many from the first that it does not know. So it takes log2(nodes) rounds.
 *
 * MPI_Allgather does the same, but a rank that waits in it can do nothing else, and never gives its
 * core away for long: the rank that all wait for may need it (waiting.h). */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/gather.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { TAG = 1 << 14 }; /* above those of exchange.c */

struct ls_gather {
    const ls_comm *comm;
    int count;
    int known, more;        /* nodes from this one on; those that the round brings */
    double *ring;           /* [nodes, count] from this node on */
    double *numbers;        /* [nodes, count] */
    MPI_Request request[2]; /* of the round */
};

ls_gather *ls_gather_create(const ls_comm *comm, int count)
{
    ls_gather *g = ls_alloc(1, sizeof *g);
    g->comm = comm;
    g->count = count;
    g->ring = ls_alloc((size_t)(comm->nodes * count), sizeof *g->ring);
    g->numbers = ls_alloc((size_t)(comm->nodes * count), sizeof *g->numbers);
    return g;
}

void ls_gather_destroy(ls_gather *g)
{
    if (!g)
        return;
    ls_free(g->ring);
    ls_free(g->numbers);
    ls_free(g);
}

/* The node whose numbers the round brings. */
static int source(const ls_gather *g)
{
    return (g->comm->node_index + g->known) % g->comm->nodes;
}

/* Puts the numbers in the order of the nodes. */
static void turn_ring(ls_gather *g)
{
    const int nodes = g->comm->nodes, count = g->count;
    for (int k = 0; k < nodes; k++)
        memcpy(g->numbers + (g->comm->node_index + k) % nodes * count, g->ring + k * count,
               (size_t)count * sizeof *g->ring);
}

/* Posts the messages of the next round, or ends. */
static void begin_round(ls_gather *g)
{
    const int nodes = g->comm->nodes, to = (g->comm->node_index - g->known + nodes) % nodes;
    const MPI_Comm peers = g->comm->mpi->peers;
    g->more = (int)ls_min(g->known, nodes - g->known);
    if (g->more == 0) {
        turn_ring(g);
        return;
    }
    ls_mpi(MPI_Irecv(g->ring + g->known * g->count, g->more * g->count, MPI_DOUBLE, source(g), TAG,
                     peers, &g->request[0]));
    ls_mpi(MPI_Isend(g->ring, g->more * g->count, MPI_DOUBLE, to, TAG, peers, &g->request[1]));
}

void ls_gather_start(ls_gather *g, const double *mine)
{
    memcpy(g->ring, mine, (size_t)g->count * sizeof *mine);
    g->known = 1;
    begin_round(g);
}

bool ls_gather_progress(ls_gather *g)
{
    int done = 0;
    if (g->more > 0)
        ls_mpi(MPI_Testall(2, g->request, &done, MPI_STATUSES_IGNORE));
    if (done) {
        g->known += g->more;
        begin_round(g);
    }
    return done;
}

const double *ls_gather_numbers(const ls_gather *g)
{
    return g->known == g->comm->nodes ? g->numbers : NULL;
}

int ls_gather_waits_for(const ls_gather *g)
{
    return g->more > 0 ? ls_comm_peer(g->comm, source(g)) : LS_BOARD_NOBODY;
}
