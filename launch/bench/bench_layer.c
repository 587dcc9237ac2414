/* bench_layer: runs the passes of one layer, and computes single numbers of their results in
 * double.
 *
 * A convolution is by definition, with h = oh * stride_h - pad_h + kh * dilation_h, likewise w, and
 * c = (group of o) * in + i,
 *
 *     forward  y[n, oh, ow, o]       = sum over kh, kw, i  of weight[o, i, kh, kw] x[n, h, w, c]
 *     data     dx[n, h, w, c]        = sum over kh, kw, o  of weight[o, i, kh, kw] dy[n, oh, ow, o]
 *     weight   dweight[o, i, kh, kw] = sum over n, oh, ow  of x[n, h, w, c] dy[n, oh, ow, o]
 *
 * A dense layer is a convolution over an image of one pixel, tdnn one over an image of one line.
 * Biases are 0. */
#include "launch/bench/bench_layer.h"

#include <math.h>
#include <string.h>

#include "core/layers/convolution.h"
#include "core/memory.h"
#include "core/random.h"

static bool find_conv(ls_bench_layer *b, const char *line, ls_error *error)
{
    const ls_window_options one = {{1, {1}}, {1, {1}}, {1, {0}}, {1, {1}}, false};
    const ls_layer *layer = b->net->layers[0];
    const ls_shape *x = &layer->x[0];
    const bool dense = strcmp(layer->type->name, "dense") == 0,
               image = strcmp(layer->type->name, "conv2d") == 0;
    if (b->net->count != 1 || (!dense && !image && strcmp(layer->type->name, "tdnn") != 0))
        return ls_error_set(error, LS_USAGE, "expected one conv2d, tdnn or dense, found %s",
                            line + strspn(line, " "));
    const long in = ls_shape_last(dense ? &b->params->slots[layer->slot[0]].shape : x);
    const ls_shape pixels = {3, {1, ls_shape_count(x) / in, in}}; /* of a dense line, or steps */
    const ls_window_options *read = dense ? &one : &((const ls_convolution *)layer->self)->options;
    if (!ls_window_set(&b->conv.window, image ? x : &pixels, read, error))
        return false;
    b->slot = layer->slot[0];
    const ls_shape *weight = &b->params->slots[b->slot].shape;
    b->conv.out = weight->at[0];
    b->conv.groups = b->conv.window.c / weight->at[1];
    const ls_conv same = ls_conv_simplest(&b->conv);
    const ls_conv_problem forward = ls_conv_forward_problem(&same);
    ls_conv_problem data = ls_conv_backward_problem(&same, 0);
    for (long phase = 1; data.h.kernel * data.w.kernel == 0; phase++)
        data = ls_conv_backward_problem(&same, phase);
    b->kernel[LS_BENCH_FORWARD] = ls_conv_choose(&forward)->name;
    b->kernel[LS_BENCH_DATA] = dense ? "panel" : ls_conv_choose(&data)->name;
    b->kernel[LS_BENCH_WEIGHT] = ls_conv_choose_gradient(&forward)->name;
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
    b->x_count = rows * ls_shape_count(&b->net->x);
    b->y_count = rows * ls_shape_count(&b->net->y);
    b->weight_count = ls_shape_count(&params->slots[b->slot].shape);
    b->net->build.threads = threads;
    b->values = ls_alloc((size_t)params->size, sizeof(real));
    b->prepared = ls_alloc((size_t)params->prepared_size, sizeof(real));
    b->gradient = ls_alloc((size_t)params->size, sizeof(real));
    ls_params_commit(params, b->values, b->prepared);
    ls_params_initialize(params, 1, NULL);
    b->weight = ls_alloc((size_t)b->weight_count, sizeof(real));
    b->dweight = ls_alloc((size_t)b->weight_count, sizeof(real));
    ls_params_store(params, b->slot, b->values, b->weight);
    b->x = ls_alloc((size_t)b->x_count, sizeof(real));
    b->dx = ls_alloc((size_t)b->x_count, sizeof(real));
    b->workspace = ls_workspace_create(b->net, b->rows, LS_TRAINING);
    b->dy = ls_workspace_dy(b->workspace);
    fill(b->x, b->x_count, 0);
    fill(b->dy, b->y_count, 1);
}

static void forward(void *layer)
{
    ls_bench_layer *b = layer;
    const ls_pass pass = {.training = true};
    ls_net_prepare(b->net, NULL, 0, 1);
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
    const ls_pass pass = {.training = true, .total = b->rows, .gradient = b->gradient};
    ls_workspace_backward(b->workspace, &pass, b->dy, NULL);
}

/* The index of the input that output `out` reads through a tap of the kernel, along one axis; it
 * may lie outside of the image. */
