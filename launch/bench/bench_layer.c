/* bench_layer: one layer on random numbers: its passes as training runs them, and their results by
 * definition.
 *
 * A convolution has, with h = oh * stride_h - pad_h + kh * dilation_h, likewise w, and
 * c = (group of o) * in + i,
 *
 *     forward  y[n, oh, ow, o]       = sum over kh, kw, i  of weight[o, i, kh, kw] x[n, h, w, c]
 *     data     dx[n, h, w, c]        = sum over kh, kw, o  of weight[o, i, kh, kw] dy[n, oh, ow, o]
 *     weight   dweight[o, i, kh, kw] = sum over n, oh, ow  of x[n, h, w, c] dy[n, oh, ow, o]
 *
 * A dense layer is a convolution over an image of one pixel. Biases are 0. */
#include "launch/bench/bench_layer.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/random.h"

/* The options of a convolution's line that describe its window; a dense layer has none of these. */
static const ls_option window_options[] = {
    {"kernel", LS_OPTION_LIST, offsetof(ls_window_options, kernel), "1", 1, 1e4, NULL, ""},
    {"stride", LS_OPTION_LIST, offsetof(ls_window_options, stride), "1", 1, 1e4, NULL, ""},
    {"pad", LS_OPTION_LIST, offsetof(ls_window_options, pad), "0", 0, 1e4, NULL, ""},
    {"dilation", LS_OPTION_LIST, offsetof(ls_window_options, dilation), "1", 1, 1e4, NULL, ""},
    {0}};

/* The number of the weight's slot. */
static int weight_of(const ls_bench_layer *b)
{
    return b->net->layers[0]->slot[0];
}

static bool find_conv(ls_bench_layer *b, const char *line, ls_error *error)
{
    const ls_layer *layer = b->net->layers[0];
    const ls_shape pixel = {3, {1, 1, ls_shape_count(&layer->x[0])}};
    ls_window_options read = {.ceil = false};
    ls_spec spec;
    bool dense = strcmp(layer->type->name, "dense") == 0;
    if (b->net->count != 1 || (!dense && strcmp(layer->type->name, "conv2d") != 0))
        return ls_error_set(error, LS_USAGE, "expected one conv2d or dense, found%s", line);
    if (!ls_spec_parse(line, &spec, error) ||
        !ls_spec_read(&spec, window_options, layer->type->options, &read, error) ||
        !ls_window_set(&b->conv.window, dense ? &pixel : &layer->x[0], &read, error))
        return false;
    const ls_shape *weight = &b->params->slots[weight_of(b)].shape;
    b->conv.out = weight->at[0];
    b->conv.groups = b->conv.window.c / weight->at[1];
    const ls_conv same = ls_conv_simplest(&b->conv);
    const ls_conv_problem forward = ls_conv_forward_problem(&same);
    ls_conv_problem data = ls_conv_backward_problem(&same, 0);
    for (long phase = 1; data.h.kernel * data.w.kernel == 0; phase++)
        data = ls_conv_backward_problem(&same, phase);
    b->kernel[0] = ls_conv_choose(&forward)->name;
    b->kernel[1] = dense ? "panel" : ls_conv_choose(&data)->name;
    b->kernel[2] = ls_conv_choose_gradient(&forward)->name;
    return true;
}

bool ls_bench_layer_build(ls_bench_layer *b, const char *shape, ls_error *error)
{
    ls_shape input;
    const char *bar = strchr(shape, '|');
    if (!bar)
        return ls_error_set(error, LS_USAGE,
                            "expected INPUT | LAYER, as in '56,56,64 | conv2d out=64 kernel=3 "
                            "pad=1' or '9216 | dense units=4096'");
    char *size = ls_format("%.*s", (int)strcspn(shape, " |"), shape);
    bool ok = ls_shape_parse("input", size, &input, error);
    ls_free(size);
    b->params = ls_params_create();
    b->net = ok ? ls_net_build(b->params, NULL, "net", bar + 1, &input, error) : NULL;
    return b->net && find_conv(b, bar + 1, error);
}

