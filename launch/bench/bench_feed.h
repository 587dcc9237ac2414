/* bench_feed: how fast rows come from a data set, as training reads them. */
#pragma once
#include "dist/comm.h"
#include "launch/bench/bench.h"

/* **Collective.** Reads `steps` batches of shuffled training rows of arguments->data, after one to
 * warm up, each rank its own shard; prints rows/s and MB/s. The error is the same on all ranks. */
bool ls_bench_feed(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
