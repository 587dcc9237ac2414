/* conv: convolutions of images in NHWC order, forward and both gradients.
 *
 *     y[n, oh, ow, o] = bias[o] + sum over kh, kw, i of weight[o, kh, kw, i] * x[n, h, w, c]
 *     h = oh * stride - pad + kh * dilation, w likewise; x is 0 outside of the image
 *     c = (group of o) * in + i; the channels of x, and those of y, are cut into `groups` equal
 *     parts, and o belongs to one of them
 *
 * Words: an image has pixels of `c` channels; a *window* is what one output reads of the image; a
 * *tap* is one position (kh, kw) of the kernel; a *line* is a row of pixels.
 *
 * All passes that make an image are the same problem (ls_conv_problem): a kernel goes over an image
 * in steps, and each window gives one output pixel.
 *
 *     forward        the image is x, the kernel the weight, the outputs y
 *     data gradient  the image is dy, the kernel the weight flipped (the last tap first, inputs and
 *                    outputs exchanged), the outputs dx
 *
 * With stride s > 1 the pixels of dx are of s * s kinds, called *phases*: which taps of the kernel
 * can reach a pixel depends on its position modulo s. For stride 2 and a 3x3 kernel, in one
 * direction (p: pad):
 *
 *     (h + p) mod 2 = 0:  taps 0 and 2        (h + p) mod 2 = 1:  tap 1
 *
 * In general phase q has the taps with kh * dilation mod s = q. The pixels of one phase, every
 * s-th in each direction, are an image of their own, and its problem has stride 1 over dy and a
 * kernel of only these taps. So the data gradient is s * s problems, one after the other; a phase
 * without taps (kernel smaller than stride) leaves zeros, and one without pixels (image smaller
 * than stride) is passed over.
 *
 * So a way to compute convolutions (ls_conv_kernel, one file each) knows nothing of passes, groups
 * or strides of dx: it solves a problem, and gives the gradient of the problem's weight. */
#pragma once
#include "core/kernels/window.h"
#include "core/params.h"

typedef struct ls_conv {
    ls_window window; /* over x; its `out` may be less than the windows that fit */
    long out;         /* channels of y */
    long groups;
    bool exact; /* plain sums: no Winograd */
} ls_conv;

/* The arrays of a pass, all borrowed. In forward and in the data gradient, x is what is read and y
 * what is made: in the data gradient dy is in x, and dx in y. */
typedef struct ls_conv_data {
    long rows; /* images */
    const real *x;
    const real *weight; /* in panels (ls_conv_layout); data gradient: what ls_conv_flip made */
    const real *bias;   /* [channels of y]; data gradient: NULL; NULL: none */
    real *y;
    bool add; /* adds to y (then there is no bias); else y is overwritten */
    /* Weight gradient: from x and dy, added to dweight. */
    const real *dy;
    real *dweight;
    ls_interval part; /* only the weights of these channels of dy, in whole ls_conv_unit */
    real *scratch;    /* ls_conv_scratch reals, 64-byte aligned */
} ls_conv_data;

/* If the kernel covers the whole image, the convolution is a dense layer: returns it as a 1x1
 * kernel over one pixel with h * w * c channels; the stored weights need no change. Else a copy. */
ls_conv ls_conv_simplest(const ls_conv *conv);

/* Of the weight [out, in, h, w]: panels (kernels/panel.h). */
ls_layout ls_conv_layout(const ls_conv *conv);
/* Parts of the weight gradient must be cut at multiples of so many channels of dy. */
long ls_conv_unit(const ls_conv *conv);
/* Reals of scratch that any pass needs. */
long ls_conv_scratch(const ls_conv *conv);
/* The flipped weight, for the data gradient: its reals, and how it is made from the weight. Must be
 * made anew whenever the weight changes. */
long ls_conv_flipped_size(const ls_conv *conv);
void ls_conv_flip(const ls_conv *conv, const real *weight, real *flipped);

void ls_conv_forward(const ls_conv *conv, const ls_conv_data *data);
void ls_conv_backward(const ls_conv *conv, const ls_conv_data *data); /* the data gradient */
void ls_conv_gradient(const ls_conv *conv, const ls_conv_data *data); /* the weight gradient */

/* One kernel over images, of one group (or `depthwise`, all groups at once, each of one channel:
 * y[o] then reads x[o] only):
 *
 *     y[n, i, j, o] = bias[o] + sum over v < h.kernel, u < w.kernel, k < c of weight[o, v, u, k] *
 *                     x[n, i * h.stride - h.pad + v * h.dilation, likewise w, k]
 *
 * A pad below 0 means that the first window begins inside of the image. */
typedef struct ls_conv_problem {
    ls_window_axis h, w;
    long c, out;                   /* channels read and made */
    long x_pixel;                  /* reals from pixel to pixel of x; its lines have no gaps */
    long y_first;                  /* index of the first real of y in its array */
    long y_pixel, y_line, y_image; /* reals from one to the next */
    bool depthwise, exact;
} ls_conv_problem;

/* A way to solve problems. Its arrays begin at the first channel of the group; weight and dweight
 * are panels [out / 32][h][w][c][32], and data->part begins at a panel. */
typedef struct ls_conv_kernel {
    const char *name;
    bool (*suits)(const ls_conv_problem *problem);
    long (*scratch)(const ls_conv_problem *problem); /* reals, enough for both functions */
    void (*run)(const ls_conv_problem *problem, const ls_conv_data *data);
    /* NULL: the next way that suits computes it. */
    void (*gradient)(const ls_conv_problem *problem, const ls_conv_data *data);
} ls_conv_kernel;

extern const ls_conv_kernel ls_conv_winograd;  /* 3 or 5 taps, stride 1: fewer multiplications */
extern const ls_conv_kernel ls_conv_narrow;    /* few channels: vectors along the batch's rows */
extern const ls_conv_kernel ls_conv_depthwise; /* one channel a group: vectors along channels */
extern const ls_conv_kernel ls_conv_direct;    /* all others: products over the lines of x */

/* The first of these, in this order, that suits; for the gradient: that suits and has one. */
const ls_conv_kernel *ls_conv_choose(const ls_conv_problem *problem);
const ls_conv_kernel *ls_conv_choose_gradient(const ls_conv_problem *problem);
/* The problem of forward, and that of one phase < h.stride * w.stride of the data gradient (of a
 * phase without taps a kernel is 0, of one without pixels an out). */
ls_conv_problem ls_conv_forward_problem(const ls_conv *conv);
ls_conv_problem ls_conv_backward_problem(const ls_conv *conv, long phase);
