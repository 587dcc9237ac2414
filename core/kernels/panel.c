/* panel: products with weights in panels; see panel.h. */
#include "core/kernels/panel.h"

#include <string.h>

#include "core/kernels/clones.h"
#include "core/minmax.h"

enum {
    ROWS = 448,            /* of x that a block holds; a multiple of every instruction set's */
    DEPTH = 512,           /* inputs of a block: ROWS * DEPTH reals stay in a cache of 1 MiB */
    GRADIENT_INPUTS = 252, /* so that their part of x stays in the cache; a multiple as ROWS */
    FEW = 64,              /* rows that are turned round rather than the weight */
    TURNED = 1 << 20       /* reals of the weight that are turned round at a time */
};

long ls_panel_count(long columns)
{
    return (columns + LS_PANEL - 1) / LS_PANEL;
}

long ls_panel_round(long columns)
{
    return (columns + 15) / 16 * 16;
}

long ls_panel_size(long out, long in)
{
    return ls_panel_count(out) * in * LS_PANEL;
}

/* The logical order [out, in, taps] against [panel][tap][in][32]. */
typedef struct place {
    long out, in, taps;
} place;

static place place_of(const ls_shape *shape)
{
    return (place){shape->at[0], shape->at[1],
                   ls_shape_count(shape) / (shape->at[0] * shape->at[1])};
}

static long stored_at(const place *p, long o, long c, long tap)
{
    return ((o / LS_PANEL * p->taps + tap) * p->in + c) * LS_PANEL + o % LS_PANEL;
}

static long layout_size(const ls_shape *shape)
{
    return ls_panel_size(shape->at[0], ls_shape_count(shape) / shape->at[0]);
}

static void layout_load(const ls_shape *shape, const real *logical, real *stored)
{
    const place p = place_of(shape);
    memset(stored, 0, (size_t)layout_size(shape) * sizeof *stored);
    for (long o = 0; o < p.out; o++)
        for (long c = 0; c < p.in; c++)
            for (long tap = 0; tap < p.taps; tap++)
                stored[stored_at(&p, o, c, tap)] = *logical++;
}

static void layout_store(const ls_shape *shape, const real *stored, real *logical)
{
    const place p = place_of(shape);
    for (long o = 0; o < p.out; o++)
        for (long c = 0; c < p.in; c++)
            for (long tap = 0; tap < p.taps; tap++)
                *logical++ = stored[stored_at(&p, o, c, tap)];
}

const ls_layout ls_panel_layout = {layout_size, layout_load, layout_store};

/* In blocks of rows, and of inputs within: the sums of a block of inputs are added to the one
 * before. */
void ls_panel_forward(const ls_panel_product *p, long rows, const real *x, real *y)
{
    const ls_tiles *tiles = ls_tile_best();
    for (long first = 0; first < rows; first += ROWS)
        for (long k = 0; k < p->in; k += DEPTH) {
            const ls_tile tile = {.segments = 1,
                                  .depth = ls_min(DEPTH, p->in - k),
                                  .a_row = p->x_row,
                                  .b_depth = LS_PANEL,
                                  .b_panel = p->in * LS_PANEL,
                                  .c_row = p->y_row,
                                  .c_panel = LS_PANEL,
                                  .add = p->add || k > 0,
                                  .bias = p->bias};
            tiles->along(&tile, ls_min(ROWS, rows - first), p->out, x + first * p->x_row + k,
                         p->weight + k * LS_PANEL, y + first * p->y_row);
        }
}

void ls_panel_transpose(const real *weight, long out, long in, long first, long count, real *turned,
                        long panel)
{
    const ls_tiles *tiles = ls_tile_best();
    real part[LS_PANEL * LS_PANEL], back[LS_PANEL * LS_PANEL];
    for (long o = 0; o < out; o += LS_PANEL)
        for (long c = 0; c < count; c += LS_PANEL) {
            const real *block = weight + o * in + (first + c) * LS_PANEL;
            real *to = turned + c / LS_PANEL * panel + o * LS_PANEL;
            long inputs = ls_min(LS_PANEL, count - c), outputs = ls_min(LS_PANEL, out - o);
            if (inputs == LS_PANEL && outputs == LS_PANEL) {
                tiles->turn(block, to);
                continue;
            }
            memset(part, 0, sizeof part);
            memcpy(part, block, (size_t)(inputs * LS_PANEL) * sizeof *part);
            tiles->turn(part, back);
            memcpy(to, back, (size_t)(outputs * LS_PANEL) * sizeof *to);
        }
}

/* Inputs whose weights are turned round at a time. */
static long turned_inputs(long out, long in)
{
    long most = TURNED / out / (2 * LS_PANEL) * (2 * LS_PANEL);
    most = most ? most : 2 * LS_PANEL;
    return ls_min(most, ls_panel_count(in) * LS_PANEL);
}

LS_CLONES void ls_panel_pack(const real *dy, long row, long rows, long columns, real *panels)
{
    for (long o = 0; o < columns; o += LS_PANEL)
        for (long i = 0; i < rows; i++, panels += LS_PANEL) {
            const real *from = dy + i * row + o;
            for (long j = 0; columns - o >= LS_PANEL && j < LS_PANEL; j++)
                panels[j] = from[j];
            for (long j = 0; columns - o < LS_PANEL && j < LS_PANEL; j++)
                panels[j] = j < columns - o ? from[j] : 0;
        }
}

