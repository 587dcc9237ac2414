/* window: the windows that a spec line asks for. */
#include "core/layers/window.h"

#include <stdio.h>

bool ls_window_read_pair(const ls_list *list, const char *key, long *height, long *width,
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

bool ls_window_read(ls_window *window, const ls_shape *x, const ls_window_options *o,
                    ls_error *error)
{
    char shape[96];
    if (x->rank != 2 && x->rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "takes images, height x width x channels, but its input is %s%s",
                            ls_shape_text(x, shape, sizeof shape),
                            x->rank == 1 ? ": a line `reshape shape=HEIGHT,WIDTH,CHANNELS` makes "
                                           "an image of it"
                                         : "");
    ls_window_axis *h = &window->h, *w = &window->w;
    *window = (ls_window){{.size = x->at[0]}, {.size = x->at[1]}, x->rank == 3 ? x->at[2] : 1};
    return ls_window_read_pair(&o->kernel, "kernel", &h->kernel, &w->kernel, error) &&
           ls_window_read_pair(&o->stride, "stride", &h->stride, &w->stride, error) &&
           ls_window_read_pair(&o->pad, "pad", &h->pad, &w->pad, error) &&
           ls_window_read_pair(&o->dilation, "dilation", &h->dilation, &w->dilation, error);
}

/* Sets stride and out; whether the kernel fits. */
static bool set_out(ls_window_axis *axis, bool ceil)
{
    axis->stride = axis->stride ? axis->stride : axis->kernel;
    long stride = axis->stride, room = axis->size + 2 * axis->pad - ls_window_axis_reach(axis, 1);
    axis->out = (ceil ? room + stride - 1 : room) / stride + 1;
    if (ceil && (axis->out - 1) * stride >= axis->size + axis->pad)
        axis->out--;
    return room >= 0;
}

static bool too_large(const ls_window_axis *h, const ls_window_axis *w, ls_error *error)
{
    char dilation[64] = "";
    if (h->dilation > 1 || w->dilation > 1)
        snprintf(dilation, sizeof dilation, " with dilation %ld,%ld", h->dilation, w->dilation);
    return ls_error_set(error, LS_USAGE,
                        "kernel %ldx%ld%s is larger than its input of %ldx%ld with pad %ld,%ld: "
                        "take a smaller kernel, or more pad",
                        h->kernel, w->kernel, dilation, h->size, w->size, h->pad, w->pad);
}

bool ls_window_set(ls_window *window, const ls_shape *x, const ls_window_options *options,
                   ls_error *error)
{
    if (!ls_window_read(window, x, options, error))
        return false;
    bool high = set_out(&window->h, options->ceil), wide = set_out(&window->w, options->ceil);
    return (high && wide) || too_large(&window->h, &window->w, error);
}
