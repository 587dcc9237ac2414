/* bench_kernels: `lockstep bench kernels`. */
#pragma once
#include "core/check.h"

/* What is measured: single layers. */
typedef struct ls_bench_kernels_plan {
    const char *const *shapes; /* each "h,w,c | conv2d ..." or "n | dense ..." */
    int count;                 /* of them; 0: those of known nets */
    long rows;
    int threads;
    bool speak; /* false: only keep the machine as busy as the rank that tells */
} ls_bench_kernels_plan;

/* Times each pass of each layer, compares it with double and with OpenBLAS's product, and prints a
 * table. LS_USAGE errors, before anything is measured. */
bool ls_bench_kernels(const ls_bench_kernels_plan *plan, ls_error *error);
