/* gather: numbers of all nodes by Bruck's algorithm (Bruck et al. 1997, "Efficient algorithms for
 * all-to-all communications"): a node that knows `known` nodes from its own on, around a ring, gets
 * as many from the first that it does not know. So it takes log2(nodes) rounds.
 *
 * MPI_Allgather does the same, but a rank that waits in it never gives its core away for long: the
 * rank that all wait for may need it (waiting.h). */
#include <mpi.h>

#include "dist/comm_internal.h"
#include "dist/gather.h"

#include <string.h>

#include "core/minmax.h"

enum { TAG = 1 << 14 }; /* above those of exchange.c */

/* Waits for both messages. */
static void wait_for(const ls_comm *comm, ls_waiting *waiting, int whom, MPI_Request request[2])
{
    int done;
    waiting->looked = 0;
    ls_board_wait(comm->board, whom);
    while (ls_mpi(MPI_Testall(2, request, &done, MPI_STATUSES_IGNORE)), !done)
        ls_waiting_pause(waiting);
    ls_board_go_on(comm->board);
}

void ls_gather_nodes(const ls_comm *comm, ls_waiting *waiting, const double *mine, int count,
                     double *all)
{
    const int nodes = comm->nodes, node = comm->node_index;
    const MPI_Comm peers = comm->mpi->peers;
    double *ring = all + nodes * count; /* from this node on */
    MPI_Request request[2];
    memcpy(ring, mine, (size_t)count * sizeof *ring);
    for (int known = 1, more; known < nodes; known += more) {
        const int from = (node + known) % nodes, to = (node - known + nodes) % nodes;
        more = (int)ls_min(known, nodes - known);
        ls_mpi(MPI_Irecv(ring + known * count, more * count, MPI_DOUBLE, from, TAG, peers,
                         &request[0]));
        ls_mpi(MPI_Isend(ring, more * count, MPI_DOUBLE, to, TAG, peers, &request[1]));
        wait_for(comm, waiting, ls_comm_peer(comm, from), request);
    }
    for (int k = 0; k < nodes; k++)
        memcpy(all + (node + k) % nodes * count, ring + k * count, (size_t)count * sizeof *all);
}
