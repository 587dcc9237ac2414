/* conv_winograd: 3x3 and 5x5 convolutions with stride 1 by the transforms of winograd.h.
 *
 *      x ---------> v[36][c / 16][T][16]         T tiles at a time, so that v stays in the cache
 *                       |
 *      weight ----> u[36][2][c][32]              for each pair of panels, some channels at a time:
 *                       |                        the transformed filters never leave the cache
 *                   m[36][2][T][32]  += v u      36 products by the micro-kernel
 *                       |
 *      y <--------------+
 *
 * The weight gradient makes v of T tiles at a time and, for each pair of panels, z[36][2][T][32] =
 * A dy A^T; m[36][2][16][32] = v^T z is transformed back to taps while it is in the cache. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum {
    POSITIONS = LS_WINOGRAD_POSITIONS,
    GROUP = 16,
    PAIR = 2 * LS_PANEL,
    CHANNELS = 64, /* input channels whose filters are transformed at a time */
    /* Filters of up to so many transformed reals are transformed once; larger ones anew for each
     * block of tiles, since they would not stay in the cache. */
    FILTER_REALS = 2400000,
    /* Largest T, a multiple of the micro-kernel's rows; half of it for up to FEW_CHANNELS, where u
     * and m take more of the cache than v. */
    TILES = 98,
    FEW_CHANNELS = 128
};

/* Reals from one of the 36 positions to the next: an odd multiple of a cache line, because with a
 * power of two all of them would compete for the same few sets of the cache. */
static long position_of(long reals)
{
    return reals + (reals / 16 % 2 ? 0 : 16);
}

/* All filters are kept transformed, from the first block of tiles on. */
static bool is_small(const ls_conv_problem *s)
{
    return POSITIONS * s->c * s->out <= FILTER_REALS;
}

/* For the transformed filters of CHANNELS channels and a pair of panels. */
static long filter_position(const ls_conv_problem *s)
{
    return position_of(ls_min(CHANNELS, s->c) * PAIR);
}

/* Reals of all transformed filters of a pair of panels. */
static long filters_of(const ls_conv_problem *s)
{
    return (s->c + CHANNELS - 1) / CHANNELS * POSITIONS * filter_position(s);
}

/* The arrays of a pass. The weight, or its gradient, counts as an image for each panel. */
typedef struct plan {
    ls_winograd_image x, y, taps;
    long tiles, block;         /* of all rows, and at a time */
    ls_winograd_block v, z, u; /* z also holds m of the tiles, u also m of the taps */
} plan;

/* Blocks of tiles are about equal. */
static plan plan_of(const ls_conv_problem *s, const ls_conv_data *data)
{
    const long most = s->c > FEW_CHANNELS ? TILES : TILES / 2;
    const long size = LS_WINOGRAD_SIZE, kernel = s->h.kernel, tile = size + 1 - kernel;
    const long h = (s->h.out + tile - 1) / tile, w = (s->w.out + tile - 1) / tile;
    const long line = s->w.size * s->x_pixel, tap = s->c * LS_PANEL;
    const ls_window_axis x_h = {s->h.size, size, tile, s->h.pad, 1, h};
    const ls_window_axis x_w = {s->w.size, size, tile, s->w.pad, 1, w};
    const ls_window_axis y_h = {s->h.out, tile, tile, 0, 1, h};
    const ls_window_axis y_w = {s->w.out, tile, tile, 0, 1, w};
    const ls_window_axis taps = {kernel, kernel, 0, 0, 1, 1};
    plan p = {.x = {x_h, x_w, s->x_pixel, line, s->h.size * line},
              .y = {y_h, y_w, s->y_pixel, s->y_line, s->y_image},
              .taps = {taps, taps, tap, kernel * tap, kernel * kernel * tap},
              .tiles = data->rows * h * w};
    const long blocks = ls_max(1, (p.tiles + most - 1) / most);
    p.block = (p.tiles + blocks - 1) / blocks;
    p.v = (ls_winograd_block){
        .channels = s->c, .group = GROUP, .at = data->scratch, .step = position_of(p.block * s->c)};
    p.z = (ls_winograd_block){.group = LS_PANEL,
                              .at = p.v.at + POSITIONS * p.v.step,
                              .step = position_of(p.block * PAIR)};
    p.u = (ls_winograd_block){.at = p.z.at + POSITIONS * p.z.step, .step = filter_position(s)};
    return p;
}

