/* conv_depthwise: convolutions of each channel by itself, whose vectors run along the channels: 32
 * of them, whose weights are a panel [kernel_h][kernel_w][32].
 *
 *     y[i, j, c] = bias[c] + sum over taps of weight[tap, c] * x[pixel(i, j, tap), c]
 *     dweight[tap, c] += sum over i, j of dy[i, j, c] * x[pixel(i, j, tap), c] */
#include <string.h>

#include "core/clones.h"
#include "core/kernels/conv.h"
#include "core/kernels/tile.h"
#include "core/minmax.h"

/* Goes over the taps of window (i, j) that lie in the image. If dy is NULL, `to` is y of this
 * window: y[c] += weight[tap, c] * x[c]; else it is dweight: dweight[tap, c] += dy[c] * x[c]. */
static LS_INLINE void add_window(const ls_conv_problem *s, long channels, long i, long j,
                                 const real *x, const real *weight, const real *dy,
                                 real *restrict to)
{
    for (long v = 0; v < s->h.kernel; v++)
        for (long u = 0; u < s->w.kernel; u++) {
            const long h = i * s->h.stride - s->h.pad + v * s->h.dilation;
            const long w = j * s->w.stride - s->w.pad + u * s->w.dilation;
            const long tap = (v * s->w.kernel + u) * LS_PANEL;
            if (h < 0 || h >= s->h.size || w < 0 || w >= s->w.size)
                continue;
            const real *from = x + (h * s->w.size + w) * s->x_pixel;
            for (long c = 0; c < channels; c++)
                to[dy ? tap + c : c] += from[c] * (dy ? dy[c] : weight[tap + c]);
        }
}

/* y of one panel of channels of one image. */
static LS_CLONES void run_panel(const ls_conv_problem *s, const ls_conv_data *data, long channels,
                                const real *x, const real *weight, const real *bias, real *y)
{
    for (long i = 0; i < s->h.out; i++)
        for (long j = 0; j < s->w.out; j++) {
            real sum[LS_PANEL] = {0}, *to = y + i * s->y_line + j * s->y_pixel;
            if (channels == LS_PANEL)
                add_window(s, LS_PANEL, i, j, x, weight, NULL, sum);
            else
                add_window(s, channels, i, j, x, weight, NULL, sum);
            for (long c = 0; c < channels; c++)
                to[c] = sum[c] + (bias ? bias[c] : data->add ? to[c] : 0);
        }
}

/* dweight of one panel: each image is summed by itself in scratch, since short sums round less. */
static LS_CLONES void add_panel(const ls_conv_problem *s, const ls_conv_data *data, long channels,
                                const real *x, const real *dy, real *dweight)
{
    const long reals = s->h.kernel * s->w.kernel * LS_PANEL;
    memset(data->scratch, 0, (size_t)reals * sizeof *data->scratch);
    for (long i = 0; i < s->h.out; i++)
        for (long j = 0; j < s->w.out; j++)
            add_window(s, channels, i, j, x, NULL, dy + i * s->y_line + j * s->y_pixel,
                       data->scratch);
    for (long k = 0; k < reals; k++)
        dweight[k] += data->scratch[k];
}

static void run(const ls_conv_problem *s, const ls_conv_data *data)
{
    const long taps = s->h.kernel * s->w.kernel, image = s->h.size * s->w.size * s->x_pixel;
    for (long n = 0; n < data->rows; n++)
        for (long c = 0; c < s->c; c += LS_PANEL)
            run_panel(s, data, ls_min(LS_PANEL, s->c - c), data->x + n * image + c,
                      data->weight + c * taps, data->bias ? data->bias + c : NULL,
                      data->y + n * s->y_image + c);
}

static void gradient(const ls_conv_problem *s, const ls_conv_data *data)
{
    const long taps = s->h.kernel * s->w.kernel, image = s->h.size * s->w.size * s->x_pixel;
    for (long n = 0; n < data->rows; n++)
        for (long c = data->part.begin; c < data->part.end; c += LS_PANEL)
            add_panel(s, data, ls_min(LS_PANEL, data->part.end - c), data->x + n * image + c,
                      data->dy + n * s->y_image + c, data->dweight + c * taps);
}

static bool suits(const ls_conv_problem *s)
{
    return s->depthwise;
}

static long scratch(const ls_conv_problem *s)
{
    return s->h.kernel * s->w.kernel * LS_PANEL;
}

const ls_conv_kernel ls_conv_depthwise = {"depthwise", suits, scratch, run, gradient};
