/* threads: whether there are enough cores for the threads. */
#include "launch/threads.h"

#include <stdio.h>

bool ls_threads_crowded(const ls_comm *comm, int threads, char *text, size_t size)
{
    const int ranks = comm->machine_size, cores = comm->cores.all;
    const int bound = comm->cores.own, shared = comm->cores.shared;
    if (ranks * threads > cores)
        snprintf(text, size,
                 "%d rank%s of %d thread%s on %d core%s take turns, which is slow: start fewer "
                 "ranks (mpirun -n)%s",
                 ranks, ranks > 1 ? "s" : "", threads, threads > 1 ? "s" : "", cores,
                 cores > 1 ? "s" : "", threads > 1 ? ", or give fewer --threads" : "");
    else if (threads > bound)
        snprintf(text, size,
                 "a rank's %d threads take turns on the %d core%s that it is bound to, which is "
                 "slow: bind it to more (mpirun --map-by slot:PE=%d --bind-to core, srun "
                 "--cpus-per-task=%d), or to none (mpirun --bind-to none)",
                 threads, bound, bound > 1 ? "s" : "", threads, threads);
    else if (ranks * threads > shared)
        snprintf(text, size,
                 "%d ranks of %d thread%s take turns on the %d core%s that they may run on, which "
                 "is slow: bind each to cores of its own (mpirun --bind-to core), or start fewer",
                 ranks, threads, threads > 1 ? "s" : "", shared, shared > 1 ? "s" : "");
    else
        return false;
    return true;
}
