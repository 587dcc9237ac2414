/* conv: the ways to compute a convolution, one file each; ls_conv_choose has the table.
 *
 *     y[n, oh, ow, o] = bias[o] + sum over kh, kw, i of weight[o, kh, kw, i] * x[n, h, w, c],
 *     h = oh * stride_h - pad_h + kh * dilation_h,  likewise w;  x = 0 outside
 *     c = (group of o) * in + i;  the channels of x, and of y, are cut into `groups` equal parts
 *
 * All in NHWC; in: channels of x a group. Each way has its own layout of the weight. */
#pragma once
#include "core/kernels/window.h"
#include "core/params.h"

typedef struct ls_conv {
    ls_window window; /* over x; y may have fewer places than windows fit */
    long out;         /* channels of y */
    long groups;
    bool exact; /* plain sums: no Winograd */
} ls_conv;

/* The arrays of one call, all borrowed. bias is NULL where there is none. */
typedef struct ls_conv_data {
    long rows;
    const real *weight, *bias;
    const real *prepared; /* of the kernel, as `prepare` made it */
    const real *x;
    real *y;         /* forward */
    const real *dy;  /* backward and gradient */
    real *dx;        /* backward */
    bool add;        /* to dx, or without a bias to y; else it is overwritten */
    real *dweight;   /* gradient: added to, ... */
    ls_interval own; /* ... the weights of these channels of y, in whole units */
    real *scratch;   /* 64-byte aligned */
} ls_conv_data;

typedef struct ls_conv_kernel {
    const char *name;
    long unit;               /* channels of y whose gradient is taken together */
    const ls_layout *layout; /* of the weight */
    bool (*suits)(const ls_conv *conv);
    long (*scratch)(const ls_conv *conv);  /* reals */
    long (*prepared)(const ls_conv *conv); /* reals; NULL: none */
    void (*prepare)(const ls_conv *conv, const real *weight, real *prepared);
    void (*forward)(const ls_conv *conv, const ls_conv_data *data);
    void (*backward)(const ls_conv *conv, const ls_conv_data *data);
    void (*gradient)(const ls_conv *conv, const ls_conv_data *data);
} ls_conv_kernel;

/* [out, kernel_h, kernel_w, in] */
extern const ls_layout ls_conv_taps;

extern const ls_conv_kernel ls_conv_winograd;  /* 3x3 and 5x5, stride 1: fewer multiplications */
extern const ls_conv_kernel ls_conv_narrow;    /* few channels, stride 1: rows innermost */
extern const ls_conv_kernel ls_conv_depthwise; /* a group a channel: channels innermost */
extern const ls_conv_kernel ls_conv_direct;    /* lines of the image, where they are */
extern const ls_conv_kernel ls_conv_gemm;      /* any: patches in tiles, times the weight */

/* The first of these, in this order, that suits the shape. */
const ls_conv_kernel *ls_conv_choose(const ls_conv *conv);
