/* conv_winograd: 3x3, 5x5, 1x3 and 1x5 convolutions with stride 1 by the transforms of winograd.h.
 *
 *      x ---------> v[36][c / 16][T][16]         T tiles at a time, so that v stays in the cache
 *                       |
 *      weight ----> u[36][2][c][32]              for each pair of panels, some channels at a time:
 *                       |                        the transformed filters never leave the cache
 *                   m[36][2][T][32]  += v u      36 products by the micro-kernel
 *                       |
 *      y <--------------+
 *
 * With 1x3 and 1x5 there are 6 positions in place of 36. The weight gradient makes v of T tiles at
 * a time and, for each pair of panels, z[36][2][T][32] = A dy A^T; m[36][2][16][32] = v^T z is
 * transformed back to taps while it is in the cache. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/kernels/winograd.h"
#include "core/minmax.h"

enum {
    GROUP = 16,
    PAIR = 2 * LS_PANEL,
    /* Filters of up to so many transformed reals are transformed once; larger ones anew for each
     * block of tiles, since they would not stay in the cache. */
    FILTER_REALS = 2400000
};

/* What depends on the kernel, which is a square or a line. */
typedef struct kind {
    long positions;
    long channels; /* of x, whose filters are transformed at a time */
    /* The largest T, a multiple of the micro-kernel's rows: for up to 128 channels of x, where u
     * and m take more of the cache than v, and for more. */
    long tiles[2];
    long least; /* with fewer weights a tap, the transforms take longer than they save */
} kind;

static const kind *kind_of(const ls_conv_problem *s)
{
    static const kind square = {36, 64, {49, 98}, 0}, line = {6, 128, {147, 147}, 4096};
    return s->h.kernel == 1 ? &line : &square;
}

static long most_tiles(const ls_conv_problem *s)
{
    return kind_of(s)->tiles[s->c > 128];
}

/* Reals from one position to the next: an odd multiple of a cache line, because with a
 * power of two all of them would compete for the same few sets of the cache. */
static long position_of(long reals)
{
    return reals + (reals / 16 % 2 ? 0 : 16);
}

/* All filters are kept transformed, from the first block of tiles on. */
static bool is_small(const ls_conv_problem *s)
{
    return kind_of(s)->positions * s->c * s->out <= FILTER_REALS;
}

/* For the filters that are transformed at a time, of a pair of panels. */
static long filter_position(const ls_conv_problem *s)
{
    return position_of(ls_min(kind_of(s)->channels, s->c) * PAIR);
}

/* Reals of all transformed filters of a pair of panels. */
static long filters_of(const ls_conv_problem *s)
{
    const kind *kind = kind_of(s);
    return (s->c + kind->channels - 1) / kind->channels * kind->positions * filter_position(s);
}

/* The arrays of a pass. The weight, or its gradient, counts as an image for each panel. */
typedef struct plan {
    ls_winograd_image x, y, taps;
    long tiles, block;         /* of all rows, and at a time */
    ls_winograd_block v, z, u; /* z also holds m of the tiles, u also m of the taps */
} plan;

/* One direction of the tiles of x, of y and of the taps. */
static void set_tiles(const ls_window_axis *axis, ls_window_axis *x, ls_window_axis *y,
                      ls_window_axis *taps)
{
    const bool is_point = axis->kernel == 1;
    const long size = is_point ? 1 : LS_WINOGRAD_SIZE, tile = size + 1 - axis->kernel;
    const long dilation = is_point ? 1 : axis->dilation, set = tile * dilation;
    const long count = (axis->out + set - 1) / set * dilation;
    *x = (ls_window_axis){axis->size, size, tile, axis->pad, dilation, count};
    *y = (ls_window_axis){axis->out, tile, tile, 0, dilation, count};
    *taps = (ls_window_axis){axis->kernel, axis->kernel, 0, 0, 1, 1};
}

/* Blocks of tiles are about equal. */
static plan plan_of(const ls_conv_problem *s, const ls_conv_data *data)
{
    const long most = most_tiles(s), positions = kind_of(s)->positions;
    const long line = s->w.size * s->x_pixel, tap = s->c * LS_PANEL, taps = s->w.kernel * tap;
    plan p = {.x = {.pixel = s->x_pixel, .line = line, .image = s->h.size * line},
              .y = {.pixel = s->y_pixel, .line = s->y_line, .image = s->y_image},
              .taps = {.pixel = tap, .line = taps, .image = s->h.kernel * taps}};
    set_tiles(&s->h, &p.x.h, &p.y.h, &p.taps.h);
    set_tiles(&s->w, &p.x.w, &p.y.w, &p.taps.w);
    p.tiles = data->rows * p.x.h.out * p.x.w.out;
    const long blocks = ls_max(1, (p.tiles + most - 1) / most);
    p.block = (p.tiles + blocks - 1) / blocks;
    p.v = (ls_winograd_block){
        .channels = s->c, .group = GROUP, .at = data->scratch, .step = position_of(p.block * s->c)};
    p.z = (ls_winograd_block){.group = LS_PANEL,
                              .at = p.v.at + positions * p.v.step,
                              .step = position_of(p.block * PAIR)};
    p.u = (ls_winograd_block){.at = p.z.at + positions * p.z.step, .step = filter_position(s)};
    return p;
}