static long input_of(const ls_window_axis *axis, long out, long tap)
{
    return out * axis->stride - axis->pad + tap * axis->dilation;
}

/* The index of the output that reads input `in` through a tap of the kernel; -1: none does. */
static long output_of(const ls_window_axis *axis, long in, long tap)
{
    long from = in + axis->pad - tap * axis->dilation;
    return from % axis->stride == 0 ? from / axis->stride : -1;
}

/* The images of a pass: x or dx, y or dy. */
typedef struct image {
    const real *numbers;       /* [rows, h, w, channels] */
    long h, w, channels, part; /* part: the channels of a group */
} image;

static void get_images(const ls_bench_layer *b, image *x, image *dy)
{
    const ls_window *w = &b->conv.window;
    *x = (image){b->x, w->h.size, w->w.size, w->c, w->c / b->conv.groups};
    *dy = (image){b->dy, w->h.out, w->w.out, b->conv.out, b->conv.out / b->conv.groups};
}

/* The pixel (h, w) of row n; NULL: it lies outside of the image. */
static const real *pixel_of(const image *image, long n, long h, long w)
{
    bool inside = h >= 0 && h < image->h && w >= 0 && w < image->w;
    return inside ? image->numbers + ((n * image->h + h) * image->w + w) * image->channels : NULL;
}

/* Number `index` of y (a sum over x) or of dx (a sum over dy), by the formulas above. */
static double image_expected(const ls_bench_layer *b, int pass, long index)
{
    const ls_window *window = &b->conv.window;
    bool forward = pass == LS_BENCH_FORWARD;
    image x, dy;
    get_images(b, &x, &dy);
    const image to = forward ? dy : x, from = forward ? x : dy;
    long (*const partner)(const ls_window_axis *, long, long) = forward ? input_of : output_of;
    long channel = index % to.channels, w = index / to.channels % to.w;
    long h = index / to.channels / to.w % to.h, n = index / to.channels / to.w / to.h;
    long taps = window->h.kernel * window->w.kernel, first = channel / to.part * from.part;
    double sum = 0;
    for (long k = 0; k < taps; k++) {
        const real *pixel = pixel_of(&from, n, partner(&window->h, h, k / window->w.kernel),
                                     partner(&window->w, w, k % window->w.kernel));
        for (long f = first; pixel && f < first + from.part; f++) {
            long o = forward ? channel : f, i = (forward ? f : channel) % x.part;
            sum += (double)b->weight[(o * x.part + i) * taps + k] * (double)pixel[f];
        }
    }
    return sum;
}

/* Number `index` of dweight, by the formula above. */
static double weight_expected(const ls_bench_layer *b, long index)
{
    const ls_window *window = &b->conv.window;
    image x, dy;
    get_images(b, &x, &dy);
    long taps = window->h.kernel * window->w.kernel, k = index % taps;
    long o = index / taps / x.part, c = o / dy.part * x.part + index / taps % x.part;
    double sum = 0;
    for (long p = 0; p < b->rows * dy.h * dy.w; p++) {
        const real *pixel = pixel_of(&x, p / dy.w / dy.h,
                                     input_of(&window->h, p / dy.w % dy.h, k / window->w.kernel),
                                     input_of(&window->w, p % dy.w, k % window->w.kernel));
        sum += pixel ? (double)pixel[c] * (double)dy.numbers[p * dy.channels + o] : 0;
    }
    return sum;
}

double ls_bench_layer_error(ls_bench_layer *b, int pass)
{
    ls_random stream = ls_random_stream(1, LS_RANDOM_SYNTHETIC, 1, 0, 0);
    const real *const results[] = {b->y, b->dx, b->dweight};
    const long counts[] = {b->y_count, b->x_count, b->weight_count};
    double difference2 = 0, expected2 = 0;
    ls_params_store(b->params, b->slot, b->gradient, b->dweight);
    for (uint64_t s = 0; s < LS_BENCH_SAMPLES; s++) {
        uint32_t bits[2];
        ls_random_bits(stream, s, bits, 2);
        long index = (long)(((uint64_t)bits[0] << 31 | bits[1] >> 1) % (uint64_t)counts[pass]);
        double expected =
            pass == LS_BENCH_WEIGHT ? weight_expected(b, index) : image_expected(b, pass, index);
        difference2 += pow((double)results[pass][index] - expected, 2);
        expected2 += pow(expected, 2);
    }
    return sqrt(difference2 / expected2);
}

const ls_bench_pass ls_bench_passes[LS_BENCH_PASSES] = {
    {"forward", forward}, {"data", data_gradient}, {"weight", weight_gradient}};
