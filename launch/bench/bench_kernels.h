/* bench_kernels: `lockstep bench kernels`, the speed and the error of single layers. */
#pragma once
#include "dist/comm.h"
#include "launch/bench/bench.h"

/* Times each pass of each layer, compares its result with sums in double and its speed with a
 * product of OpenBLAS; rank 0 prints a table, the other ranks only keep the machine as busy.
 * LS_USAGE errors come before anything is measured. */
bool ls_bench_kernels(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