void ls_bench_layer_release(ls_bench_layer *b)
{
    ls_workspace_destroy(b->workspace);
    ls_net_destroy(b->net);
    ls_params_destroy(b->params);
    real *const arrays[] = {b->values, b->prepared, b->gradient, b->x,
                            b->dx,     b->weight,   b->dweight};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        ls_free(arrays[i]);
}

static long x_count(const ls_bench_layer *b)
{
    return b->rows * ls_shape_count(&b->net->x);
}

static long y_count(const ls_bench_layer *b)
{
    return b->rows * ls_shape_count(&b->net->y);
}

static long weight_count(const ls_bench_layer *b)
{
    return ls_shape_count(&b->params->slots[weight_of(b)].shape);
}

/* Uniform numbers in [-0.5, 0.5). */
static void fill(real *numbers, long count, uint64_t row)
{
    ls_random stream = ls_random_stream(1, LS_RANDOM_SYNTHETIC, 0, 0, 0);
    ls_random_uniform(stream, row, numbers, count);
    for (long i = 0; i < count; i++)
        numbers[i] -= (real)0.5;
}

void ls_bench_layer_start(ls_bench_layer *b, long rows, int threads)
{
    ls_params *params = b->params;
    b->rows = rows;
    b->net->build.threads = threads;
    b->values = ls_alloc((size_t)params->size, sizeof(real));
    b->prepared = ls_alloc((size_t)params->prepared_size, sizeof(real));
    b->gradient = ls_alloc((size_t)params->size, sizeof(real));
    ls_params_commit(params, b->values, b->prepared);
    ls_params_initialize(params, 1, NULL);
    b->weight = ls_alloc((size_t)weight_count(b), sizeof(real));
    b->dweight = ls_alloc((size_t)weight_count(b), sizeof(real));
    ls_params_store(params, weight_of(b), b->values, b->weight);
    b->x = ls_alloc((size_t)x_count(b), sizeof(real));
    b->dx = ls_alloc((size_t)x_count(b), sizeof(real));
    b->workspace = ls_workspace_create(b->net, b->rows, true);
    b->dy = ls_workspace_dy(b->workspace);
    fill(b->x, x_count(b), 0);
    fill(b->dy, y_count(b), 1);
}

static void forward(void *layer)
{
    ls_bench_layer *b = layer;
    const ls_pass pass = {.training = true};
    ls_net_prepare(b->net, 0, 1);
    b->y = ls_workspace_forward(b->workspace, &pass, b->x, b->rows);
}

static void data_gradient(void *layer)
{
    const ls_bench_layer *b = layer;
    const ls_pass pass = {.training = true};
    ls_workspace_backward(b->workspace, &pass, b->dy, b->dx);
}

static void weight_gradient(void *layer)
{
    const ls_bench_layer *b = layer;
    const ls_pass pass = {.training = true, .gradient = b->gradient};
    ls_workspace_backward(b->workspace, &pass, b->dy, NULL);
}

static ls_bench_result forward_result(const ls_bench_layer *b)
{
    return (ls_bench_result){b->y, y_count(b)};
}

static ls_bench_result data_result(const ls_bench_layer *b)
{
    return (ls_bench_result){b->dx, x_count(b)};
}

/* Right after the first run only, since each run adds to the gradient. */
static ls_bench_result weight_result(const ls_bench_layer *b)
{
    ls_params_store(b->params, weight_of(b), b->gradient, b->dweight);
    return (ls_bench_result){b->dweight, weight_count(b)};
}

/* The index of the input that output `out` multiplies by weight `k` of the kernel, along one axis;
 * -1: it lies outside of the image. */
static long input_of(const ls_window_axis *axis, long out, long k)
{
    long in = out * axis->stride - axis->pad + k * axis->dilation;
    return in < axis->size ? ls_max(in, -1) : -1;
}

