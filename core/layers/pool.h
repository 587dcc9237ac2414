/* pool: what the pooling layers have in common. Their private struct is an ls_pool. */
#pragma once
#include "core/layer.h"
#include "core/layers/window.h"

typedef struct ls_pool {
    ls_window_options options;
    bool global;
    ls_window window;
} ls_pool;

static const ls_option ls_pool_options[] = {
    {"kernel", LS_OPTION_LIST, offsetof(ls_pool, options.kernel), "0", 0, 1e4, NULL,
     "2, or height,width"},
    {"stride", LS_OPTION_LIST, offsetof(ls_pool, options.stride), "0", 0, 1e4, NULL,
     "0: as the kernel"},
    {"pad", LS_OPTION_LIST, offsetof(ls_pool, options.pad), "0", 0, 1e4, NULL,
     "at most half the kernel"},
    {"ceil", LS_OPTION_BOOL, offsetof(ls_pool, options.ceil), "0", 0, 1, NULL,
     "1: a last window may reach beyond the image"},
    {"global", LS_OPTION_BOOL, offsetof(ls_pool, global), "0", 0, 1, NULL,
     "1: instead of kernel=, one window as large as the image; the output is a vector"},
    {0}};

/* Fills the window, the flops and the output's shape: {h.out, w.out, c}, of a global pool {c}.
 * Every window holds some pixel of the image. */
static inline bool ls_pool_setup(ls_layer *layer, ls_error *error)
{
    ls_pool *self = layer->self;
    ls_window *w = &self->window;
    ls_list *kernel = &self->options.kernel;
    if (self->global && (kernel->at[0] || self->options.stride.at[0] || self->options.pad.at[0] ||
                         self->options.ceil))
        return ls_error_set(error, LS_USAGE,
                            "global=1 takes the whole image: leave kernel=, stride=, pad= and "
                            "ceil= out");
    if (self->global)
        *kernel = (ls_list){2, {layer->x[0].at[0], layer->x[0].at[1]}};
    else if (!kernel->at[0] || !kernel->at[kernel->count - 1])
        return ls_error_set(error, LS_USAGE, "%s needs kernel=, or global=1", layer->type->name);
    if (!ls_window_set(w, &layer->x[0], &self->options, error))
        return false;
    if (2 * w->h.pad > w->h.kernel || 2 * w->w.pad > w->w.kernel)
        return ls_error_set(error, LS_USAGE,
                            "pad %ld,%ld is more than half of the kernel %ldx%ld: a window could "
                            "lie outside of the image",
                            w->h.pad, w->w.pad, w->h.kernel, w->w.kernel);
    layer->y = self->global ? (ls_shape){1, {w->c}} : (ls_shape){3, {w->h.out, w->w.out, w->c}};
    layer->flops = (double)(ls_shape_count(&layer->y) * w->h.kernel * w->w.kernel);
    return true;
}

/* The lines, or columns, of the image that lie in the window of output `o`: [first, last). */
typedef struct ls_pool_span {
    long first, last;
    long counted; /* how many there are with those in the padding */
} ls_pool_span;

static inline ls_pool_span ls_pool_span_of(const ls_window_axis *axis, long o)
{
    long first = o * axis->stride - axis->pad, end = first + axis->kernel;
    long most = axis->size + axis->pad;
    return (ls_pool_span){.first = first < 0 ? 0 : first,
                          .last = end < axis->size ? end : axis->size,
                          .counted = (end < most ? end : most) - first};
}
