/* bench_model: `lockstep bench MODEL`, what the steps of a training run take. */
#pragma once
#include "dist/comm.h"
#include "launch/bench/bench.h"

/* A step of a run: seconds on this rank, and what it computes and takes. */
typedef struct ls_bench_step {
    double median, least; /* seconds */
    double flops;         /* of its products, on all ranks */
    double bytes;         /* memory of all ranks */
    double reals;         /* of the gradient that is summed over the ranks */
} ls_bench_step;

/* **Collective.** Trains a model (a name, or a whole spec) for steps + 1 steps over batches of
 * arguments->batch random rows in memory; the first is not counted. The error is the same on all
 * ranks. */
bool ls_bench_model_measure(ls_comm *comm, const ls_bench_arguments *arguments, const char *model,
                            ls_bench_step *step, ls_error *error);
/* **Collective.** The same; rank 0 prints one line of JSON. */
bool ls_bench_model(ls_comm *comm, const ls_bench_arguments *arguments, ls_error *error);
