/* bench_layer: one layer on random numbers: its passes as training runs them, and the error of
 * their results. */
#pragma once
#include "core/kernels/conv.h"
#include "core/workspace.h"

enum { LS_BENCH_FORWARD, LS_BENCH_DATA, LS_BENCH_WEIGHT, LS_BENCH_PASSES };

typedef struct ls_bench_layer {
    ls_params *params;
    ls_net *net; /* of one layer */
    ls_workspace *workspace;
    ls_conv conv;                              /* a dense layer is one over an image of one pixel */
    const char *kernel[LS_BENCH_PASSES];       /* what computes each pass: "winograd" */
    int slot;                                  /* of the weight */
    long rows, x_count, y_count, weight_count; /* counts: of numbers */
    real *values, *prepared, *gradient;        /* of params */
    real *x, *dx;                              /* [rows, h, w, c] */
    const real *y;
    real *dy;               /* [rows, out_h, out_w, out] */
    real *weight, *dweight; /* [out, c / groups, kernel_h, kernel_w] */
} ls_bench_layer;

/* Builds the layer of `shape`: "56,56,64 | conv2d out=64 kernel=3 pad=1", "196,512 | tdnn
 * units=512 kernel=3", "9216 | dense units=4096". Allocates no arrays yet. LS_USAGE errors. Release
 * in either case. */
bool ls_bench_layer_build(ls_bench_layer *layer, const char *shape, ls_error *error);
/* Allocates and fills the arrays: weights as at the start of a training, x and dy uniform in
 * [-0.5, 0.5). */
void ls_bench_layer_start(ls_bench_layer *layer, long rows, int threads);
/* The error of a pass right after its first run: the rms of (found - expected) over the rms of
 * expected, for LS_BENCH_SAMPLES numbers of the result; expected in double, by definition. */
enum { LS_BENCH_SAMPLES = 200 };
double ls_bench_layer_error(ls_bench_layer *layer, int pass);
void ls_bench_layer_release(ls_bench_layer *layer);

typedef struct ls_bench_pass {
    const char *name;
    /* Runs the pass as training does; forward prepares the weights first. The gradients need a
     * forward before; that of the weights is added to what is there. */
    void (*run)(void *layer);
} ls_bench_pass;

extern const ls_bench_pass ls_bench_passes[LS_BENCH_PASSES];
