/* conv_winograd: 3x3 and 5x5 convolutions with stride 1 by the transforms of winograd.h.
 *
 *      x ---input---> v[36][c / 16][T][16]        T tiles at a time, so that v stays in the cache
 *                          |
 *      weight --filter--> u[36][c][64]            for each pair of panels, some channels at a time:
 *                          |                      the transformed filters never leave the cache
 *                      m[36][T][64]   += v u      36 products by the micro-kernel
 *                          |
 *      y <--output---------+
 *
 * dx takes dy for x and the filter turned round; dweight takes v and z = A dy A^T, T tiles at a
 * time, and brings each [36][16][64] back to the taps while it is in the cache. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum {
    PLACES = LS_WINOGRAD_PLACES,
    GROUP = LS_WINOGRAD_GROUP,
    PAIR = 2 * LS_PANEL,
    LARGEST = -1,
    CHANNELS = 256,           /* whose filters are transformed at a time */
    FILTER_REALS = 2400000,   /* filters that are transformed whole, before the tiles */
    INPUT_REALS = 150000,     /* of v beside these, about: a second cache; ... */
    INPUT_TILES = 42,         /* but so many tiles at least */
    LARGE_REALS = 1700000,    /* of v where each block of tiles has the filters transformed anew */
    GRADIENT_REALS = 400000,  /* of v and z, about, of few channels; of more LARGE_REALS */
    M = GROUP * LS_PANEL + 16 /* of a gradient's block, from place to place */
};

/* Odd multiples of a cache line from place to place: a power of two would fill few sets of it. */
static long place_of(long reals)
{
    return reals + (reals / 16 % 2 ? 0 : 16);
}

/* What one pass works on. */
typedef struct plan {
    ls_winograd_image image;
    bool whole;      /* all filters are transformed once */
    long block;      /* tiles at a time */
    long v, m, u, z; /* reals from place to place */
    long pairs;      /* of panels whose filters are held */
} plan;

static bool is_small(const ls_winograd_image *image)
{
    return image->c <= CHANNELS && PLACES * image->c * image->out <= FILTER_REALS;
}

/* Blocks of about equal size, of at most `most` tiles; LARGEST for rows: of `most`. */
static plan plan_of(const ls_winograd_image *image, long rows, long most)
{
    plan p = {.image = *image, .whole = is_small(image)};
    long all = rows == LARGEST ? most : rows * image->tiles, blocks = (all + most - 1) / most;
    p.block = blocks ? (all + blocks - 1) / blocks : 1;
    p.v = place_of(p.block * image->c);
    p.m = place_of(p.block * PAIR);
    p.u = place_of(ls_min(CHANNELS, image->c) * PAIR);
    p.z = place_of(p.block * LS_PANEL);
    p.pairs = p.whole ? (image->out + PAIR - 1) / PAIR : 1;
    return p;
}

static ls_winograd_image image_of(long kernel, long h, long w, long c, long pad_h, long pad_w,
                                  long out_h, long out_w, long out)
{
    long tile = LS_WINOGRAD_SIZE + 1 - kernel, tiles_w = (out_w + tile - 1) / tile;
    return (ls_winograd_image){.kernel = kernel,
                               .tile = tile,
                               .h = h,
                               .w = w,
                               .c = c,
                               .pad_h = pad_h,
                               .pad_w = pad_w,
                               .out_h = out_h,
                               .out_w = out_w,
                               .out = out,
                               .tiles_w = tiles_w,
                               .tiles = (out_h + tile - 1) / tile * tiles_w};
}

static ls_winograd_image forward_of(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return image_of(w->kernel_h, w->h, w->w, w->c, w->pad_h, w->pad_w, w->out_h, w->out_w,
                    conv->out);
}

static ls_winograd_image backward_of(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    long last = w->kernel_h - 1;
    return image_of(w->kernel_h, w->out_h, w->out_w, conv->out, last - w->pad_h, last - w->pad_w,
                    w->h, w->w, w->c);
}

/* u of channels [first, first + count) and the panels from `panel` on: of the weight as it is, or
 * of the weight turned round, [taps][count][32] a panel in `turned`. */
