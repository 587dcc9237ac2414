/* onnx_windows: convolutions and pools in ONNX, over images with channels first, and over steps. */
#include "launch/export/onnx_windows.h"

#include <stdio.h>

#include "core/layers/convolution.h"
#include "core/layers/pool.h"
#include "core/memory.h"
#include "launch/export/option_value.h"

/* Sets an attribute of [height, width], or with axes = 1 [width], from an option: "5" for both
 * directions, or "5,3"; `times` one after the other. */
static void set_axes(ls_onnx_graph *g, const char *attribute, int axes, const ls_list *option,
                     int times)
{
    const long height = option->count ? option->at[0] : 1;
    const long width = option->count == 2 ? option->at[1] : height;
    const long both[] = {height, width, height, width}, one[] = {width, width};
    ls_onnx_graph_set_longs(g, attribute, axes * times, axes == 1 ? one : both);
}

/* Conv or ConvTranspose of x [batch, channels, h, w], or [batch, channels, w] with axes = 1: the
 * weights of both lie as lockstep's do. */
static const char *convolve(ls_onnx_line *line, const char *op, int axes, const char *x,
                            const char *weight)
{
    ls_onnx_graph *g = line->graph;
    const ls_convolution *self = line->layer->self;
    const ls_window_options *options = &self->options;
    const char *bias = self->weights.bias ? ls_onnx_line_constant(line, 1) : NULL;
    const char *made = ls_onnx_graph_add(g, op, (const char *const[]){x, weight, bias, NULL});
    set_axes(g, "pads", axes, &options->pad, 2);
    set_axes(g, "kernel_shape", axes, &options->kernel, 1);
    set_axes(g, "strides", axes, &options->stride, 1);
    set_axes(g, "dilations", axes, &options->dilation, 1);
    ls_onnx_graph_set_long(g, "group", self->conv.groups);
    return made;
}

static void convolve_image(ls_onnx_line *line, const char *op)
{
    line->y.channels = convolve(line, op, 2, ls_onnx_line_channels(line, line->x[0]),
                                ls_onnx_line_constant(line, 0));
}

bool ls_onnx_windows_conv2d(ls_onnx_line *line, ls_error *error)
{
    convolve_image(line, "Conv");
    return true;
}

bool ls_onnx_windows_deconv2d(ls_onnx_line *line, ls_error *error)
{
    convolve_image(line, "ConvTranspose");
    set_axes(line->graph, "output_padding", 2, ls_option_value_list(line->layer, "output_pad"), 1);
    return true;
}

/* The weight [units, features, 1, kernel] is a constant [units, features, kernel]. */
bool ls_onnx_windows_tdnn(ls_onnx_line *line, ls_error *error)
{
    ls_onnx_graph *g = line->graph;
    const ls_slot *slot = ls_onnx_line_slot(line, 0);
    const long *at = slot->shape.at, turned[] = {0, 2, 1};
    const ls_shape shape = {3, {at[0], at[1], at[3]}};
    char name[2 * LS_SLOT_NAME];
    if (!ls_onnx_line_refuse_ends(line, error))
        return false;
    snprintf(name, sizeof name, "%s/steps_of_%s", slot->name, line->layer->name);
    const char *weight = ls_onnx_graph_numbers(g, name, &shape, ls_onnx_line_numbers(line, 0));
    const char *x = ls_onnx_graph_transpose(g, ls_onnx_line_rows(line, line->x[0]), 3, turned);
    line->y.rows = ls_onnx_graph_transpose(g, convolve(line, "Conv", 1, x, weight), 3, turned);
    return true;
}

/* Pixels that the windows reach beyond the end of the image. */
static long pad_behind(const ls_window_axis *axis)
{
    const long behind = (axis->out - 1) * axis->stride + axis->kernel - axis->size - axis->pad;
    return behind > 0 ? behind : 0;
}

static void set_window(ls_onnx_graph *g, const ls_window *w)
{
    ls_onnx_graph_set_longs(g, "kernel_shape", 2, (const long[]){w->h.kernel, w->w.kernel});
    ls_onnx_graph_set_longs(g, "strides", 2, (const long[]){w->h.stride, w->w.stride});
}

/* The whole image becomes one number a channel. */
static void pool_all(ls_onnx_line *line, const char *op)
{
    ls_onnx_graph *g = line->graph;
    const char *one = ls_onnx_graph_apply(g, op, ls_onnx_line_channels(line, line->x[0]), NULL);
    line->y.rows = ls_onnx_graph_apply(g, "Flatten", one, NULL);
    ls_onnx_graph_set_long(g, "axis", 1);
}

bool ls_onnx_windows_maxpool(ls_onnx_line *line, ls_error *error)
{
    const ls_pool *self = line->layer->self;
    const ls_window *w = &self->window;
    if (self->global) {
        pool_all(line, "GlobalMaxPool");
        return true;
    }
    line->y.channels =
        ls_onnx_graph_apply(line->graph, "MaxPool", ls_onnx_line_channels(line, line->x[0]), NULL);
    set_window(line->graph, w);
    /* The pad behind makes as many windows as lockstep has, where ceil=1 too. */
    ls_onnx_graph_set_longs(
        line->graph, "pads", 4,
        (const long[]){w->h.pad, w->w.pad, pad_behind(&w->h), pad_behind(&w->w)});
    return true;
}

