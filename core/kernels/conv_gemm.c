/* conv_gemm: a convolution as matrix products over tiles of patches. Any kernel, stride and pad.
 *
 *     y[p, o]      = patches[p, k] weight[o, k]^T          p: positions (row, oh, ow)
 *     dweight[o, k] += dy[p, o]^T patches[p, k]            k: (kh, kw, c)
 *     dpatches[p, k] = dy[p, o] weight[o, k]               then scattered into dx
 *
 * A tile holds so many positions that its patches stay in the cache between gather and product.
 * A 1x1 kernel with stride 1 reads x as its own patches. */
#include <string.h>

#include "core/blas.h"
#include "core/kernels/conv.h"
#include "core/kernels/rows.h"

enum { TILE_REALS = 1 << 16, TILE_POSITIONS = 256 }; /* about the one, at least the other */

static long patch_of(const ls_window *w)
{
    return w->kernel_h * w->kernel_w * w->c;
}

static long tile_of(const ls_window *w)
{
    long positions = TILE_REALS / patch_of(w);
    return positions > TILE_POSITIONS ? positions : TILE_POSITIONS;
}

static bool is_pointwise(const ls_window *w)
{
    return w->kernel_h * w->kernel_w * w->stride_h * w->stride_w == 1 && w->pad_h + w->pad_w == 0;
}

static bool suits(const ls_conv *conv)
{
    (void)conv;
    return true;
}

static long scratch(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return is_pointwise(w) ? 0 : tile_of(w) * patch_of(w);
}

/* The patches of positions [first, first + count): in x itself, or gathered into scratch. */
static const real *see(const ls_conv *conv, const ls_conv_data *data, long first, long count)
{
    const ls_window *w = &conv->window;
    if (is_pointwise(w))
        return data->x + first * w->c;
    ls_window_gather(w, data->x, first, count, data->scratch);
    return data->scratch;
}

static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long patch = patch_of(w), out = conv->out, all = data->rows * w->out_h * w->out_w;
    long tile = tile_of(w);
    for (long first = 0; first < all; first += tile) {
        long count = all - first < tile ? all - first : tile;
        const real *patches = see(conv, data, first, count);
        real *y = data->y + first * out;
        if (data->bias)
            ls_rows_fill(y, data->bias, count, out);
        ls_gemm(false, true, count, out, patch, 1, patches, patch, data->weight, patch,
                data->bias ? 1 : 0, y, out);
    }
}

/* dx of positions [first, first + count); but for 1x1 kernels dx holds something, or zeros. */
static void backward_data(const ls_conv *conv, const ls_conv_data *data, const real *dy, long first,
                          long count)
{
    const ls_window *w = &conv->window;
    long patch = patch_of(w), out = conv->out;
    bool straight = is_pointwise(w);
    real *to = straight ? data->dx + first * patch : data->scratch;
    ls_gemm(false, false, count, patch, out, 1, dy, out, data->weight, patch,
            straight && data->add ? 1 : 0, to, patch);
    if (!straight)
        ls_window_scatter(w, to, first, count, data->dx);
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long patch = patch_of(w), out = conv->out, all = data->rows * w->out_h * w->out_w;
    long tile = tile_of(w);
    if (data->dx && !data->add && !is_pointwise(w))
        memset(data->dx, 0, (size_t)(data->rows * w->h * w->w * w->c) * sizeof(real));
    for (long first = 0; first < all; first += tile) {
        long count = all - first < tile ? all - first : tile;
        const real *dy = data->dy + first * out;
        if (data->dbias)
            ls_rows_sum(dy, count, out, data->dbias);
        if (data->dweight)
            ls_gemm(true, false, out, patch, count, 1, dy, out, see(conv, data, first, count),
                    patch, 1, data->dweight, patch);
        if (data->dx)
            backward_data(conv, data, dy, first, count);
    }
}

const ls_conv_kernel ls_conv_gemm = {
    .suits = suits,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};
