/* window: the windows over images that a spec line asks for. */
#pragma once
#include "core/kernels/window.h"
#include "core/spec.h"
#include "core/tensor.h"

/* As a spec line says it: "5" for both directions, or "5,3" for height and width. */
typedef struct ls_window_options {
    ls_list kernel, stride, pad; /* stride 0: the kernel's size */
    ls_list dilation;            /* no numbers: 1 */
    bool ceil; /* a last window may reach beyond the pad, if it begins inside of the image or of the
                  pad before it (PyTorch's ceil_mode) */
} ls_window_options;

/* Reads an option of one number for both directions, or two; none stands for 1. LS_USAGE errors. */
bool ls_window_read_pair(const ls_list *list, const char *key, long *height, long *width,
                         ls_error *error);
/* The options over a row of shape x: {h, w, c}, or {h, w} for one channel. Leaves `out` 0. */
bool ls_window_read(ls_window *window, const ls_shape *x, const ls_window_options *options,
                    ls_error *error);
/* Sets the window over a row of shape x. LS_USAGE errors if it does not fit. */
bool ls_window_set(ls_window *window, const ls_shape *x, const ls_window_options *options,
                   ls_error *error);
