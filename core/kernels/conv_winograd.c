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
 * dweight takes v, T tiles at a time, and of each pair of panels z[36][2][T][32] = A dy A^T; each
 * m[36][2][16][32] = v^T z goes back to the taps while it is in the cache. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum {
    PLACES = LS_WINOGRAD_PLACES,
    GROUP = 16,
    PAIR = 2 * LS_PANEL,
    CHANNELS = 64,          /* whose filters are transformed at a time */
    FILTER_REALS = 2400000, /* filters that are transformed once; others for each block of tiles */
    TILES = 98,             /* T at most, a multiple of the micro-kernel's rows; ... */
    FEW_CHANNELS = 128 /* ... half as many where so few channels make u and m the larger part */
};

/* Odd multiples of a cache line from place to place: a power of two would fill few sets of it. */
static long place_of(long reals)
{
    return reals + (reals / 16 % 2 ? 0 : 16);
}

/* All filters are held transformed, from the first block of tiles on. */
static bool is_small(const ls_conv_problem *s)
{
    return PLACES * s->c * s->out <= FILTER_REALS;
}

/* Of the transformed filters of a pair, some channels. */
static long filter_place(const ls_conv_problem *s)
{
    return place_of(ls_min(CHANNELS, s->c) * PAIR);
}

/* Of all transformed filters of a pair. */
static long filters_of(const ls_conv_problem *s)
{
    return (s->c + CHANNELS - 1) / CHANNELS * PLACES * filter_place(s);
}

/* What a pass works on. The weight, or its gradient, is an image for each panel. */
typedef struct plan {
    ls_winograd_image x, y, taps;
    long tiles, block;         /* of all rows, and at a time */
    ls_winograd_block v, z, u; /* z or m of the tiles; u, or m of the taps */
} plan;

/* Blocks are about equal. */
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
        .channels = s->c, .group = GROUP, .at = data->scratch, .place = place_of(p.block * s->c)};
    p.z = (ls_winograd_block){
        .group = LS_PANEL, .at = p.v.at + PLACES * p.v.place, .place = place_of(p.block * PAIR)};
    p.u = (ls_winograd_block){.at = p.z.at + PLACES * p.z.place, .place = filter_place(s)};
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
    for (long i = 0; i < PLACES; i++)
        ls_tile_best()->run(&tile, v->count, m->channels, v->at + i * v->place + k * v->count,
                            u->at + i * u->place, m->at + i * m->place);
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
        to->to_places(&p.x, data->x, &v);
        for (long o = 0; o < s->out; o += PAIR) {
            ls_winograd_block u = p.u;
            m.channels = ls_min(PAIR, s->out - o);
            u.first = o / LS_PANEL;
            u.count = ls_panel_count(m.channels);
            u.at += small ? o / PAIR * filters_of(s) : 0;
            for (long k = 0; k < s->c; k += CHANNELS) {
                u.channels = u.group = ls_min(CHANNELS, s->c - k) * LS_PANEL;
                if (first == 0 || !small)
                    to->to_places(&p.taps, data->weight + k * LS_PANEL, &u);
                multiply(&v, k, &u, &m);
                u.at += small ? PLACES * u.place : 0;
            }
            to->to_pixels(&p.y, &m, data->bias ? data->bias + o : NULL, data->add, data->y + o);
        }
    }
}

/* m = v^T z: channels of x from k on. */
static void multiply_turned(const ls_winograd_block *v, long k, const ls_winograd_block *z,
                            const ls_winograd_block *m)
{
    const ls_tile tile = {.segments = 1,
                          .depth = v->count,
                          .a = {.row = 1, .depth = GROUP},
                          .b = {.panel = v->count * LS_PANEL},
                          .c = {.row = LS_PANEL, .panel = m->group}};
    for (long i = 0; i < PLACES; i++)
        ls_tile_best()->run(&tile, GROUP, z->channels, v->at + i * v->place + k * v->count,
                            z->at + i * z->place, m->at + i * m->place);
}

/* Columns of m beyond the last output stay 0, so those of dweight do. */
static void gradient(const ls_conv_problem *s, const ls_conv_data *data)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    const plan p = plan_of(s, data);
    ls_winograd_block v = p.v, z = p.z, m = p.u;
    m.channels = m.group = GROUP * LS_PANEL;
    m.place = place_of(2 * m.group);
    for (long first = 0; first < p.tiles; first += p.block) {
        v.first = z.first = first;
        v.count = z.count = ls_min(p.block, p.tiles - first);
        to->to_places(&p.x, data->x, &v);
        for (long o = data->own.begin; o < data->own.end; o += PAIR) {
            z.channels = ls_min(PAIR, data->own.end - o);
            m.first = o / LS_PANEL;
            m.count = ls_panel_count(z.channels);
            to->to_places(&p.y, data->dy + o, &z);
            if (z.channels % LS_PANEL)
                memset(m.at, 0, (size_t)(PLACES * m.place) * sizeof *m.at);
            for (long k = 0; k < s->c; k += GROUP) {
                multiply_turned(&v, k, &z, &m);
                to->to_pixels(&p.taps, &m, NULL, true, data->dweight + k * LS_PANEL);
            }
        }
    }
}

/* Few outputs leave most of a tile unused. */
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
    return PLACES * (place_of(TILES * s->c) + place_of(TILES * PAIR)) +
           (is_small(s) ? pairs * filters_of(s) : PLACES * filter_place(s));
}

const ls_conv_kernel ls_conv_winograd = {"winograd", suits, scratch, run, gradient};
