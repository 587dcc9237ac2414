/* bench_reduce: `lockstep bench reduce`, the sum over the ranks beside MPI_Allreduce. */
#pragma once
#include "dist/comm.h"
#include "launch/bench/bench.h"

/* **Collective.** Times the sum of gradients (dist/reduce.h) and MPI_Allreduce over the same
 * `floats` reals a rank, in alternation, `steps` times each. Rank 0 prints one JSON line: the
 * medians in milliseconds (of the slowest rank in each step) and their ratio. */
bool ls_bench_reduce(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
