/* window: a kernel that slides over an image [h, w, c], and the patches that it sees. */
#pragma once
#include "core/spec.h"
#include "core/tensor.h"

/* Output (oh, ow) sees inputs oh * stride_h - pad_h + dilation_h * [0, kernel_h), likewise for w;
 * what lies outside of the image counts as zero, or not at all. */
typedef struct ls_window {
    long h, w, c;
    long kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    long out_h, out_w;
} ls_window;

/* As a spec line says it: "5" for both directions, or "5,3" for height and width. */
typedef struct ls_window_options {
    ls_list kernel, stride, pad; /* stride 0: the kernel's size */
    ls_list dilation;            /* no numbers: 1 */
    bool ceil; /* a last window may reach beyond the pad, if it begins inside of the image or of the
                  pad before it (PyTorch's ceil_mode) */
} ls_window_options;

/* Over a row of shape x: {h, w, c}, or {h, w} for one channel. LS_USAGE where they do not fit. */
bool ls_window_set(ls_window *window, const ls_shape *x, const ls_window_options *options,
                   ls_error *error);

/* Of `channels` channels of an image: x points to the first of them in the first pixel. Positions
 * are (row, oh, ow) counted through; a patch is [kernel_h, kernel_w, channels].
 * patches[count, patch] = what positions [first, first + count) see in x [rows, h, w, c]. */
void ls_window_gather(const ls_window *window, const real *x, long channels, long first, long count,
                      real *patches);
/* The transpose: adds each patch to where it was seen in dx [rows, h, w, c]. */
void ls_window_scatter(const ls_window *window, const real *patches, long channels, long first,
                       long count, real *dx);
