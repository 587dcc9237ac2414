/* convolution: what conv2d and deconv2d have in common. Their private struct begins with an
 * ls_convolution, their option table with LS_CONVOLUTION_OPTIONS. */
#pragma once
#include "core/kernels/conv.h"
#include "core/kernels/rows.h"
#include "core/layers/weights.h"

typedef struct ls_convolution {
    ls_weights weights;
    ls_window_options sees;
    long out;     /* channels of y */
    ls_conv conv; /* conv2d: from x to y; deconv2d: from y to x */
    const ls_conv_kernel *how;
} ls_convolution;

/* clang-format off */
/* pad_help: what pad= does. */
#define LS_CONVOLUTION_OPTIONS(pad_help)                                                           \
    {"out", LS_OPTION_INT, offsetof(ls_convolution, out), NULL, 1, 1e6, NULL, "output channels"},  \
    {"kernel", LS_OPTION_LIST, offsetof(ls_convolution, sees.kernel), NULL, 1, 1e4, NULL,          \
     "5, or height,width"},                                                                        \
    {"stride", LS_OPTION_LIST, offsetof(ls_convolution, sees.stride), "1", 1, 1e4, NULL,           \
     "2, or height,width"},                                                                        \
    {"pad", LS_OPTION_LIST, offsetof(ls_convolution, sees.pad), "0", 0, 1e4, NULL,                 \
     pad_help ": 2, or height,width"},                                                             \
    {"dilation", LS_OPTION_LIST, offsetof(ls_convolution, sees.dilation), "1", 1, 1e4, NULL,       \
     "places from one weight to the next: 2, or height,width"},                                    \
    {"groups", LS_OPTION_INT, offsetof(ls_convolution, conv.groups), "1", 1, 1e6, NULL,            \
     "equal parts of the channels, each convolved by itself"}
/* clang-format on */

/* `in`: channels of x. */
static inline bool ls_convolution_check(const ls_convolution *self, long in, ls_error *error)
{
    long groups = self->conv.groups;
    return (in % groups == 0 && self->out % groups == 0) ||
           ls_error_set(error, LS_USAGE,
                        "groups=%ld cuts channels into equal parts, but its input has %ld and "
                        "out=%ld: take a number that divides both",
                        groups, in, self->out);
}

/* For setup, once the window and conv.out are known: the kernel, its memory, and slot 0, "weight"
 * [conv.out, window.c / groups, kernel_h, kernel_w], with a bias slot 1. fan_in: numbers of x that
 * one of y is a sum of. */
static inline void ls_convolution_claim(ls_layer *layer, double fan_in)
{
    ls_convolution *self = layer->self;
    const ls_conv *conv = &self->conv;
    const ls_window *w = &conv->window;
    const ls_shape weight = {4, {conv->out, w->c / conv->groups, w->kernel_h, w->kernel_w}};
    self->conv.exact = layer->params->exact_conv;
    self->how = ls_conv_choose(conv);
    ls_weights_claim(layer, &weight, self->out, fan_in,
                     (double)(self->out / conv->groups * w->kernel_h * w->kernel_w),
                     self->how->layout);
    layer->scratch.fixed = (size_t)self->how->scratch(conv) * sizeof(real);
    layer->prepared_size = self->how->prepared ? self->how->prepared(conv) : 0;
    layer->flops = 2.0 * (double)ls_shape_count(&weight) * (double)(w->out_h * w->out_w);
}

static inline void ls_convolution_prepare(const ls_layer *layer)
{
    const ls_convolution *self = layer->self;
    if (self->how->prepare)
        self->how->prepare(&self->conv, ls_layer_value(layer, 0),
                           layer->params->prepared + layer->prepared);
}

/* What the passes of both have in common. */
static inline ls_conv_data ls_convolution_data(const ls_layer *layer, const ls_io *io)
{
    const ls_convolution *self = layer->self;
    return (ls_conv_data){
        .rows = io->rows,
        .weight = ls_layer_value(layer, 0),
        .prepared = self->how->prepared ? layer->params->prepared + layer->prepared : NULL,
        .scratch = io->scratch};
}

/* x, dy: as the kernel has them. */
static inline void ls_convolution_gradient(const ls_layer *layer, const ls_pass *pass,
                                           const ls_io *io, const real *x, const real *dy)
{
    const ls_convolution *self = layer->self;
    const ls_interval bias = ls_io_part(io, self->out, 1);
    ls_conv_data data = ls_convolution_data(layer, io);
    data.x = x;
    data.dy = dy;
    data.dweight = ls_layer_gradient(layer, pass, 0);
    data.own = ls_io_part(io, self->conv.out, self->how->unit);
    if (data.own.begin < data.own.end)
        self->how->gradient(&self->conv, &data);
    if (self->weights.bias)
        ls_rows_sum(io->dy + bias.begin, io->rows * ls_shape_count(&layer->y) / self->out,
                    self->out, bias.end - bias.begin,
                    ls_layer_gradient(layer, pass, 1) + bias.begin);
}
