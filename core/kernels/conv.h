/* conv: convolutions in NHWC, forward and both gradients.
 *
 *     y[n, oh, ow, o] = bias[o] + sum over kh, kw, i of weight[o, kh, kw, i] * x[n, h, w, c],
 *     h = oh * stride - pad + kh * dilation,  likewise w;  x = 0 outside
 *     c = (group of o) * in + i;  the channels of x, and of y, are cut into `groups` equal parts
 *
 * Each pass that makes images is a kernel that slides over images: forward over x, the data
 * gradient over dy with the weight turned round. With stride s, the places of dx fall into s * s
 * phases, each with a part of the kernel: (h + pad) mod s = (kh * dilation) mod s. So a way to
 * compute convolutions, one file each, only knows ls_conv_problem and the gradient of its weight.
 */
#pragma once
#include "core/kernels/window.h"
#include "core/params.h"

typedef struct ls_conv {
    ls_window window; /* over x; y may have fewer places than windows fit */
    long out;         /* channels of y */
    long groups;
    bool exact; /* plain sums: no Winograd */
} ls_conv;

/* The arrays of a pass, all borrowed. A pass that makes images goes from x to y, whichever these
 * are: backward has dy in x, and makes dx in y. */
typedef struct ls_conv_data {
    long rows;
    const real *x;
    const real *weight; /* in panels (ls_conv_layout); backward: what ls_conv_turn made of it */
    const real *bias;   /* forward: of the channels of y; NULL: none */
    real *y;
    bool add;        /* to y, without a bias; else it is overwritten */
    const real *dy;  /* gradient: of x and dy, ... */
    real *dweight;   /* ... added to, ... */
    ls_interval own; /* ... the weights of these channels of dy, in whole ls_conv_unit */
    real *scratch;   /* ls_conv_scratch reals, 64-byte aligned */
} ls_conv_data;

/* A kernel as large as the image is one of 1x1 over a single pixel of all its numbers; the weight
 * lies the same. */
ls_conv ls_conv_simplest(const ls_conv *conv);

/* Of the weight [out, in, h, w]: kernels/panel.h. */
ls_layout ls_conv_layout(const ls_conv *conv);
long ls_conv_unit(const ls_conv *conv);
long ls_conv_scratch(const ls_conv *conv);
/* The weight turned round for backward, reals of it; made anew when the weight changes. */
long ls_conv_turned(const ls_conv *conv);
void ls_conv_turn(const ls_conv *conv, const real *weight, real *turned);

void ls_conv_forward(const ls_conv *conv, const ls_conv_data *data);
void ls_conv_backward(const ls_conv *conv, const ls_conv_data *data);
void ls_conv_gradient(const ls_conv *conv, const ls_conv_data *data);

/* A kernel that slides over images, of one group (or `depthwise`: y[o] sees only x[o]):
 *
 *     y[n, i, j, o] = bias[o] + sum over v < h.kernel, u < w.kernel, k < c of weight[o, v, u, k] *
 *                     x[n, i * h.stride - h.pad + v * h.dilation, likewise w, k]
 *
 * Here a pad below 0 says that the first output begins inside the image. */
typedef struct ls_conv_problem {
    ls_window_axis h, w;
    long c, out;
    long x_pixel;                  /* reals from pixel to pixel; lines follow at once */
    long y_first;                  /* where y[0] begins in its array, ... */
    long y_pixel, y_line, y_image; /* ... and reals from one to the next */
    bool depthwise, exact;
} ls_conv_problem;

/* A way to compute it, of arrays that begin with the channels wanted: weight, dweight are panels
 * [out / 32][h][w][c][32], own begins with one of them. */
typedef struct ls_conv_kernel {
    const char *name;
    bool (*suits)(const ls_conv_problem *slide);
    long (*scratch)(const ls_conv_problem *slide); /* reals, of both passes */
    void (*run)(const ls_conv_problem *slide, const ls_conv_data *data);
    void (*gradient)(const ls_conv_problem *slide,
                     const ls_conv_data *data); /* NULL: takes another's */
} ls_conv_kernel;

extern const ls_conv_kernel ls_conv_winograd;  /* 3x3 and 5x5, stride 1: fewer multiplications */
extern const ls_conv_kernel ls_conv_narrow;    /* few channels: rows innermost */
extern const ls_conv_kernel ls_conv_depthwise; /* a group a channel: channels innermost */
extern const ls_conv_kernel ls_conv_direct;    /* any other: lines of the image, where they are */

/* The first of these, in this order, that suits; `gradient`: and has one. */
const ls_conv_kernel *ls_conv_choose(const ls_conv_problem *slide, bool gradient);
ls_conv_problem ls_conv_slide(const ls_conv *conv); /* forward's */
/* Phase `number` < h.stride * w.stride of the data gradient; without taps both kernels are 0. */
ls_conv_problem ls_conv_phase(const ls_conv *conv, long number);