static void transform_filters(const ls_conv *conv, const plan *p, const real *weight, bool backward,
                              long panel, long first, long count, real *u, real *turned)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    long in = conv->window.c, taps = p->image.kernel * p->image.kernel,
         panels = ls_min(2, ls_panel_count(p->image.out) - panel);
    for (long k = 0; k < panels; k++) {
        const real *g = weight + ((panel + k) * taps * in + first) * LS_PANEL;
        long tap = in * LS_PANEL;
        for (long i = 0; backward && i < taps; i++)
            ls_panel_transpose(weight + first * taps * in, count, taps * in,
                               (taps - 1 - i) * in + (panel + k) * LS_PANEL,
                               ls_min(LS_PANEL, in - (panel + k) * LS_PANEL),
                               turned + i * CHANNELS * LS_PANEL, 0);
        if (backward) {
            g = turned;
            tap = CHANNELS * LS_PANEL;
        }
        to->filter(p->image.kernel, g, tap, count, u + k * count * LS_PANEL, p->u);
    }
}

/* Where the parts of scratch begin. */
typedef struct parts {
    real *v, *m, *u, *turned;
} parts;

static parts parts_of(const plan *p, real *scratch)
{
    parts at = {.v = scratch};
    at.m = at.v + PLACES * p->v;
    at.u = at.m + PLACES * p->m;
    at.turned = at.u + p->pairs * PLACES * p->u;
    return at;
}

static long pass_scratch(const plan *p)
{
    return PLACES * (p->v + p->m + p->pairs * p->u) +
           p->image.kernel * p->image.kernel * CHANNELS * LS_PANEL;
}

/* y = the convolution of x; backward: with the weight turned round. */
static void convolve(const ls_conv *conv, const plan *p, bool backward, const ls_conv_data *data,
                     const real *x, const real *bias, bool add, real *y)
{
    const ls_tiles *tiles = ls_tile_best();
    const ls_winograd *to = tiles->winograd;
    long all = data->rows * p->image.tiles, c = p->image.c, out = p->image.out;
    const parts at = parts_of(p, data->scratch);
    if (!all)
        return;
    for (long o = 0; p->whole && o < out; o += PAIR)
        transform_filters(conv, p, data->weight, backward, o / LS_PANEL, 0, c,
                          at.u + o / PAIR * PLACES * p->u, at.turned);
    for (long first = 0; first < all; first += p->block) {
        long count = ls_min(p->block, all - first);
        to->input(&p->image, x, first, count, at.v, p->v);
        for (long o = 0; o < out; o += PAIR) {
            for (long k = 0; k < c; k += CHANNELS) {
                long channels = ls_min(CHANNELS, c - k);
                const ls_tile tile = {.segments = channels / GROUP,
                                      .depth = GROUP,
                                      .a_row = GROUP,
                                      .a_segment = count * GROUP,
                                      .b_depth = LS_PANEL,
                                      .b_segment = GROUP * LS_PANEL,
                                      .b_panel = channels * LS_PANEL,
                                      .c_row = PAIR,
                                      .c_panel = LS_PANEL,
                                      .add = k > 0};
                const real *u = at.u + (p->whole ? o / PAIR * PLACES * p->u : 0);
                if (!p->whole)
                    transform_filters(conv, p, data->weight, backward, o / LS_PANEL, k, channels,
                                      at.u, at.turned);
                for (long i = 0; i < PLACES; i++)
                    tiles->along(&tile, count, ls_min(PAIR, out - o),
                                 at.v + i * p->v + k / GROUP * tile.a_segment, u + i * p->u,
                                 at.m + i * p->m);
            }
            to->output(&p->image, at.m, p->m, first, count, o, ls_min(PAIR, out - o), bias, add, y);
        }
    }
}

