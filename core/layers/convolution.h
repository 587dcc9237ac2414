/* convolution: what conv2d, deconv2d and dense have in common. Their private struct begins with an
 * ls_convolution; the option tables of the first two begin with LS_CONVOLUTION_OPTIONS. */
#pragma once
#include "core/kernels/conv.h"
#include "core/layers/weights.h"
#include "core/layers/window.h"

typedef struct ls_convolution {
    ls_weights weights;
    ls_window_options options;
    long out;        /* channels of y */
    ls_conv conv;    /* from x to y; if transposed, from y to x, ... */
    bool transposed; /* ... and the layer's forward is its data gradient */
} ls_convolution;

/* clang-format off */
/* pad_help: what pad= does. */
#define LS_CONVOLUTION_OPTIONS(pad_help)                                                           \
    {"out", LS_OPTION_INT, offsetof(ls_convolution, out), NULL, 1, 1e6, NULL, "output channels"},  \
    {"kernel", LS_OPTION_LIST, offsetof(ls_convolution, options.kernel), NULL, 1, 1e4, NULL,       \
     "5, or height,width"},                                                                        \
    {"stride", LS_OPTION_LIST, offsetof(ls_convolution, options.stride), "1", 1, 1e4, NULL,        \
     "2, or height,width"},                                                                        \
    {"pad", LS_OPTION_LIST, offsetof(ls_convolution, options.pad), "0", 0, 1e4, NULL,              \
     pad_help ": 2, or height,width"},                                                             \
    {"dilation", LS_OPTION_LIST, offsetof(ls_convolution, options.dilation), "1", 1, 1e4, NULL,    \
     "pixels from one weight to the next: 2, or height,width"},                                    \
    {"groups", LS_OPTION_INT, offsetof(ls_convolution, conv.groups), "1", 1, 1e6, NULL,            \
     "equal parts of the channels, each convolved by itself"}
/* clang-format on */

/* For setup, once the window and conv.out are known. LS_USAGE if `groups` does not divide `in`, the
 * channels of x, or out. */
bool ls_convolution_check(const ls_convolution *self, long in, ls_error *error);
/* Claims memory and slots: 0, "weight" [conv.out, window.c / groups, kernel_h, kernel_w], and 1,
 * "bias". fan_in: how many numbers of x one of y is a sum of. LS_USAGE errors of spectral=1. */
bool ls_convolution_claim(ls_layer *layer, double fan_in, ls_error *error);

/* The layer's functions, and the members of its ls_layer_type. */
void ls_convolution_prepare(const ls_layer *layer);
void ls_convolution_forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
void ls_convolution_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
void ls_convolution_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
#define LS_CONVOLUTION_FUNCTIONS                                                                   \
    .prepare = ls_convolution_prepare, .forward = ls_convolution_forward,                          \
    .backward = ls_convolution_backward, .gradient = ls_convolution_gradient
