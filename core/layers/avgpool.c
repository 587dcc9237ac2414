/* avgpool: the mean over a window. Pixels of the padding count as zeros (PyTorch's
 * count_include_pad), those beyond it do not count. First the lines of the windows are added to one
 * line, then the pixels along that line. */
#include <string.h>

#include "core/clones.h"
#include "core/layers/pool.h"

static const char *const examples[] = {
    "4,6,3 | avgpool kernel=2", "5,4,2 | avgpool kernel=3,2 stride=2,1 pad=1",
    "6,5,2 | avgpool kernel=3 stride=2 pad=1 ceil=1", "3,5,4 | avgpool global=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const ls_window *w = &((const ls_pool *)layer->self)->window;
    if (!ls_pool_setup(layer, error))
        return false;
    layer->scratch.fixed = (size_t)(w->w.size * w->c) * sizeof(real);
    return true;
}

/* sum[n] += x[n] */
static LS_CLONES void add(const real *x, long n, real *sum)
{
    for (long i = 0; i < n; i++)
        sum[i] += x[i];
}

/* y[out_w, c] = the means along `line` [w, c], which is a sum of `lines`. */
static LS_CLONES void mean_along(const ls_window *w, const real *restrict line, long lines,
                                 real *restrict y)
{
    for (long ow = 0; ow < w->w.out; ow++, y += w->c) {
        ls_pool_span in = ls_pool_span_of(&w->w, ow);
        real part = 1 / (real)(lines * in.counted);
        for (long c = 0; c < w->c; c++)
            y[c] = 0;
        for (long i = in.first; i < in.last; i++)
            for (long c = 0; c < w->c; c++)
                y[c] += line[i * w->c + c];
        for (long c = 0; c < w->c; c++)
            y[c] *= part;
    }
}

/* line[w, c] = what each pixel of each of `lines` gets from dy [out_w, c]. */
static LS_CLONES void spread_along(const ls_window *w, const real *restrict dy, long lines,
                                   real *restrict line)
{
    for (long i = 0; i < w->w.size * w->c; i++)
        line[i] = 0;
    for (long ow = 0; ow < w->w.out; ow++, dy += w->c) {
        ls_pool_span in = ls_pool_span_of(&w->w, ow);
        real part = 1 / (real)(lines * in.counted);
        for (long i = in.first; i < in.last; i++)
            for (long c = 0; c < w->c; c++)
                line[i * w->c + c] += dy[c] * part;
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_window *w = &((const ls_pool *)layer->self)->window;
    long width = w->w.size * w->c;
    for (long line = 0; line < args->rows * w->h.out; line++) {
        ls_pool_span in = ls_pool_span_of(&w->h, line % w->h.out);
        const real *x = args->x[0] + line / w->h.out * w->h.size * width;
        memcpy(args->scratch, x + in.first * width, (size_t)width * sizeof *x);
        for (long i = in.first + 1; i < in.last; i++)
            add(x + i * width, width, args->scratch);
        mean_along(w, args->scratch, in.counted, args->y + line * w->w.out * w->c);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_window *w = &((const ls_pool *)layer->self)->window;
    long width = w->w.size * w->c;
    real *dx = ls_layer_args_dx(layer, args, 0);
    if (!dx)
        return;
    for (long line = 0; line < args->rows * w->h.out; line++) {
        ls_pool_span in = ls_pool_span_of(&w->h, line % w->h.out);
        spread_along(w, args->dy + line * w->w.out * w->c, in.counted, args->scratch);
        for (long i = in.first; i < in.last; i++)
            add(args->scratch, width, dx + (line / w->h.out * w->h.size + i) * width);
    }
}

const ls_layer_type ls_layer_avgpool = {
    .name = "avgpool",
    .help = "mean over windows of an image, padding counted",
    .examples = examples,
    .size = sizeof(ls_pool),
    .options = ls_pool_options,
    .setup = setup,
    .time.ignored = true,
    .forward = forward,
    .backward = backward,
};