/* m = or (k > 0) += v u: channels of x from k on. far: u is not in the cache, nor what lies behind
 * it, which is needed next. */
static void multiply(long positions, const ls_winograd_block *v, long k, const ls_winograd_block *u,
                     bool far, const ls_winograd_block *m)
{
    ls_tile tile = {.segments = u->group / (GROUP * LS_PANEL),
                    .depth = GROUP,
                    .a = {.row = GROUP, .depth = 1, .segment = v->count * GROUP},
                    .b = {.segment = GROUP * LS_PANEL, .panel = u->group},
                    .c = {.row = LS_PANEL, .panel = v->count * LS_PANEL},
                    .add = k > 0};
    for (long i = 0; i < positions; i++) {
        const real *filters = u->at + i * u->step;
        ls_ahead next = {filters + u->step, filters + 2 * u->step, NULL};
        tile.ahead = far ? &next : NULL;
        ls_tile_best()->run(&tile, v->count, m->channels, v->at + i * v->step + k * v->count,
                            filters, m->at + i * m->step);
    }
}

static void run(const ls_conv_problem *s, const ls_conv_data *data)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    const bool small = is_small(s);
    const kind *kind = kind_of(s);
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
            for (long k = 0; k < s->c; k += kind->channels) {
                u.channels = u.group = ls_min(kind->channels, s->c - k) * LS_PANEL;
                if (first == 0 || !small)
                    to->to_positions(&p.taps, data->weight + k * LS_PANEL, &u);
                multiply(kind->positions, &v, k, &u, small && first > 0, &m);
                u.at += small ? kind->positions * u.step : 0;
            }
            to->to_pixels(&p.y, &m, data->bias ? data->bias + o : NULL, data->add, data->y + o);
        }
    }
}

/* m = v^T z: channels of x from k on. */
static void multiply_transposed(long positions, const ls_winograd_block *v, long k,
                                const ls_winograd_block *z, const ls_winograd_block *m)
{
    const ls_tile tile = {.segments = 1,
                          .depth = v->count,
                          .a = {.row = 1, .depth = GROUP},
                          .b = {.panel = v->count * LS_PANEL},
                          .c = {.row = LS_PANEL, .panel = m->group}};
    for (long i = 0; i < positions; i++)
        ls_tile_best()->run(&tile, GROUP, z->channels, v->at + i * v->step + k * v->count,
                            z->at + i * z->step, m->at + i * m->step);
}

/* The columns of m beyond the last output stay 0, so that the padding of dweight does. */
static void gradient(const ls_conv_problem *s, const ls_conv_data *data)
{
    const ls_winograd *to = ls_tile_best()->winograd;
    const plan p = plan_of(s, data);
    const long positions = kind_of(s)->positions;
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
                memset(m.at, 0, (size_t)(positions * m.step) * sizeof *m.at);
            for (long k = 0; k < s->c; k += GROUP) {
                multiply_transposed(positions, &v, k, &z, &m);
                to->to_pixels(&p.taps, &m, NULL, true, data->dweight + k * LS_PANEL);
            }
        }
    }
}

/* With fewer than FEWEST outputs most of a tile would be unused. */
static bool suits_axis(const ls_window_axis *axis)
{
    enum { FEWEST = 3 };
    return (axis->kernel == 3 || axis->kernel == 5) && axis->stride == 1 && axis->pad >= 0 &&
           axis->pad <= (axis->kernel - 1) * axis->dilation && axis->out >= FEWEST * axis->dilation;
}

static bool suits(const ls_conv_problem *s)
{
    const bool single = s->h.kernel == 1 && s->h.stride == 1 && s->h.pad == 0;
    const bool both = s->h.kernel == s->w.kernel && suits_axis(&s->h);
    return !s->exact && !s->depthwise && (single || both) && suits_axis(&s->w) &&
           s->c % GROUP == 0 && s->out % GROUP == 0 && s->c * s->out >= kind_of(s)->least;
}

static long scratch(const ls_conv_problem *s)
{
    const long pairs = (s->out + PAIR - 1) / PAIR, positions = kind_of(s)->positions;
    const long tiles = most_tiles(s);
    return positions * (position_of(tiles * s->c) + position_of(tiles * PAIR)) +
           (is_small(s) ? pairs * filters_of(s) : positions * filter_position(s));
}

const ls_conv_kernel ls_conv_winograd = {"winograd", suits, scratch, run, gradient};
