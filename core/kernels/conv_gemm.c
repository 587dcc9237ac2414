/* conv_gemm: a convolution as matrix products over tiles of patches. Any kernel, stride, pad,
 * dilation and groups; one group after another, each with its channels of x, y and the weight:
 *
 *     y[p, o]      = patches[p, k] weight[o, k]^T          p: positions (row, oh, ow)
 *     dweight[o, k] += dy[p, o]^T patches[p, k]            k: (kh, kw, c)
 *     dpatches[p, k] = dy[p, o] weight[o, k]               then scattered into dx
 *
 * A tile holds so many positions that its patches stay in the cache between gather and product.
 * Where x holds the patches as they are, with a kernel of 1x1 and stride 1, nothing is gathered. */
#include <string.h>

#include "core/blas.h"
#include "core/kernels/conv.h"
#include "core/kernels/rows.h"
#include "core/minmax.h"

enum { TILE_REALS = 1 << 16, TILE_POSITIONS = 256 }; /* about the one, at least the other */

/* The sizes of the products. */
typedef struct sizes {
    long in, out, patch;   /* of a group: channels of x and of y, reals of a patch */
    long outs;             /* channels of y */
    bool in_place;         /* x holds the patches */
    long line;             /* from patch to patch, in x or as gathered */
    long all, image, tile; /* positions */
} sizes;

static sizes sizes_of(const ls_conv *conv, long rows)
{
    const ls_window *w = &conv->window;
    sizes s = {.in = w->c / conv->groups, .out = conv->out / conv->groups, .outs = conv->out};
    bool pixel = w->kernel_h * w->kernel_w * w->stride_h * w->stride_w == 1;
    s.patch = w->kernel_h * w->kernel_w * s.in;
    s.in_place = pixel && w->pad_h + w->pad_w == 0 && w->out_h == w->h && w->out_w == w->w;
    s.line = s.in_place ? w->c : s.patch;
    s.image = w->out_h * w->out_w;
    s.all = rows * s.image;
    s.tile = TILE_REALS / s.patch > TILE_POSITIONS ? TILE_REALS / s.patch : TILE_POSITIONS;
    s.tile = s.in_place ? s.image : s.tile;
    return s;
}

static long stored_size(const ls_shape *shape)
{
    return ls_shape_count(shape);
}

/* Logical [out, in, h, w], stored [out, h, w, in]. */
static void load(const ls_shape *shape, const real *logical, real *stored)
{
    long in = shape->at[1], taps = shape->at[2] * shape->at[3];
    for (long o = 0; o < shape->at[0]; o++)
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++)
                stored[(o * taps + tap) * in + c] = logical[(o * in + c) * taps + tap];
}

static void store(const ls_shape *shape, const real *stored, real *logical)
{
    long in = shape->at[1], taps = shape->at[2] * shape->at[3];
    for (long o = 0; o < shape->at[0]; o++)
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++)
                logical[(o * in + c) * taps + tap] = stored[(o * taps + tap) * in + c];
}

const ls_layout ls_conv_taps = {stored_size, load, store};

static bool suits(const ls_conv *conv)
{
    (void)conv;
    return true;
}

static long scratch(const ls_conv *conv)
{
    sizes s = sizes_of(conv, 0);
    return s.in_place ? 0 : s.tile * s.patch;
}

/* The patches of group g and positions [first, first + count): in x itself, or gathered. */
static const real *see(const ls_conv *conv, const ls_conv_data *data, const sizes *s, long g,
                       long first, long count)
{
    const real *x = data->x + g * s->in;
    if (s->in_place)
        return x + first * s->line;
    ls_window_gather(&conv->window, x, s->in, first, count, data->scratch);
    return data->scratch;
}

/* Products of one image have the same sizes however the rows are shared among threads, and so, with
 * any BLAS, the same bits. */
static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    sizes s = sizes_of(conv, data->rows);
    for (long first = 0, count; first < s.all; first += count) {
        count = ls_min(s.tile, s.image - first % s.image);
        real *y = data->y + first * s.outs;
        if (data->bias)
            ls_rows_fill(y, data->bias, count, s.outs);
        for (long g = 0; g < conv->groups; g++)
            ls_gemm(false, true, count, s.out, s.patch, 1, see(conv, data, &s, g, first, count),
                    s.line, data->weight + g * s.out * s.patch, s.patch,
                    data->bias || data->add ? 1 : 0, y + g * s.out, s.outs);
    }
}

/* dx of positions [first, first + count); but where x holds the patches, dx holds something, or
 * zeros. */
static void backward_data(const ls_conv *conv, const ls_conv_data *data, const sizes *s, long g,
                          long first, long count)
{
    real *dx = data->dx + g * s->in, *to = s->in_place ? dx + first * s->line : data->scratch;
    ls_gemm(false, false, count, s->patch, s->out, 1, data->dy + first * s->outs + g * s->out,
            s->outs, data->weight + g * s->out * s->patch, s->patch,
            s->in_place && data->add ? 1 : 0, to, s->line);
    if (!s->in_place)
        ls_window_scatter(&conv->window, to, s->in, first, count, dx);
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    sizes s = sizes_of(conv, data->rows);
    if (!data->add && !s.in_place)
        memset(data->dx, 0, (size_t)(data->rows * w->h * w->w * w->c) * sizeof(real));
    for (long first = 0, count; first < s.all; first += count) {
        count = ls_min(s.tile, s.image - first % s.image);
        for (long g = 0; g < conv->groups; g++)
            backward_data(conv, data, &s, g, first, count);
    }
}

/* Of the groups that begin among the channels wanted. */
static void gradient(const ls_conv *conv, const ls_conv_data *data)
{
    sizes s = sizes_of(conv, data->rows);
    for (long first = 0; first < s.all; first += s.tile)
        for (long g = 0; g < conv->groups; g++) {
            long count = ls_min(s.tile, s.all - first), out = g * s.out;
            if (out >= data->own.begin && out < data->own.end)
                ls_gemm(true, false, s.out, s.patch, count, 1, data->dy + first * s.outs + out,
                        s.outs, see(conv, data, &s, g, first, count), s.line, 1,
                        data->dweight + out * s.patch, s.patch);
        }
}

const ls_conv_kernel ls_conv_gemm = {
    .name = "gemm",
    .unit = 1,
    .layout = &ls_conv_taps,
    .suits = suits,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