static void take_gradient(const plan *p, const ls_conv_data *data)
{
    const ls_tiles *tiles = ls_tile_best();
    const ls_winograd *to = tiles->winograd;
    long all = data->rows * p->image.tiles, c = p->image.c;
    long taps = p->image.kernel * p->image.kernel;
    long begin = data->own.begin / LS_PANEL, panels = ls_panel_count(data->own.end) - begin;
    real *v = data->scratch, *z = v + PLACES * p->v, *m = z + panels * PLACES * p->z;
    if (data->own.end % LS_PANEL) { /* the last panel's columns beyond stay 0 */
        real *last = m - PLACES * p->z;
        memset(last, 0, (size_t)(PLACES * (p->z + 2 * M)) * sizeof *last);
    }
    for (long first = 0; first < all; first += p->block) {
        long count = ls_min(p->block, all - first);
        to->input(&p->image, data->x, first, count, v, p->v);
        for (long k = 0; k < panels; k++)
            to->slope(&p->image, data->dy, first, count, (begin + k) * LS_PANEL,
                      z + k * PLACES * p->z, p->z);
        const ls_tile tile = {.segments = 1,
                              .depth = count,
                              .a_depth = GROUP,
                              .b_depth = LS_PANEL,
                              .b_panel = PLACES * p->z,
                              .c_row = LS_PANEL,
                              .c_panel = PLACES * M};
        for (long k = 0; k < panels; k += 2)
            for (long g = 0; g < c; g += GROUP) {
                long pair = ls_min(2, panels - k);
                long columns = panels == 1 ? data->own.end - data->own.begin : pair * LS_PANEL;
                for (long i = 0; i < PLACES; i++)
                    tiles->across(&tile, GROUP, columns, v + i * p->v + g / GROUP * count * GROUP,
                                  z + k * PLACES * p->z + i * p->z, m + i * M);
                for (long j = 0; j < pair; j++)
                    to->gradient(p->image.kernel, m + j * PLACES * M, M, GROUP,
                                 data->dweight + ((begin + k + j) * taps * c + g) * LS_PANEL,
                                 c * LS_PANEL);
            }
    }
}

static long gradient_scratch(const plan *p)
{
    long panels = ls_panel_count(p->image.out);
    return PLACES * (p->v + panels * p->z + 2 * M);
}

static plan pass_plan(const ls_winograd_image *image, long rows)
{
    long place = PLACES * image->c;
    return plan_of(image, rows,
                   is_small(image) ? ls_max(INPUT_TILES, INPUT_REALS / place)
                                   : ls_max(1, LARGE_REALS / place));
}

static plan forward_plan(const ls_conv *conv, long rows)
{
    const ls_winograd_image image = forward_of(conv);
    return pass_plan(&image, rows);
}

static plan backward_plan(const ls_conv *conv, long rows)
{
    const ls_winograd_image image = backward_of(conv);
    return pass_plan(&image, rows);
}

static plan gradient_plan(const ls_conv *conv, long rows)
{
    const ls_winograd_image image = forward_of(conv);
    long reals = image.c * image.out <= 128 * 128 ? GRADIENT_REALS : LARGE_REALS;
    return plan_of(&image, rows, ls_max(1, reals / (PLACES * (image.c + image.out))));
}

static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    const plan p = forward_plan(conv, data->rows);
    convolve(conv, &p, false, data, data->x, data->bias, data->add, data->y);
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const plan p = backward_plan(conv, data->rows);
    convolve(conv, &p, true, data, data->dy, NULL, data->add, data->dx);
}

static void gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const plan p = gradient_plan(conv, data->rows);
    take_gradient(&p, data);
}

/* Few outputs leave most of a tile unused. */
static bool suits(const ls_conv *conv)
{
    enum { SIDE = 3 };
    const ls_window *w = &conv->window;
    return !conv->exact && conv->groups == 1 && w->dilation_h * w->dilation_w == 1 &&
           w->stride_h == 1 && w->stride_w == 1 && (w->kernel_h == 3 || w->kernel_h == 5) &&
           w->kernel_w == w->kernel_h && w->pad_h < w->kernel_h && w->pad_w < w->kernel_w &&
           w->c % GROUP == 0 && conv->out % GROUP == 0 && w->out_h >= SIDE && w->out_w >= SIDE;
}

static long scratch(const ls_conv *conv)
{
    const plan f = forward_plan(conv, LARGEST), b = backward_plan(conv, LARGEST);
    const plan g = gradient_plan(conv, LARGEST);
    long most = ls_max(pass_scratch(&f), pass_scratch(&b));
    return ls_max(most, gradient_scratch(&g));
}

const ls_conv_kernel ls_conv_winograd = {
    .name = "winograd",
    .unit = LS_PANEL,
    .layout = &ls_panel_layout,
    .suits = suits,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