/* m = or (k > 0) += v u: channels of x from k on. */
static void multiply(const ls_winograd_block *v, long k, const ls_winograd_block *u,
                     const ls_winograd_block *m)
{
    const ls_tile tile = {.segments = u->group / (GROUP * LS_PANEL),
                          .depth = GROUP,
                          .a = {.row = GROUP, .depth = 1, .segment = v->count * GROUP},
                          .b = {.segment = GROUP * LS_PANEL, .panel = u->group},
                          .c = {.row = LS_PANEL, .panel = v->count * LS_PANEL},
                          .add = k > 0};
    for (long i = 0; i < POSITIONS; i++)
        ls_tile_best()->run(&tile, v->count, m->channels, v->at + i * v->step + k * v->count,
                            u->at + i * u->step, m->at + i * m->step);
}

static void run(const ls_conv_problem *s, const ls_conv_data *data)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    const bool small = is_small(s);
    plan p = plan_of(s, data);
    ls_winograd_block v = p.v, m = p.z;
    for (long first = 0; first < p.tiles; first += p.block) {
        v.first = m.first = first;
        v.count = m.count = ls_min(p.block, p.tiles - first);
        to->to_positions(&p.x, data->x, &v);
        for (long o = 0; o < s->out; o += PAIR) {
            ls_winograd_block u = p.u;
            m.channels = ls_min(PAIR, s->out - o);
            u.first = o / LS_PANEL;
            u.count = ls_panel_count(m.channels);
            u.at += small ? o / PAIR * filters_of(s) : 0;
            for (long k = 0; k < s->c; k += CHANNELS) {
                u.channels = u.group = ls_min(CHANNELS, s->c - k) * LS_PANEL;
                if (first == 0 || !small)
                    to->to_positions(&p.taps, data->weight + k * LS_PANEL, &u);
                multiply(&v, k, &u, &m);
                u.at += small ? POSITIONS * u.step : 0;
            }
            to->to_pixels(&p.y, &m, data->bias ? data->bias + o : NULL, data->add, data->y + o);
        }
    }
}

/* m = v^T z: channels of x from k on. */
static void multiply_transposed(const ls_winograd_block *v, long k, const ls_winograd_block *z,
                                const ls_winograd_block *m)
{
    const ls_tile tile = {.segments = 1,
                          .depth = v->count,
                          .a = {.row = 1, .depth = GROUP},
                          .b = {.panel = v->count * LS_PANEL},
                          .c = {.row = LS_PANEL, .panel = m->group}};
    for (long i = 0; i < POSITIONS; i++)
        ls_tile_best()->run(&tile, GROUP, z->channels, v->at + i * v->step + k * v->count,
                            z->at + i * z->step, m->at + i * m->step);
}

/* The columns of m beyond the last output stay 0, so that the padding of dweight does. */
static void gradient(const ls_conv_problem *s, const ls_conv_data *data)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    const plan p = plan_of(s, data);
    ls_winograd_block v = p.v, z = p.z, m = p.u;
    m.channels = m.group = GROUP * LS_PANEL;
    m.step = position_of(2 * m.group);
    for (long first = 0; first < p.tiles; first += p.block) {
        v.first = z.first = first;
        v.count = z.count = ls_min(p.block, p.tiles - first);
        to->to_positions(&p.x, data->x, &v);
        for (long o = data->part.begin; o < data->part.end; o += PAIR) {
            z.channels = ls_min(PAIR, data->part.end - o);
            m.first = o / LS_PANEL;
            m.count = ls_panel_count(z.channels);
            to->to_positions(&p.y, data->dy + o, &z);
            if (z.channels % LS_PANEL)
                memset(m.at, 0, (size_t)(POSITIONS * m.step) * sizeof *m.at);
            for (long k = 0; k < s->c; k += GROUP) {
                multiply_transposed(&v, k, &z, &m);
                to->to_pixels(&p.taps, &m, NULL, true, data->dweight + k * LS_PANEL);
            }
        }
    }
}

/* With fewer than FEWEST outputs most of a tile would be unused. */
static bool suits_axis(const ls_window_axis *axis)
{
    enum { FEWEST = 3 };
    return (axis->kernel == 3 || axis->kernel == 5) && axis->stride == 1 && axis->dilation == 1 &&
           axis->pad >= 0 && axis->pad < axis->kernel && axis->out >= FEWEST;
}

static bool suits(const ls_conv_problem *s)
{
    return !s->exact && !s->depthwise && suits_axis(&s->h) && suits_axis(&s->w) &&
           s->h.kernel == s->w.kernel && s->c % GROUP == 0 && s->out % GROUP == 0;
}

static long scratch(const ls_conv_problem *s)
{
    const long pairs = (s->out + PAIR - 1) / PAIR;
    return POSITIONS * (position_of(TILES * s->c) + position_of(TILES * PAIR)) +
           (is_small(s) ? pairs * filters_of(s) : POSITIONS * filter_position(s));
}

const ls_conv_kernel ls_conv_winograd = {"winograd", suits, scratch, run, gradient};