/* Reals of dy^T, [ceil(FEW / 32)][out, to whole panels][32]; dx^T, likewise, comes after it. */
static long few_reals(long columns)
{
    return ls_panel_count(FEW) * LS_PANEL * ls_panel_count(columns) * LS_PANEL;
}

/* dx^T = weight^T dy^T: few rows are turned round instead of the weight, which passes by once, some
 * panels at a time. */
static void backward_few(const ls_panel_product *p, long rows, const real *dy, real *dx,
                         real *scratch)
{
    const ls_tiles *tiles = ls_tile_best();
    enum { PANELS = DEPTH / LS_PANEL }; /* the same sums as for many rows */
    long outs = ls_panel_count(p->out) * LS_PANEL, ins = ls_panel_count(p->in) * LS_PANEL;
    real *turned = scratch, *result = scratch + few_reals(p->out), part[LS_PANEL * LS_PANEL];
    for (long r = 0; r < rows; r += LS_PANEL)
        for (long o = 0; o < p->out; o += LS_PANEL) {
            memset(part, 0, sizeof part);
            ls_panel_pack(dy + r * p->y_row + o, p->y_row, ls_min(LS_PANEL, rows - r),
                          ls_min(LS_PANEL, p->out - o), part);
            tiles->turn(part, turned + r * outs + o * LS_PANEL);
        }
    for (long o = 0; o < outs; o += PANELS * LS_PANEL) {
        const ls_tile tile = {.segments = ls_min(PANELS, (outs - o) / LS_PANEL),
                              .depth = LS_PANEL,
                              .a_row = LS_PANEL,
                              .a_segment = p->in * LS_PANEL,
                              .b_depth = LS_PANEL,
                              .b_segment = LS_PANEL * LS_PANEL,
                              .b_panel = outs * LS_PANEL,
                              .c_row = LS_PANEL,
                              .c_panel = ins * LS_PANEL,
                              .add = o > 0,
                              .far = true};
        tiles->along(&tile, p->in, ls_panel_round(rows), p->weight + o * p->in,
                     turned + o * LS_PANEL, result);
    }
    for (long r = 0; r < rows; r += LS_PANEL)
        for (long c = 0; c < p->in; c += LS_PANEL) {
            tiles->turn(result + r * ins + c * LS_PANEL, part);
            for (long i = 0; i < ls_min(LS_PANEL, rows - r); i++)
                memcpy(dx + (r + i) * p->x_row + c, part + i * LS_PANEL,
                       (size_t)ls_min(LS_PANEL, p->in - c) * sizeof *dx);
        }
}

void ls_panel_backward(const ls_panel_product *p, long rows, const real *dy, real *dx,
                       real *scratch)
{
    long step = turned_inputs(p->out, p->in);
    if (rows <= FEW && !p->add) {
        backward_few(p, rows, dy, dx, scratch);
        return;
    }
    for (long first = 0; first < p->in; first += step) {
        long count = ls_min(step, p->in - first);
        ls_panel_transpose(p->weight, p->out, p->in, first, count, scratch, p->out * LS_PANEL);
        const ls_panel_product turned = {.in = p->out,
                                         .out = count,
                                         .x_row = p->y_row,
                                         .y_row = p->x_row,
                                         .weight = scratch,
                                         .add = p->add};
        ls_panel_forward(&turned, rows, dy, dx + first);
    }
}

/* Of a block of rows, the slopes of some outputs are laid out in panels. */
void ls_panel_gradient(const ls_panel_product *p, long rows, const real *x, const real *dy,
                       real *dweight, real *scratch)
{
    const ls_tiles *tiles = ls_tile_best();
    for (long first = 0; first < rows; first += tiles->depth)
        for (long o = 0; o < p->out; o += LS_PANEL_PACKED) {
            const long depth = ls_min(tiles->depth, rows - first);
            const long outs = ls_min(LS_PANEL_PACKED, p->out - o);
            const ls_tile tile = {.segments = 1,
                                  .depth = depth,
                                  .a_depth = p->x_row,
                                  .b_depth = LS_PANEL,
                                  .b_panel = depth * LS_PANEL,
                                  .c_row = LS_PANEL,
                                  .c_panel = p->in * LS_PANEL,
                                  .add = true};
            ls_panel_pack(dy + first * p->y_row + o, p->y_row, depth, outs, scratch);
            for (long c = 0; c < p->in; c += GRADIENT_INPUTS)
                tiles->across(&tile, ls_min(GRADIENT_INPUTS, p->in - c), ls_panel_round(outs),
                              x + first * p->x_row + c, scratch,
                              dweight + o * p->in + c * LS_PANEL);
        }
}

long ls_panel_scratch(long out, long in)
{
    const long turned = ls_panel_size(turned_inputs(out, in), out);
    const long few = few_reals(out) + few_reals(in);
    const long packed = LS_TILE_DEPTH * ls_min(LS_PANEL_PACKED, ls_panel_count(out) * LS_PANEL);
    return ls_max(ls_max(turned, few), packed);
}
