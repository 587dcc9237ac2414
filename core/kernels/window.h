/* window: a kernel that slides over an image [h, w, c], and the patches that it sees. */
#pragma once
#include "core/spec.h"
#include "core/tensor.h"

/* Output (oh, ow) sees inputs oh * stride_h - pad_h + [0, kernel_h), likewise for w; what lies
 * outside of the image counts as zero, or not at all. */
typedef struct ls_window {
    long h, w, c;
    long kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
    long out_h, out_w;
} ls_window;

/* From the options "5" or "5,3" (height, width) and a row's shape {h, w, c}, or {h, w} for one
 * channel. LS_USAGE where they do not fit. A stride of 0 is the kernel's size. */
bool ls_window_set(ls_window *window, const ls_shape *x, const ls_list *kernel,
                   const ls_list *stride, const ls_list *pad, ls_error *error);

/* For pooling: also refuses a pad of more than half the kernel, so that each window sees the image.
 */
bool ls_window_set_pool(ls_window *window, const ls_shape *x, const ls_list *kernel,
                        const ls_list *stride, const ls_list *pad, ls_error *error);

/* Positions are (row, oh, ow) counted through; a patch is [kernel_h, kernel_w, c].
 * patches[count, patch] = what positions [first, first + count) see in x [rows, h, w, c]. */
void ls_window_gather(const ls_window *window, const real *x, long first, long count,
                      real *patches);
/* The transpose: adds each patch to where it was seen in dx [rows, h, w, c]. */
void ls_window_scatter(const ls_window *window, const real *patches, long first, long count,
                       real *dx);
