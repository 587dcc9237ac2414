/* onnx_windows: convolutions and pools in ONNX, over images with channels first. */
#include "launch/export/onnx_windows.h"

#include <stdio.h>

#include "core/layers/pool.h"
#include "core/memory.h"
#include "launch/export/option_value.h"

/* Sets an attribute [height, width] by the line's option. */
static void set_pair(ls_onnx_line *line, const char *attribute, const char *key)
{
    long pair[2];
    ls_option_value_pair(line->layer, key, pair);
    ls_onnx_graph_set_longs(line->graph, attribute, 2, pair);
}

/* Conv or ConvTranspose: the weights of both lie as lockstep's do. */
static void convolution(ls_onnx_line *line, const char *op)
{
    ls_onnx_graph *g = line->graph;
    long pad[2];
    const char *x = ls_onnx_line_channels(line, line->x[0]);
    const char *bias =
        ls_option_value_bool(line->layer, "bias") ? ls_onnx_line_constant(line, 1) : NULL;
    line->y.channels = ls_onnx_graph_add(
        g, op, (const char *const[]){x, ls_onnx_line_constant(line, 0), bias, NULL});
    ls_option_value_pair(line->layer, "pad", pad);
    ls_onnx_graph_set_longs(g, "pads", 4, (const long[]){pad[0], pad[1], pad[0], pad[1]});
    set_pair(line, "kernel_shape", "kernel");
    set_pair(line, "strides", "stride");
    set_pair(line, "dilations", "dilation");
    ls_onnx_graph_set_long(g, "group", ls_option_value_long(line->layer, "groups"));
}

bool ls_onnx_windows_conv2d(ls_onnx_line *line, ls_error *error)
{
    convolution(line, "Conv");
    return true;
}

bool ls_onnx_windows_deconv2d(ls_onnx_line *line, ls_error *error)
{
    convolution(line, "ConvTranspose");
    set_pair(line, "output_padding", "output_pad");
    return true;
}

/* Pixels that the windows reach beyond the end of the image. */
static long pad_behind(const ls_window_axis *axis)
{
    const long behind = (axis->out - 1) * axis->stride + axis->kernel - axis->size - axis->pad;
    return behind > 0 ? behind : 0;
}

/* With the pad behind the image that makes as many windows as lockstep has, where ceil=1 too. */
static void set_window(ls_onnx_graph *g, const ls_window *w)
{
    ls_onnx_graph_set_longs(g, "kernel_shape", 2, (const long[]){w->h.kernel, w->w.kernel});
    ls_onnx_graph_set_longs(g, "strides", 2, (const long[]){w->h.stride, w->w.stride});
    ls_onnx_graph_set_longs(
        g, "pads", 4, (const long[]){w->h.pad, w->w.pad, pad_behind(&w->h), pad_behind(&w->w)});
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
    if (self->global) {
        pool_all(line, "GlobalMaxPool");
        return true;
    }
    line->y.channels =
        ls_onnx_graph_apply(line->graph, "MaxPool", ls_onnx_line_channels(line, line->x[0]), NULL);
    set_window(line->graph, &self->window);
    return true;
}

/* AveragePool divides by all pixels of a window. Ours that reach beyond the pad divide by those
 * inside of it: the factor of each output, [1, 1, h, w]; NULL: all are 1. */
static float *factors(const ls_window *w)
{
    bool different = false;
    float *factor = ls_alloc((size_t)(w->h.out * w->w.out), sizeof *factor);
    for (long i = 0; i < w->h.out; i++)
        for (long k = 0; k < w->w.out; k++) {
            const long counted =
                ls_pool_span_of(&w->h, i).counted * ls_pool_span_of(&w->w, k).counted;
            const long all = w->h.kernel * w->w.kernel;
            factor[i * w->w.out + k] = (float)all / (float)counted;
            different |= counted != all;
        }
    if (different)
        return factor;
    ls_free(factor);
    return NULL;
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
    line->y.channels =
        ls_onnx_graph_apply(g, "AveragePool", ls_onnx_line_channels(line, line->x[0]), NULL);
    set_window(g, w);
    ls_onnx_graph_set_long(g, "count_include_pad", 1);
    float *factor = factors(w);
    if (factor) {
        char name[2 * LS_WORD];
        snprintf(name, sizeof name, "%s/factors", line->layer->name);
        const ls_shape shape = {4, {1, 1, w->h.out, w->w.out}};
        line->y.channels = ls_onnx_graph_apply(g, "Mul", line->y.channels,
                                               ls_onnx_graph_numbers(g, name, &shape, factor));
    }
    return true;
}
