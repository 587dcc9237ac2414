/* avgpool: the mean over a window; places outside of the image count as zeros (PyTorch's
 * count_include_pad). The window is a sum of lines, then a sum along that line. */
#include <string.h>

#include "core/kernels/clones.h"
#include "core/kernels/window.h"
#include "core/layer.h"

typedef struct avgpool {
    ls_list kernel, stride, pad;
    ls_window window;
} avgpool;

static const ls_option options[] = {
    {"kernel", LS_OPTION_LIST, offsetof(avgpool, kernel), NULL, 1, 1e4, NULL, "2, or height,width"},
    {"stride", LS_OPTION_LIST, offsetof(avgpool, stride), "0", 0, 1e4, NULL, "0: as the kernel"},
    {"pad", LS_OPTION_LIST, offsetof(avgpool, pad), "0", 0, 1e4, NULL, "at most half the kernel"},
    {0}};

static const char *const examples[] = {"4,6,3 | avgpool kernel=2",
                                       "5,4,2 | avgpool kernel=3,2 stride=2,1 pad=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    avgpool *self = layer->self;
    ls_window *w = &self->window;
    if (!ls_window_set_pool(w, &layer->x[0], &self->kernel, &self->stride, &self->pad, error))
        return false;
    layer->y = (ls_shape){3, {w->out_h, w->out_w, w->c}};
    layer->scratch.fixed = (size_t)(w->w * w->c) * sizeof(real);
    layer->flops = (double)(ls_shape_count(&layer->y) * w->kernel_h * w->kernel_w);
    return true;
}

/* The lines, or columns, of the image that output `o` sees: [first, last). */
typedef struct span {
    long first, last;
} span;

static span seen(long o, long stride, long pad, long kernel, long size)
{
    long first = o * stride - pad, last = first + kernel;
    return (span){first < 0 ? 0 : first, last > size ? size : last};
}

/* sum[n] += x[n] */
LS_CLONES static void add(const real *x, long n, real *sum)
{
    for (long i = 0; i < n; i++)
        sum[i] += x[i];
}

/* y[out_w, c] = the means along `line` [w, c]. */
LS_CLONES static void mean_along(const ls_window *w, const real *line, real *y)
{
    real part = 1 / (real)(w->kernel_h * w->kernel_w);
    for (long ow = 0; ow < w->out_w; ow++, y += w->c) {
        span in = seen(ow, w->stride_w, w->pad_w, w->kernel_w, w->w);
        for (long c = 0; c < w->c; c++) {
            real sum = 0;
            for (long i = in.first; i < in.last; i++)
                sum += line[i * w->c + c];
            y[c] = sum * part;
        }
    }
}

/* line[w, c] = what each place gets from dy [out_w, c]. */
LS_CLONES static void spread_along(const ls_window *w, const real *dy, real *line)
{
    real part = 1 / (real)(w->kernel_h * w->kernel_w);
    for (long i = 0; i < w->w * w->c; i++)
        line[i] = 0;
    for (long ow = 0; ow < w->out_w; ow++, dy += w->c) {
        span in = seen(ow, w->stride_w, w->pad_w, w->kernel_w, w->w);
        for (long i = in.first; i < in.last; i++)
            for (long c = 0; c < w->c; c++)
                line[i * w->c + c] += dy[c] * part;
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_window *w = &((const avgpool *)layer->self)->window;
    long width = w->w * w->c;
    (void)pass;
    for (long line = 0; line < io->rows * w->out_h; line++) {
        span in = seen(line % w->out_h, w->stride_h, w->pad_h, w->kernel_h, w->h);
        const real *x = io->x[0] + line / w->out_h * w->h * width;
        memcpy(io->scratch, x + in.first * width, (size_t)width * sizeof *x);
        for (long i = in.first + 1; i < in.last; i++)
            add(x + i * width, width, io->scratch);
        mean_along(w, io->scratch, io->y + line * w->out_w * w->c);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_window *w = &((const avgpool *)layer->self)->window;
    long width = w->w * w->c;
    real *dx = ls_io_dx(layer, io, 0);
    (void)pass;
    for (long line = 0; dx && line < io->rows * w->out_h; line++) {
        span in = seen(line % w->out_h, w->stride_h, w->pad_h, w->kernel_h, w->h);
        spread_along(w, io->dy + line * w->out_w * w->c, io->scratch);
        for (long i = in.first; i < in.last; i++)
            add(io->scratch, width, dx + (line / w->out_h * w->h + i) * width);
    }
}

const ls_layer_type ls_layer_avgpool = {
    .name = "avgpool",
    .help = "mean over windows of an image, padding counted",
    .examples = examples,
    .size = sizeof(avgpool),
    .options = options,
    .inputs_min = 1,
    .inputs_max = 1,
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
