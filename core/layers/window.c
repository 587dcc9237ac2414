/* window: the windows that a spec line asks for. */
#include "core/layers/window.h"

#include <stdio.h>

/* One direction of an option: "5" is both, "5,3" height and width. */
static bool read_pair(const ls_list *list, const char *key, long *height, long *width,
                      ls_error *error)
{
    if (list->count > 2)
        return ls_error_set(error, LS_USAGE,
                            "%s= takes one number, or two as height,width; found %d numbers", key,
                            list->count);
    *height = list->count ? list->at[0] : 1;
    *width = list->count == 2 ? list->at[1] : *height;
    return true;
}

static bool read_options(ls_window *w, const ls_window_options *options, ls_error *error)
{
    if (!read_pair(&options->kernel, "kernel", &w->kernel_h, &w->kernel_w, error) ||
        !read_pair(&options->stride, "stride", &w->stride_h, &w->stride_w, error) ||
        !read_pair(&options->pad, "pad", &w->pad_h, &w->pad_w, error) ||
        !read_pair(&options->dilation, "dilation", &w->dilation_h, &w->dilation_w, error))
        return false;
    w->stride_h = w->stride_h ? w->stride_h : w->kernel_h;
    w->stride_w = w->stride_w ? w->stride_w : w->kernel_w;
    return true;
}

/* The outputs along one direction, for a kernel that spans `reach` places. */
static long count_outputs(long size, long reach, long stride, long pad, bool ceil)
{
    long room = size + 2 * pad - reach;
    long out = (ceil ? room + stride - 1 : room) / stride + 1;
    return ceil && (out - 1) * stride >= size + pad ? out - 1 : out;
}

static bool too_large(const ls_window *w, ls_error *error)
{
    char dilation[64] = "";
    if (w->dilation_h > 1 || w->dilation_w > 1)
        snprintf(dilation, sizeof dilation, " with dilation %ld,%ld", w->dilation_h, w->dilation_w);
    return ls_error_set(error, LS_USAGE,
                        "kernel %ldx%ld%s is larger than its input of %ldx%ld with pad %ld,%ld: "
                        "take a smaller kernel, or more pad",
                        w->kernel_h, w->kernel_w, dilation, w->h, w->w, w->pad_h, w->pad_w);
}

bool ls_window_set(ls_window *window, const ls_shape *x, const ls_window_options *options,
                   ls_error *error)
{
    char shape[96];
    if (x->rank != 2 && x->rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "takes images, height x width x channels, but its input is %s",
                            ls_shape_text(x, shape, sizeof shape));
    ls_window w = {.h = x->at[0], .w = x->at[1], .c = x->rank == 3 ? x->at[2] : 1};
    if (!read_options(&w, options, error))
        return false;
    long reach_h = w.dilation_h * (w.kernel_h - 1) + 1,
         reach_w = w.dilation_w * (w.kernel_w - 1) + 1;
    if (reach_h > w.h + 2 * w.pad_h || reach_w > w.w + 2 * w.pad_w)
        return too_large(&w, error);
    w.out_h = count_outputs(w.h, reach_h, w.stride_h, w.pad_h, options->ceil);
    w.out_w = count_outputs(w.w, reach_w, w.stride_w, w.pad_w, options->ceil);
    *window = w;
    return true;
}
