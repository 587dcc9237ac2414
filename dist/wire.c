/* wire: sends around a ring of nodes. */
#include <mpi.h>

#include "dist/comm_internal.h"

#include "dist/wire.h"

#include <math.h>

#include "core/clock.h"
#include "core/memory.h"

enum { BYTES = 1 << 22, ROUNDS = 8, TAG = 2 };

double ls_wire_measure(ls_comm *comm)
{
    if (comm->nodes == 1)
        return 0;
    int rank, size;
    double seconds = INFINITY;
    ls_mpi(MPI_Comm_rank(comm->mpi->peers, &rank));
    ls_mpi(MPI_Comm_size(comm->mpi->peers, &size)); /* 1: no other node has so many ranks */
    char *out = ls_alloc(BYTES, 1), *in = ls_alloc(BYTES, 1);
    for (int i = 0; i < ROUNDS; i++) {
        ls_comm_barrier(comm);
        const double start = ls_clock_now();
        ls_mpi(MPI_Sendrecv(out, BYTES, MPI_BYTE, (rank + 1) % size, TAG, in, BYTES, MPI_BYTE,
                            (rank + size - 1) % size, TAG, comm->mpi->peers, MPI_STATUS_IGNORE));
        seconds = fmin(seconds, ls_comm_max(comm, ls_clock_now() - start));
    }
    ls_free(in);
    ls_free(out);
    return BYTES / seconds;
}