/* AveragePool divides by all pixels of a window. Ours that reach beyond the pad divide by those
 * inside of it: the factor of each output, [1, channels, h, w], since OpenCV does not spread one
 * over the channels; NULL: all are 1. */
static float *factors(const ls_window *w, long channels)
{
    bool different = false;
    const long out = w->h.out * w->w.out;
    float *factor = ls_alloc((size_t)(channels * out), sizeof *factor);
    for (long i = 0; i < w->h.out; i++)
        for (long k = 0; k < w->w.out; k++) {
            const long counted =
                ls_pool_span_of(&w->h, i).counted * ls_pool_span_of(&w->w, k).counted;
            const long all = w->h.kernel * w->w.kernel;
            factor[i * w->w.out + k] = (float)all / (float)counted;
            different |= counted != all;
        }
    for (long i = out; i < channels * out; i++)
        factor[i] = factor[i - out];
    if (different)
        return factor;
    ls_free(factor);
    return NULL;
}

/* The image with the pads of its windows: OpenCV does not count those of an AveragePool. */
static const char *pad_image(ls_onnx_graph *g, const ls_window *w, const char *x)
{
    const long pads[] = {0, 0, w->h.pad,          w->w.pad, /* batch, channels, height, width */
                         0, 0, pad_behind(&w->h), pad_behind(&w->w)};
    return pads[2] + pads[3] + pads[6] + pads[7]
               ? ls_onnx_graph_apply(g, "Pad", x, ls_onnx_graph_list(g, 8, pads))
               : x;
}

bool ls_onnx_windows_avgpool(ls_onnx_line *line, ls_error *error)
{
    ls_onnx_graph *g = line->graph;
    const ls_pool *self = line->layer->self;
    const ls_window *w = &self->window;
    if (self->global) {
        pool_all(line, "GlobalAveragePool");
        return true;
    }
    const char *x = pad_image(g, w, ls_onnx_line_channels(line, line->x[0]));
    line->y.channels = ls_onnx_graph_apply(g, "AveragePool", x, NULL);
    set_window(g, w);
    const long channels = ls_shape_count(&line->y.shape) / (w->h.out * w->w.out);
    float *factor = factors(w, channels);
    if (factor) {
        char name[2 * LS_WORD];
        snprintf(name, sizeof name, "%s/factors", line->layer->name);
        const ls_shape shape = {4, {1, channels, w->h.out, w->w.out}};
        line->y.channels = ls_onnx_graph_apply(g, "Mul", line->y.channels,
                                               ls_onnx_graph_numbers(g, name, &shape, factor));
    }
    return true;
}

/* Reduces the steps of a value [batch, steps, features]. */
static const char *reduce(ls_onnx_graph *g, const char *op, const char *value, bool keep)
{
    const char *made = ls_onnx_graph_apply(g, op, value, NULL);
    ls_onnx_graph_set_longs(g, "axes", 1, (const long[]){1});
    ls_onnx_graph_set_long(g, "keepdims", keep);
    return made;
}

/* A sum is the mean times the number of steps: OpenCV does not know ReduceSum of this opset. */
static const char *pool_sum(ls_onnx_line *line, const char *x)
{
    ls_onnx_graph *g = line->graph;
    const char *steps = ls_onnx_graph_number(g, (double)line->x[0]->shape.at[0]);
    return ls_onnx_graph_apply(g, "Mul", reduce(g, "ReduceMean", x, false), steps);
}

static const char *pool_mean(ls_onnx_line *line, const char *x)
{
    return reduce(line->graph, "ReduceMean", x, false);
}

static const char *pool_max(ls_onnx_line *line, const char *x)
{
    return reduce(line->graph, "ReduceMax", x, false);
}

static const char *pool_stat(ls_onnx_line *line, const char *x)
{
    ls_onnx_graph *g = line->graph;
    const char *apart = ls_onnx_graph_apply(g, "Sub", x, reduce(g, "ReduceMean", x, true));
    const char *squares = ls_onnx_graph_apply(g, "Mul", apart, apart);
    const char *variance = ls_onnx_graph_apply(g, "Add", reduce(g, "ReduceMean", squares, false),
                                               ls_onnx_graph_number(g, 1e-5));
    const char *deviation = ls_onnx_graph_apply(g, "Sqrt", variance, NULL);
    const char *made = ls_onnx_graph_apply(g, "Concat", pool_mean(line, x), deviation);
    ls_onnx_graph_set_long(g, "axis", 1);
    return made;
}

bool ls_onnx_windows_timepool(ls_onnx_line *line, ls_error *error)
{
    static const char *(*const pools[])(ls_onnx_line * line, const char *x) = {
        pool_sum, pool_mean, pool_max, pool_stat}; /* in the option's order */
    line->y.rows = pools[ls_option_value_choice(line->layer, "type")](
        line, ls_onnx_line_rows(line, line->x[0]));
    return true;
}
