/* maxpool: the largest value of a window. Of equal values the first gets the gradient; padding
 * never wins; a window that holds a NaN gives NaN. */
#include "core/clones.h"
#include "core/layers/pool.h"

static const char *const examples[] = {
    "4,6,3 | maxpool kernel=2", "5,4,2 | maxpool kernel=3,2 stride=2,1 pad=1",
    "6,5,2 | maxpool kernel=3 stride=2 ceil=1", "3,5,4 | maxpool global=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    if (!ls_pool_setup(layer, error))
        return false;
    if (ls_shape_count(&layer->x[0]) > INT32_MAX)
        return ls_error_set(error, LS_USAGE, "an input of %ld numbers is more than %d",
                            ls_shape_count(&layer->x[0]), INT32_MAX);
    layer->kept.per_row = (size_t)ls_shape_count(&layer->y) * sizeof(int32_t);
    return true;
}

/* If x[c], whose index in the row is index + c, is larger than best[c] or NaN, it replaces it. */
static LS_INLINE void keep_larger(const real *restrict x, int32_t index, long channels,
                                  real *restrict best, int32_t *restrict where)
{
    for (long c = 0; c < channels; c++) {
        bool larger = (x[c] > best[c]) | (x[c] != x[c]);
        best[c] = larger ? x[c] : best[c];
        where[c] = larger ? index + (int32_t)c : where[c];
    }
}

/* One output pixel: y[c], and its index where[c] in the row's x. */
static LS_INLINE void largest(const ls_window *w, const real *x, long oh, long ow, real *y,
                              int32_t *where)
{
    ls_pool_span lines = ls_pool_span_of(&w->h, oh);
    ls_pool_span columns = ls_pool_span_of(&w->w, ow);
    long first = (lines.first * w->w.size + columns.first) * w->c;
    for (long c = 0; c < w->c; c++) {
        where[c] = (int32_t)(first + c);
        y[c] = x[first + c];
    }
    for (long h = lines.first; h < lines.last; h++)
        for (long i = columns.first; i < columns.last; i++) {
            long index = (h * w->w.size + i) * w->c;
            keep_larger(x + index, (int32_t)index, w->c, y, where);
        }
}

static LS_CLONES void pool_row(const ls_window *w, const real *x, real *y, int32_t *where)
{
    for (long oh = 0; oh < w->h.out; oh++)
        for (long ow = 0; ow < w->w.out; ow++, y += w->c, where += w->c)
            largest(w, x, oh, ow, y, where);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_window *w = &((const ls_pool *)layer->self)->window;
    long in = ls_shape_count(&layer->x[0]), out = ls_shape_count(&layer->y);
    for (long row = 0; row < args->rows; row++)
        pool_row(w, args->x[0] + row * in, args->y + row * out, (int32_t *)args->kept + row * out);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    long in = ls_shape_count(&layer->x[0]), out = ls_shape_count(&layer->y);
    real *dx = ls_layer_args_dx(layer, args, 0);
    const int32_t *where = args->kept;
    const real *dy = args->dy;
    if (!dx)
        return;
    for (long row = 0; row < args->rows; row++, dx += in, dy += out, where += out)
        for (long i = 0; i < out; i++)
            dx[where[i]] += dy[i];
}

const ls_layer_type ls_layer_maxpool = {
    .name = "maxpool",
    .help = "largest value over windows of an image",
    .examples = examples,
    .size = sizeof(ls_pool),
    .options = ls_pool_options,
    .setup = setup,
    .time.ignored = true,
    .forward = forward,
    .backward = backward,
};
