/* panel: matrices of weights in panels; see panel.h. */
#include "core/kernels/panel.h"

#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"

enum {
    VECTOR = 16, /* the longest, in reals */
    SQUARE = LS_PANEL * LS_PANEL,
    ROWS = 256, /* of dy that are turned round at a time */
    DEPTH = 512 /* outputs of a product: short sums */
};

long ls_panel_count(long columns)
{
    return (columns + LS_PANEL - 1) / LS_PANEL;
}

long ls_panel_round(long columns)
{
    return (columns + VECTOR - 1) / VECTOR * VECTOR;
}

long ls_panel_size(long out, long in)
{
    return ls_panel_count(out) * in * LS_PANEL;
}

static long layout_size(const ls_layout *layout, const ls_shape *shape)
{
    const long out = shape->at[0] / layout->groups;
    return layout->groups * ls_panel_size(out, ls_shape_count(shape) / shape->at[0]);
}

/* Each logical number [out, in, taps] in its place [group][panel][tap][in][32]: copies it there,
 * or (back) from there. */
static void copy(const ls_layout *layout, const ls_shape *shape, bool back, real *logical,
                 real *stored)
{
    const long all = shape->at[0], in = shape->at[1], taps = ls_shape_count(shape) / (all * in);
    const long out = all / layout->groups, group = ls_panel_size(out, taps * in);
    for (long o = 0; o < all; o++)
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++, logical++) {
                const long panel = o % out / LS_PANEL, column = o % out % LS_PANEL;
                real *at =
                    stored + o / out * group + ((panel * taps + tap) * in + c) * LS_PANEL + column;
                *(back ? logical : at) = *(back ? at : logical);
            }
}

static void layout_load(const ls_layout *layout, const ls_shape *shape, const real *logical,
                        real *stored)
{
    memset(stored, 0, (size_t)layout_size(layout, shape) * sizeof *stored);
    copy(layout, shape, false, (real *)logical, stored);
}

static void layout_store(const ls_layout *layout, const ls_shape *shape, const real *stored,
                         real *logical)
{
    copy(layout, shape, true, logical, (real *)stored);
}

const ls_layout ls_panel_layout = {layout_size, layout_load, layout_store, .groups = 1};

/* to[i][32] = from[i, columns], `row` reals apart; 0 beyond. */
LS_CLONES static void pack(const real *from, long row, long rows, long columns, real *to)
{
    for (long i = 0; i < rows; i++, from += row, to += LS_PANEL) {
        for (long j = 0; columns >= LS_PANEL && j < LS_PANEL; j++)
            to[j] = from[j];
        for (long j = 0; columns < LS_PANEL && j < LS_PANEL; j++)
            to[j] = j < columns ? from[j] : 0;
    }
}

void ls_panel_pack(const real *from, long row, long rows, long columns, real *panels)
{
    for (long j = 0; j < columns; j += LS_PANEL)
        pack(from + j, row, rows, columns - j, panels + j * rows);
}

/* to[columns <= 32][32] = the transpose of from[rows <= 32, columns]. */
static void turn_square(const real *from, long row, long rows, long columns, real *to)
{
    const ls_tiles *tiles = ls_tile_best();
    real part[SQUARE], back[SQUARE];
    if (rows == LS_PANEL && columns == LS_PANEL && row == LS_PANEL) {
        tiles->turn(from, to);
        return;
    }
    memset(part + rows * LS_PANEL, 0, (size_t)(SQUARE - rows * LS_PANEL) * sizeof *part);
    pack(from, row, rows, columns, part);
    tiles->turn(part, columns == LS_PANEL ? to : back);
    if (columns < LS_PANEL)
        memcpy(to, back, (size_t)(columns * LS_PANEL) * sizeof *to);
}

void ls_panel_transpose(const real *weight, long out, long in, long first, long count, real *turned,
                        long panel)
{
    for (long o = 0; o < out; o += LS_PANEL)
        for (long c = 0; c < count; c += LS_PANEL)
            turn_square(weight + o * in + (first + c) * LS_PANEL, LS_PANEL,
                        ls_min(LS_PANEL, count - c), ls_min(LS_PANEL, out - o),
                        turned + c / LS_PANEL * panel + o * LS_PANEL);
}

void ls_panel_turn(const real *from, long row, long rows, long columns, real *to)
{
    for (long j = 0; j < columns; j += LS_PANEL)
        turn_square(from + j, row, rows, ls_min(LS_PANEL, columns - j), to + j * LS_PANEL);
}

LS_CLONES void ls_panel_turn_back(const real *from, long rows, long columns, bool add, real *to,
                                  long row)
{
    real part[SQUARE];
    for (long j = 0; j < columns; j += LS_PANEL) {
        const long count = ls_min(LS_PANEL, columns - j);
        turn_square(from + j * LS_PANEL, LS_PANEL, count, LS_PANEL, part);
        for (long i = 0; i < rows; i++)
            for (long k = 0; k < count; k++) {
                real *at = to + i * row + j + k;
                *at = part[i * LS_PANEL + k] + (add ? *at : 0);
            }
    }
}

/* Reals of one side turned round: [ROWS / 32][columns, to whole panels][32]. */
static long turned_reals(long columns)
{
    return ROWS * ls_panel_count(columns) * LS_PANEL;
}

/* Of at most ROWS rows. */
static void backward(const real *weight, long out, long in, long rows, const real *dy, bool add,
                     real *dx, real *scratch)
{
    const long outs = ls_panel_count(out) * LS_PANEL;
    real *turned = scratch, *result = scratch + turned_reals(out);
    for (long r = 0; r < rows; r += LS_PANEL) {
        real *to = turned + r * outs;
        ls_panel_turn(dy + r * out, out, ls_min(LS_PANEL, rows - r), out, to);
        memset(to + out * LS_PANEL, 0, (size_t)((outs - out) * LS_PANEL) * sizeof *to);
    }
    for (long o = 0; o < outs; o += DEPTH) {
        const ls_tile tile = {.segments = ls_min(DEPTH, outs - o) / LS_PANEL,
                              .depth = LS_PANEL,
                              .a = {.row = LS_PANEL, .depth = 1, .segment = in * LS_PANEL},
                              .b = {.segment = SQUARE, .panel = outs * LS_PANEL},
                              .c = {.row = LS_PANEL, .panel = in * LS_PANEL},
                              .add = o > 0,
                              .far = true};
        ls_tile_best()->run(&tile, in, ls_panel_round(rows), weight + o * in, turned + o * LS_PANEL,
                            result);
    }
    for (long r = 0; r < rows; r += LS_PANEL)
        ls_panel_turn_back(result + r * in, ls_min(LS_PANEL, rows - r), in, add, dx + r * in, in);
}

void ls_panel_backward(const real *weight, long out, long in, long rows, const real *dy, bool add,
                       real *dx, real *scratch)
{
    for (long r = 0; r < rows; r += ROWS)
        backward(weight, out, in, ls_min(ROWS, rows - r), dy + r * out, add, dx + r * in, scratch);
}

long ls_panel_scratch(long out, long in)
{
    return turned_reals(out) + turned_reals(in);
}
