/* bench_layer: a single layer among random numbers: its passes, and what they should give. */
#pragma once
#include "core/kernels/conv.h"
#include "core/layers/window.h"
#include "core/workspace.h"

enum { LS_BENCH_PASSES = 3 };

typedef struct ls_bench_layer {
    ls_params *params;
    ls_net *net; /* one layer */
    ls_workspace *run;
    ls_conv conv;                        /* a dense layer's: of an image of one pixel */
    const char *kernel[LS_BENCH_PASSES]; /* how each is computed: "winograd" */
    long rows;
    real *values, *prepared, *gradient;
    real *x, *dx; /* [rows, h, w, c] */
    const real *y;
    real *dy;               /* [rows, out_h, out_w, out] */
    real *weight, *dweight; /* [out, c / groups, kernel_h, kernel_w] */
} ls_bench_layer;

/* `shape`: "56,56,64 | conv2d out=64 kernel=3 pad=1" or "9216 | dense units=4096". LS_USAGE errors.
 * Takes no memory for numbers yet. Release in either case. */
bool ls_bench_layer_build(ls_bench_layer *layer, const char *shape, ls_error *error);
/* Its numbers: weights as training would start, x and dy uniform in [-0.5, 0.5). */
void ls_bench_layer_start(ls_bench_layer *layer, long rows, int threads);
void ls_bench_layer_release(ls_bench_layer *layer);

/* Sides of the product of matrices that a convolution is: positions [rows, out_h, out_w] of the
 * patches, output channels, numbers of a patch. */
enum { LS_BENCH_POSITIONS, LS_BENCH_CHANNELS, LS_BENCH_PATCH, LS_BENCH_SIDES };

typedef struct ls_bench_result {
    const real *at;
    long count;
} ls_bench_result;

typedef struct ls_bench_pass {
    const char *name;
    /* The layer's own pass, as in training; forward prepares the weights first. Gradients need a
     * forward before; that of the weights adds up from run to run. */
    void (*run)(void *layer);
    ls_bench_result (*result)(const ls_bench_layer *layer); /* of one run */
    /* Number `index` of the result, by its definition in double. */
    double (*expected)(const ls_bench_layer *layer, long index);
    int m, n, k; /* sides of the product c[m, n] = op(a) op(b) */
    bool transpose_a, transpose_b;
} ls_bench_pass;

extern const ls_bench_pass ls_bench_passes[LS_BENCH_PASSES]; /* forward, data, weight */
