/* window: a kernel that slides over an image [h, w, c]. Output (oh, ow) sees inputs
 * oh * stride_h - pad_h + dilation_h * [0, kernel_h), likewise for w; what lies outside of the
 * image counts as zero, or not at all. */
#pragma once

typedef struct ls_window {
    long h, w, c;
    long kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    long out_h, out_w;
} ls_window;
