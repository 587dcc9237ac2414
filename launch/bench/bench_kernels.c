/* bench_kernels: measures speed and error of the passes of single layers. */
#include "launch/bench/bench_kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/blas.h"
#include "core/clock.h"
#include "core/kernels/tile.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "launch/bench/bench_layer.h"

/* Layers of ResNet-50, VGG-16, AlexNet, LeNet and a net of time delays, and dense layers. */
static const char *const known[] = {
    "224,224,3 | conv2d out=64 kernel=7 stride=2 pad=3",
    "56,56,64 | conv2d out=64 kernel=1",
    "56,56,64 | conv2d out=64 kernel=3 pad=1",
    "56,56,64 | conv2d out=256 kernel=1",
    "56,56,256 | conv2d out=64 kernel=1",
    "56,56,128 | conv2d out=128 kernel=3 stride=2 pad=1",
    "28,28,128 | conv2d out=128 kernel=3 pad=1",
    "28,28,512 | conv2d out=1024 kernel=1 stride=2",
    "14,14,256 | conv2d out=256 kernel=3 pad=1",
    "14,14,1024 | conv2d out=256 kernel=1",
    "7,7,512 | conv2d out=512 kernel=3 pad=1",
    "7,7,2048 | conv2d out=512 kernel=1",
    "224,224,3 | conv2d out=64 kernel=3 pad=1",
    "224,224,64 | conv2d out=64 kernel=3 pad=1",
    "112,112,128 | conv2d out=128 kernel=3 pad=1",
    "56,56,256 | conv2d out=256 kernel=3 pad=1",
    "28,28,512 | conv2d out=512 kernel=3 pad=1",
    "14,14,512 | conv2d out=512 kernel=3 pad=1",
    "224,224,3 | conv2d out=64 kernel=11 stride=4 pad=2",
    "27,27,64 | conv2d out=192 kernel=5 pad=2",
    "13,13,384 | conv2d out=256 kernel=3 pad=1",
    "28,28,1 | conv2d out=6 kernel=5 pad=2",
    "14,14,6 | conv2d out=16 kernel=5",
    "200,40 | tdnn units=512 kernel=5",
    "196,512 | tdnn units=512 kernel=3 dilation=2",
    "186,512 | tdnn units=512",
    "784 | dense units=1024",
    "1024 | dense units=1024",
    "2048 | dense units=1000",
    "4096 | dense units=4096",
    "9216 | dense units=4096",
};

/* Seconds of the fastest run: there are at least 3 runs, and as many as take 0.1 s. */
static double best_seconds(void (*run)(void *), void *context)
{
    double best = INFINITY, total = 0;
    for (int i = 0; i < 3 || total < 0.1; i++) {
        double start = ls_clock_now();
        run(context);
        double seconds = ls_clock_now() - start;
        best = fmin(best, seconds);
        total += seconds;
    }
    return best;
}

static real *ones(long count)
{
    real *numbers = ls_alloc((size_t)count, sizeof *numbers);
    for (long i = 0; i < count; i++)
        numbers[i] = 1;
    return numbers;
}

/* c[m, n] = a[m, k] b[k, n] */
typedef struct product {
    long m, n, k;
    ls_factor a, b;
    real *c;
    ls_blas blas;
} product;

static void multiply(void *context)
{
    const product *p = context;
    ls_gemm(&p->blas, p->m, p->n, p->k, p->a, p->b, (ls_result){p->c, p->n, false});
}

/* Gflop/s of OpenBLAS for the pass of one group: a product with the patches of so many positions as
 * fit into 1 MiB, at least 256. With all positions at once it would reach about half. NaN where
 * OpenBLAS is not there. */
static double blas_gflops(const ls_bench_layer *layer, int pass)
{
    const ls_window *w = &layer->conv.window;
    const long channels = layer->conv.out / layer->conv.groups;
    const long patch = w->c / layer->conv.groups * w->h.kernel * w->w.kernel;
    const long most = ls_max(256, (1L << 20) / (long)sizeof(real) / patch);
    const long positions = ls_min(most, layer->rows * w->h.out * w->w.out);
    real *y = ones(positions * channels), *x = ones(positions * patch),
         *weight = ones(channels * patch);
    /* y = x weight^T, dx = dy weight, dweight = dy^T x; only the sizes matter for the speed */
    const ls_blas blas = {.library = NULL};
    const product products[LS_BENCH_PASSES] = {
        {positions, channels, patch, {x, patch, false}, {weight, patch, true}, y, blas},
        {positions, patch, channels, {y, channels, false}, {weight, patch, false}, x, blas},
        {channels, patch, positions, {y, channels, true}, {x, patch, false}, weight, blas}};
    product p = products[pass];
    double seconds = ls_blas_open(&p.blas, NULL) ? best_seconds(multiply, &p) : NAN;
    ls_free(y);
    ls_free(x);
    ls_free(weight);
    return 2e-9 * (double)positions * (double)channels * (double)patch / seconds;
}