/* The index of the output that multiplies input `in` by weight `k` of the kernel; -1: none does. */
static long output_of(const ls_window_axis *axis, long in, long k)
{
    long from = in + axis->pad - k * axis->dilation;
    bool hit = from >= 0 && from % axis->stride == 0 && from / axis->stride < axis->out;
    return hit ? from / axis->stride : -1;
}

/* The pixel of x that output (oh, ow) of row n multiplies by weight (kh, kw); NULL: outside. */
static const real *pixel_of(const ls_bench_layer *b, long n, long oh, long ow, long kh, long kw)
{
    const ls_window *w = &b->conv.window;
    long h = input_of(&w->h, oh, kh);
    long v = input_of(&w->w, ow, kw);
    return h < 0 || v < 0 ? NULL : b->x + ((n * w->h.size + h) * w->w.size + v) * w->c;
}

static double forward_expected(const ls_bench_layer *b, long index)
{
    const ls_window *w = &b->conv.window;
    long o = index % b->conv.out, ow = index / b->conv.out % w->w.out;
    long oh = index / b->conv.out / w->w.out % w->h.out,
         n = index / b->conv.out / w->w.out / w->h.out;
    long in = w->c / b->conv.groups, taps = w->h.kernel * w->w.kernel;
    long first = o / (b->conv.out / b->conv.groups) * in;
    double sum = 0;
    for (long k = 0; k < taps; k++) {
        const real *x = pixel_of(b, n, oh, ow, k / w->w.kernel, k % w->w.kernel);
        if (!x)
            continue;
        for (long i = 0; i < in; i++)
            sum += (double)b->weight[(o * in + i) * taps + k] * (double)x[first + i];
    }
    return sum;
}

static double data_expected(const ls_bench_layer *b, long index)
{
    const ls_window *w = &b->conv.window;
    long c = index % w->c, v = index / w->c % w->w.size;
    long h = index / w->c / w->w.size % w->h.size, n = index / w->c / w->w.size / w->h.size;
    long in = w->c / b->conv.groups, part = b->conv.out / b->conv.groups,
         taps = w->h.kernel * w->w.kernel;
    long first = c / in * part;
    double sum = 0;
    for (long k = 0; k < taps; k++) {
        long oh = output_of(&w->h, h, k / w->w.kernel);
        long ow = output_of(&w->w, v, k % w->w.kernel);
        if (oh < 0 || ow < 0)
            continue;
        const real *dy = b->dy + ((n * w->h.out + oh) * w->w.out + ow) * b->conv.out;
        for (long o = first; o < first + part; o++)
            sum += (double)b->weight[(o * in + c % in) * taps + k] * (double)dy[o];
    }
    return sum;
}

static double weight_expected(const ls_bench_layer *b, long index)
{
    const ls_window *w = &b->conv.window;
    long in = w->c / b->conv.groups, taps = w->h.kernel * w->w.kernel;
    long k = index % taps, i = index / taps % in, o = index / taps / in;
    long c = o / (b->conv.out / b->conv.groups) * in + i;
    double sum = 0;
    for (long p = 0; p < b->rows * w->h.out * w->w.out; p++) {
        const real *x = pixel_of(b, p / w->w.out / w->h.out, p / w->w.out % w->h.out, p % w->w.out,
                                 k / w->w.kernel, k % w->w.kernel);
        sum += x ? (double)x[c] * (double)b->dy[p * b->conv.out + o] : 0;
    }
    return sum;
}

const ls_bench_pass ls_bench_passes[LS_BENCH_PASSES] = {
    {"forward", forward, forward_result, forward_expected, LS_BENCH_POSITIONS, LS_BENCH_CHANNELS,
     LS_BENCH_PATCH, .transpose_b = true},
    {"data", data_gradient, data_result, data_expected, LS_BENCH_POSITIONS, LS_BENCH_PATCH,
     LS_BENCH_CHANNELS, .transpose_b = false},
    {"weight", weight_gradient, weight_result, weight_expected, LS_BENCH_CHANNELS, LS_BENCH_PATCH,
     LS_BENCH_POSITIONS, .transpose_a = true}};
