/* clocks: asks rank 0 for its time, as NTP does: the answer is taken for the time in the middle
 * between question and answer. The fastest of several exchanges counts, for it was held up least.
 */
#include <mpi.h>

#include "dist/comm_internal.h"

#include "dist/clocks.h"

#include "core/clock.h"

enum { EXCHANGES = 16, TAG = 1 };

static void answer(const ls_comm *comm, int node)
{
    for (int i = 0; i < EXCHANGES; i++) {
        double now;
        ls_mpi_wait(comm, ls_comm_peer(comm, node),
                    MPI_Recv(&now, 1, MPI_DOUBLE, node, TAG, comm->mpi->peers, MPI_STATUS_IGNORE));
        now = ls_clock_now();
        ls_mpi_wait(comm, ls_comm_peer(comm, node),
                    MPI_Send(&now, 1, MPI_DOUBLE, node, TAG, comm->mpi->peers));
    }
}

static double ask(const ls_comm *comm)
{
    double offset = 0, fastest = 0;
    for (int i = 0; i < EXCHANGES; i++) {
        double there, before = ls_clock_now();
        ls_mpi_wait(comm, ls_comm_peer(comm, 0),
                    MPI_Send(&before, 1, MPI_DOUBLE, 0, TAG, comm->mpi->peers));
        ls_mpi_wait(comm, ls_comm_peer(comm, 0),
                    MPI_Recv(&there, 1, MPI_DOUBLE, 0, TAG, comm->mpi->peers, MPI_STATUS_IGNORE));
        const double after = ls_clock_now();
        if (i == 0 || after - before < fastest) {
            fastest = after - before;
            offset = there - (before + after) / 2;
        }
    }
    return offset;
}

double ls_clocks_offset(ls_comm *comm)
{
    double offset = 0;
    if (comm->rank == 0)
        for (int node = 1; node < comm->nodes; node++)
            answer(comm, node);
    else if (comm->node_rank == 0)
        offset = ask(comm);
    ls_mpi_wait(comm, LS_BOARD_NODE, MPI_Bcast(&offset, 1, MPI_DOUBLE, 0, comm->mpi->node));
    return offset;
}
