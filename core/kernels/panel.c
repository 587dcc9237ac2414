/* panel: matrices of weights in panels. */
#include "core/kernels/panel.h"

#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"

enum {
    VECTOR = 16, /* reals of the longest vector */
    SQUARE = LS_PANEL * LS_PANEL
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

/* Where the numbers of output o are stored: input c of its tap t is at c * LS_PANEL + t * in *
 * LS_PANEL from here. */
static long stored_index(const ls_layout *layout, const ls_shape *shape, long o)
{
    const long out = shape->at[0] / layout->groups, in = ls_shape_count(shape) / shape->at[0];
    return o / out * ls_panel_size(out, in) + o % out / LS_PANEL * in * LS_PANEL +
           o % out % LS_PANEL;
}

static void layout_load(const ls_layout *layout, const ls_shape *shape, const real *logical,
                        real *stored)
{
    const long out = shape->at[0], in = shape->at[1], taps = ls_shape_count(shape) / (out * in);
    memset(stored, 0, (size_t)layout_size(layout, shape) * sizeof *stored);
    for (long o = 0; o < out; o++) {
        real *to = stored + stored_index(layout, shape, o);
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++)
                to[(tap * in + c) * LS_PANEL] = *logical++;
    }
}

/* to[rows][32] = from[rows, columns], whose rows begin `row` reals apart; 0 beyond. */
static LS_CLONES void pack(const real *from, long row, long rows, long columns, real *to)
{
    for (long i = 0; i < rows; i++, from += row, to += LS_PANEL) {
        if (columns >= LS_PANEL)
            for (long j = 0; j < LS_PANEL; j++)
                to[j] = from[j];
        else
            for (long j = 0; j < LS_PANEL; j++)
                to[j] = j < columns ? from[j] : 0;
    }
}

void ls_panel_pack(const real *from, long row, long rows, long columns, real *panels)
{
    for (long j = 0; j < columns; j += LS_PANEL)
        pack(from + j, row, rows, columns - j, panels + j * rows);
}

/* to[columns <= 32][32] = the transpose of from[rows <= 32, columns]. */
static void transpose_square(const real *from, long row, long rows, long columns, real *to)
{
    const ls_tiles *tiles = ls_tile_best();
    real part[SQUARE], back[SQUARE];
    if (rows == LS_PANEL && columns == LS_PANEL && row == LS_PANEL) {
        tiles->transpose(from, to);
        return;
    }
    memset(part + rows * LS_PANEL, 0, (size_t)(SQUARE - rows * LS_PANEL) * sizeof *part);
    pack(from, row, rows, columns, part);
    tiles->transpose(part, columns == LS_PANEL ? to : back);
    if (columns < LS_PANEL)
        memcpy(to, back, (size_t)(columns * LS_PANEL) * sizeof *to);
}

enum { TAPS = 9 }; /* that are stored together: of a kernel of 3x3 */

/* The squares of `taps` neighbouring taps, turned round, into logical[rows][in][all], which begins
 * at the first of these taps and of `count` inputs. */
static LS_INLINE void interleave(real (*square)[SQUARE], ls_interval rows, long count, long taps,
                                 long in, long all, real *logical)
{
    for (long o = rows.begin; o < rows.end; o++, logical += in * all)
        for (long k = 0; k < count; k++)
            for (long tap = 0; tap < taps; tap++)
                logical[k * all + tap] = square[tap][o * LS_PANEL + k];
}

/* logical[rows][in][all] = outputs `rows` of a panel [all][in][32]. */
static LS_CLONES void unpack(const real *panel, ls_interval rows, long in, long all, real *logical)
{
    real square[TAPS][SQUARE];
    for (long c = 0; c < in; c += LS_PANEL)
        for (long first = 0; first < all; first += TAPS) {
            const long count = ls_min(LS_PANEL, in - c), taps = ls_min(TAPS, all - first);
            for (long tap = 0; tap < taps; tap++) {
                const real *from = panel + ((first + tap) * in + c) * LS_PANEL;
                const real *next = from + (all > 1 ? in : LS_PANEL) * LS_PANEL;
                for (long i = 0; i < count; i++) {
                    __builtin_prefetch(next + i * LS_PANEL);
                    __builtin_prefetch(next + i * LS_PANEL + VECTOR);
                }
                transpose_square(from, LS_PANEL, count, LS_PANEL, square[tap]);
            }
            real *to = logical + c * all + first;
            if (count == LS_PANEL && all == 1)
                interleave(square, rows, LS_PANEL, 1, in, 1, to);
            else if (count == LS_PANEL && all == TAPS)
                interleave(square, rows, LS_PANEL, TAPS, in, TAPS, to);
            else
                interleave(square, rows, count, taps, in, all, to);
        }
}

static void layout_store(const ls_layout *layout, const ls_shape *shape, const real *stored,
                         ls_interval rows, real *logical)
{
    const long out = shape->at[0] / layout->groups, in = shape->at[1];
    const long taps = ls_shape_count(shape) / (shape->at[0] * in);
    for (long o = rows.begin, next; o < rows.end; o = next) {
        const long first = o % out % LS_PANEL; /* within its panel, as the group's last one is */
        next = ls_min(ls_min(o - first + LS_PANEL, (o / out + 1) * out), rows.end);
        unpack(stored + stored_index(layout, shape, o) - first,
               (ls_interval){first, first + next - o}, in, taps, logical);
        logical += (next - o) * in * taps;
    }
}

const ls_layout ls_panel_layout = {layout_size, layout_load, layout_store, .groups = 1};

void ls_panel_transpose_weight(const real *weight, long out, long in, long first, long count,
                               real *transposed, long panel)
{
    for (long o = 0; o < out; o += LS_PANEL)
        for (long c = 0; c < count; c += LS_PANEL)
            transpose_square(weight + o * in + (first + c) * LS_PANEL, LS_PANEL,
                             ls_min(LS_PANEL, count - c), ls_min(LS_PANEL, out - o),
                             transposed + c / LS_PANEL * panel + o * LS_PANEL);
}

void ls_panel_transpose_rows(const real *from, long row, long rows, long columns, real *to)
{
    for (long j = 0; j < columns; j += LS_PANEL)
        transpose_square(from + j, row, rows, ls_min(LS_PANEL, columns - j), to + j * LS_PANEL);
}

LS_CLONES void ls_panel_transpose_back(const real *from, long rows, long columns, bool add,
                                       real *to, long row)
{
    real part[SQUARE];
    for (long j = 0; j < columns; j += LS_PANEL) {
        const long count = ls_min(LS_PANEL, columns - j);
        transpose_square(from + j * LS_PANEL, LS_PANEL, count, LS_PANEL, part);
        for (long i = 0; i < rows; i++)
            for (long k = 0; k < count; k++) {
                real *x = to + i * row + j + k;
                *x = part[i * LS_PANEL + k] + (add ? *x : 0);
            }
    }
}
