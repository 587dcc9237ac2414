/* maxpool: the largest value of a window. Of equal values the first one counts; places outside of
 * the image never do; a window that holds a NaN gives NaN. */
#include "core/kernels/clones.h"
#include "core/kernels/window.h"
#include "core/layer.h"

typedef struct maxpool {
    ls_list kernel, stride, pad;
    ls_window window;
} maxpool;

static const ls_option options[] = {
    {"kernel", LS_OPTION_LIST, offsetof(maxpool, kernel), NULL, 1, 1e4, NULL, "2, or height,width"},
    {"stride", LS_OPTION_LIST, offsetof(maxpool, stride), "0", 0, 1e4, NULL, "0: as the kernel"},
    {"pad", LS_OPTION_LIST, offsetof(maxpool, pad), "0", 0, 1e4, NULL, "at most half the kernel"},
    {0}};

static const char *const examples[] = {"4,6,3 | maxpool kernel=2",
                                       "5,4,2 | maxpool kernel=3,2 stride=2,1 pad=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    maxpool *self = layer->self;
    ls_window *w = &self->window;
    if (!ls_window_set_pool(w, &layer->x[0], &self->kernel, &self->stride, &self->pad, error))
        return false;
    if (ls_shape_count(&layer->x[0]) > INT32_MAX)
        return ls_error_set(error, LS_USAGE, "an input of %ld numbers is more than %d",
                            ls_shape_count(&layer->x[0]), INT32_MAX);
    layer->y = (ls_shape){3, {w->out_h, w->out_w, w->c}};
    layer->kept.per_row = (size_t)ls_shape_count(&layer->y) * sizeof(int32_t);
    layer->flops = (double)(ls_shape_count(&layer->y) * w->kernel_h * w->kernel_w);
    return true;
}

/* Where x[c] at place `at` of the row is larger than best[c], or NaN, it takes over. */
LS_INLINE void take_larger(const real *x, int32_t at, long channels, real *best, int32_t *where)
{
    for (long c = 0; c < channels; c++) {
        bool larger = (x[c] > best[c]) | (x[c] != x[c]);
        best[c] = larger ? x[c] : best[c];
        where[c] = larger ? at + (int32_t)c : where[c];
    }
}

/* One output place: y[c], and where[c] within the row's x. */
LS_INLINE void largest(const ls_window *w, const real *x, long oh, long ow, real *y, int32_t *where)
{
    long top = oh * w->stride_h - w->pad_h, side = ow * w->stride_w - w->pad_w;
    long first_h = top < 0 ? 0 : top, first_w = side < 0 ? 0 : side;
    for (long c = 0; c < w->c; c++) {
        where[c] = (int32_t)((first_h * w->w + first_w) * w->c + c);
        y[c] = x[where[c]];
    }
    for (long h = first_h; h < top + w->kernel_h && h < w->h; h++)
        for (long i = first_w; i < side + w->kernel_w && i < w->w; i++) {
            long at = (h * w->w + i) * w->c;
            take_larger(x + at, (int32_t)at, w->c, y, where);
        }
}

LS_CLONES static void pool_row(const ls_window *w, const real *x, real *y, int32_t *where)
{
    for (long oh = 0; oh < w->out_h; oh++)
        for (long ow = 0; ow < w->out_w; ow++, y += w->c, where += w->c)
            largest(w, x, oh, ow, y, where);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_window *w = &((const maxpool *)layer->self)->window;
    long in = ls_shape_count(&layer->x[0]), out = ls_shape_count(&layer->y);
    (void)pass;
    for (long row = 0; row < io->rows; row++)
        pool_row(w, io->x[0] + row * in, io->y + row * out, (int32_t *)io->kept + row * out);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    long in = ls_shape_count(&layer->x[0]), out = ls_shape_count(&layer->y);
    real *dx = ls_io_dx(layer, io, 0);
    const int32_t *where = io->kept;
    (void)pass;
    for (long i = 0; dx && i < io->rows * out; i++)
        dx[i / out * in + where[i]] += io->dy[i];
}

const ls_layer_type ls_layer_maxpool = {
    .name = "maxpool",
    .help = "largest value over windows of an image",
    .examples = examples,
    .size = sizeof(maxpool),
    .options = options,
    .inputs_min = 1,
    .inputs_max = 1,
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
