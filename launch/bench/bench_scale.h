/* bench_scale: `lockstep bench scale MODEL`, the steps of a model on more and more ranks. */
#pragma once
#include "dist/comm.h"
#include "launch/bench/bench.h"

/* **Collective.** Measures 1, 2, 4, ... and all ranks; rank 0 prints a table and draws the picture.
 */
bool ls_bench_scale(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
