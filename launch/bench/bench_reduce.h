/* bench_reduce: `lockstep bench reduce`, the sum over the ranks beside MPI_Allreduce. */
#pragma once
#include "dist/comm.h"

/* **Collective.** Times ls_reduce_sum with ls_reduce_end, and MPI_Allreduce, over the same `floats`
 * reals a rank, in turn, `rounds` times each. Rank 0 prints one JSON line with the medians in
 * milliseconds (a round takes as long as its slowest rank) and their ratio. Returns the exit code.
 */
int ls_bench_reduce(ls_comm *comm, long floats, int rounds);
