/* bench_kernels: `lockstep bench kernels`, the speed and the error of single layers. */
#pragma once
#include "core/check.h"

typedef struct ls_bench_kernels_plan {
    const char *const *shapes; /* each "h,w,c | conv2d ..." or "n | dense ..." */
    int count;                 /* 0: the layers of known nets */
    long rows;
    int threads;
    bool prints; /* false: the rank only keeps the machine as busy as the rank that prints */
} ls_bench_kernels_plan;

/* Times each pass of each layer, compares its result with sums in double and its speed with a
 * product of OpenBLAS, and prints a table. LS_USAGE errors come before anything is measured. */
bool ls_bench_kernels(const ls_bench_kernels_plan *plan, ls_error *error);
