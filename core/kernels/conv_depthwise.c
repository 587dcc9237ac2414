/* conv_depthwise: convolutions of each channel by itself, with the channels innermost.
 *
 * y, dx and dweight are sums of the same products, of three arrays that are contiguous in c:
 *
 *     y[oh, ow, c] += x[h, w, c] weight[kh, kw, c]        dx += dy weight        dweight += x dy
 *
 * so one loop over positions and taps (kh, kw) serves all; it is told which array gets the sums.
 * The weight is prepared as [kernel_h, kernel_w, c]. */
#include <string.h>

#include "core/kernels/clones.h"
#include "core/kernels/conv.h"
#include "core/kernels/rows.h"

/* What an array holds: pixels [h, w, c], taps [kernel_h, kernel_w, c], outputs [out_h, out_w, c].
 */
enum { PIXELS, TAPS, OUTPUTS };

/* `to` gets the products of a and b. */
typedef struct products {
    const real *a, *b;
    real *to;
    int of_a, of_b, of_to; /* PIXELS, TAPS, OUTPUTS: one each */
    ls_interval own;       /* channels */
} products;

/* Those of output (oh, ow). */
LS_INLINE void multiply_place(const ls_window *w, const products *p, long oh, long ow)
{
    for (long kh = 0; kh < w->kernel_h; kh++)
        for (long kw = 0; kw < w->kernel_w; kw++) {
            long line = oh * w->stride_h - w->pad_h + kh * w->dilation_h;
            long column = ow * w->stride_w - w->pad_w + kw * w->dilation_w;
            if (line < 0 || line >= w->h || column < 0 || column >= w->w)
                continue;
            long at[] = {[PIXELS] = (line * w->w + column) * w->c,
                         [TAPS] = (kh * w->kernel_w + kw) * w->c,
                         [OUTPUTS] = (oh * w->out_w + ow) * w->c};
            const real *a = p->a + at[p->of_a], *b = p->b + at[p->of_b];
            real *restrict to = p->to + at[p->of_to];
            for (long c = p->own.begin; c < p->own.end; c++)
                to[c] += a[c] * b[c];
        }
}

LS_CLONES static void multiply_row(const ls_window *w, const products *p)
{
    for (long oh = 0; oh < w->out_h; oh++)
        for (long ow = 0; ow < w->out_w; ow++)
            multiply_place(w, p, oh, ow);
}

static bool suits(const ls_conv *conv)
{
    return conv->groups > 1 && conv->groups == conv->window.c && conv->groups == conv->out;
}

static long weights(const ls_conv *conv)
{
    return conv->window.kernel_h * conv->window.kernel_w * conv->window.c;
}

/* Stored as [c, kernel_h, kernel_w]. */
static void prepare(const ls_conv *conv, const real *weight, real *prepared)
{
    long channels = conv->window.c, taps = weights(conv) / channels;
    for (long c = 0; c < channels; c++)
        for (long tap = 0; tap < taps; tap++)
            prepared[tap * channels + c] = weight[c * taps + tap];
}

static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long positions = w->out_h * w->out_w;
    for (long row = 0; row < data->rows; row++) {
        products p = {data->x + row * w->h * w->w * w->c,
                      data->prepared,
                      data->y + row * positions * w->c,
                      PIXELS,
                      TAPS,
                      OUTPUTS,
                      {0, w->c}};
        if (data->bias)
            ls_rows_fill(p.to, data->bias, positions, w->c);
        else if (!data->add)
            memset(p.to, 0, (size_t)(positions * w->c) * sizeof *p.to);
        multiply_row(w, &p);
    }
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long x_row = w->h * w->w * w->c, y_row = w->out_h * w->out_w * w->c;
    if (!data->add)
        memset(data->dx, 0, (size_t)(data->rows * x_row) * sizeof *data->dx);
    for (long row = 0; row < data->rows; row++)
        multiply_row(w, &(products){data->dy + row * y_row,
                                    data->prepared,
                                    data->dx + row * x_row,
                                    OUTPUTS,
                                    TAPS,
                                    PIXELS,
                                    {0, w->c}});
}

/* The products of a row are summed in scratch by themselves. */
static void gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long x_row = w->h * w->w * w->c, y_row = w->out_h * w->out_w * w->c;
    long taps = w->kernel_h * w->kernel_w;
    for (long row = 0; row < data->rows; row++) {
        memset(data->scratch, 0, (size_t)weights(conv) * sizeof *data->scratch);
        multiply_row(w, &(products){data->x + row * x_row, data->dy + row * y_row, data->scratch,
                                    PIXELS, OUTPUTS, TAPS, data->own});
        for (long c = data->own.begin; c < data->own.end; c++)
            for (long tap = 0; tap < taps; tap++)
                data->dweight[c * taps + tap] += data->scratch[tap * w->c + c];
    }
}

const ls_conv_kernel ls_conv_depthwise = {
    .name = "depthwise",
    .unit = 16,
    .layout = &ls_conv_taps,
    .suits = suits,
    .scratch = weights,
    .prepared = weights,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