/* Operands of the micro-kernel, small enough for the first-level cache. */
typedef struct operands {
    ls_tile tile;
    long rows, columns;
    real *a, *b, *c;
} operands;

enum { PEAK_RUNS = 100 };

static void run_tile(void *context)
{
    const operands *o = context;
    for (int i = 0; i < PEAK_RUNS; i++)
        ls_tile_best()->run(&o->tile, o->rows, o->columns, o->a, o->b, o->c);
}

/* The peak of a core in Gflop/s: the micro-kernel on one block of rows and 24 KiB of b. */
static double peak_gflops(void)
{
    const long depth = 384 / (long)sizeof(real), columns = 2 * LS_PANEL;
    const long rows = ls_tile_best()->rows;
    operands o = {.rows = rows,
                  .columns = columns,
                  .tile = {.segments = 1,
                           .depth = depth,
                           .a = {.row = depth, .depth = 1},
                           .b = {.panel = depth * LS_PANEL},
                           .c = {.row = columns, .panel = LS_PANEL}}};
    o.a = ones(rows * depth + depth * columns + rows * columns);
    o.b = o.a + rows * depth; /* each begins at a cache line: depth reals are six of them */
    o.c = o.b + depth * columns;
    double seconds = best_seconds(run_tile, &o);
    ls_free(o.a);
    return 2e-9 * PEAK_RUNS * (double)(rows * depth * columns) / seconds;
}

static void print_head(const ls_bench_arguments *a, double peak, int width)
{
    ls_print(
        stdout,
        "lockstep %s (%s), batch %ld, %d thread%s; peak of a core: %.1f Gflop/s (micro-kernel "
        "%s in the first-level cache)\n"
        "Gflop/s: operations of the plain sums over the time of the best of 3 runs or more; "
        "Winograd needs fewer operations, and may pass the peak\n"
        "error:   rms of the errors of %d numbers, computed again in double, over their rms\n"
        "BLAS:    Gflop/s of OpenBLAS's product alone, one thread; the patches lie ready in blocks "
        "for its cache, which flatters it\n\n"
        "%-*s  kernel     pass     %9s %8s %8s %8s %8s\n",
        LS_VERSION, LS_REAL_NAME, a->batch, a->threads, a->threads > 1 ? "s" : "", peak,
        ls_tile_best()->name, LS_BENCH_SAMPLES, width, "shape", "ms", "Gflop/s", "of peak", "error",
        "BLAS");
}

static void measure(ls_bench_layer *b, const char *shape, int width, double peak, bool prints)
{
    for (int i = 0; i < LS_BENCH_PASSES; i++) {
        const ls_bench_pass *pass = &ls_bench_passes[i];
        pass->run(b);
        double error = ls_bench_layer_error(b, i), seconds = best_seconds(pass->run, b);
        double gflops = 1e-9 * b->net->layers[0]->flops * (double)b->rows / seconds;
        double blas = blas_gflops(b, i);
        if (prints)
            ls_print(stdout, "%-*s  %-9s  %-8s %9.3f %8.1f %6.0f %% %8.1e %8.1f\n", width, shape,
                     b->kernel[i], pass->name, 1e3 * seconds, gflops, 100 * gflops / peak, error,
                     blas);
        fflush(stdout);
    }
}

bool ls_bench_kernels(ls_comm *comm, const ls_bench_arguments *a, ls_error *error)
{
    const char *const *shapes = a->shapes ? a->shape : known;
    int count = a->shapes ? a->shapes : (int)(sizeof known / sizeof *known), width = 0;
    ls_bench_layer *layers = ls_alloc((size_t)count, sizeof *layers);
    bool ok = true, prints = comm->rank == 0;
    for (int i = 0; ok && i < count; i++) {
        width = (int)ls_max(width, (int)strlen(shapes[i]));
        ok = ls_bench_layer_build(&layers[i], shapes[i], error) ||
             ls_error_prefix(error, "--shape '%s'", shapes[i]);
    }
    double peak = ok ? peak_gflops() : 0;
    if (ok && prints)
        print_head(a, peak, width);
    for (int i = 0; i < count; i++) {
        if (ok) {
            ls_bench_layer_start(&layers[i], a->batch, a->threads);
            measure(&layers[i], shapes[i], width, peak * a->threads, prints);
        }
        ls_bench_layer_release(&layers[i]);
    }
    ls_free(layers);
    return ok;
}
