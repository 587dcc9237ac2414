/* matrix: products with a weight in panels.
 *
 * `apply` and the gradient are convolutions over images of one pixel: a row is a pixel, and
 * conv_direct takes as many at a time as fit into a cache. `turned` would need the weight
 * transposed. It transposes x and y instead, which usually are much smaller, so that the weight is
 * read only once for every 256 rows:
 *
 *     y^T = weight^T x^T      x^T, y^T: panels of 32 rows */
#include "core/kernels/matrix.h"

#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/rows.h"
#include "core/minmax.h"

enum {
    ROWS = 256, /* that are transposed at a time */
    DEPTH = 512 /* outputs that one product sums over: short sums round less */
};

/* The convolution whose images are the rows. */
static ls_conv_problem problem_of(const ls_matrix *m, long x_row, long y_row)
{
    const ls_window_axis one = {1, 1, 1, 0, 1, 1};
    return (ls_conv_problem){.h = one,
                             .w = one,
                             .c = m->in,
                             .out = m->out,
                             .x_pixel = x_row,
                             .y_pixel = y_row,
                             .y_line = y_row,
                             .y_image = y_row};
}

void ls_matrix_apply(const ls_matrix *m, const ls_product *p)
{
    const ls_conv_problem s = problem_of(m, p->x_row, p->y_row);
    const ls_conv_data data = {.rows = p->rows,
                               .x = p->x,
                               .weight = p->weight,
                               .bias = p->bias,
                               .y = p->y,
                               .add = p->add,
                               .scratch = p->scratch};
    ls_conv_direct.run(&s, &data);
}

void ls_matrix_gradient(const ls_matrix *m, const ls_outer *g)
{
    const ls_conv_problem s = problem_of(m, g->x_row, g->dy_row);
    const ls_conv_data data = {.rows = g->rows,
                               .x = g->x,
                               .dy = g->dy,
                               .dweight = g->dweight,
                               .part = g->part,
                               .scratch = g->scratch};
    ls_conv_direct.gradient(&s, &data);
}

void ls_matrix_turn(const ls_matrix *m, const real *weight, real *turned)
{
    ls_panel_transpose_weight(weight, m->out, m->in, 0, m->in, turned, m->out * LS_PANEL);
}

/* Reals of x or y transposed: [ROWS / 32][columns, rounded up to whole panels][32]. */
static long transposed_reals(long columns)
{
    return ROWS * ls_panel_count(columns) * LS_PANEL;
}

/* ls_matrix_turned of at most ROWS rows, without bias. */
static void turned(const ls_matrix *m, const ls_product *p)
{
    const long outs = ls_panel_count(m->out) * LS_PANEL;
    real *transposed = p->scratch, *result = p->scratch + transposed_reals(m->out);
    for (long r = 0; r < p->rows; r += LS_PANEL) {
        real *to = transposed + r * outs;
        ls_panel_transpose_rows(p->x + r * p->x_row, p->x_row, ls_min(LS_PANEL, p->rows - r),
                                m->out, to);
        memset(to + m->out * LS_PANEL, 0, (size_t)((outs - m->out) * LS_PANEL) * sizeof *to);
    }
    for (long o = 0; o < outs; o += DEPTH) {
        const ls_tile tile = {.segments = ls_min(DEPTH, outs - o) / LS_PANEL,
                              .depth = LS_PANEL,
                              .a = {.row = LS_PANEL, .depth = 1, .segment = m->in * LS_PANEL},
                              .b = {.segment = LS_PANEL * LS_PANEL, .panel = outs * LS_PANEL},
                              .c = {.row = LS_PANEL, .panel = m->in * LS_PANEL},
                              .add = o > 0,
                              .far = true};
        ls_tile_best()->run(&tile, m->in, ls_panel_round(p->rows), p->weight + o * m->in,
                            transposed + o * LS_PANEL, result);
    }
    for (long r = 0; r < p->rows; r += LS_PANEL)
        ls_panel_transpose_back(result + r * m->in, ls_min(LS_PANEL, p->rows - r), m->in, p->add,
                                p->y + r * p->y_row, p->y_row);
}

void ls_matrix_turned(const ls_matrix *m, const ls_product *p)
{
    ls_product part = *p;
    for (long r = 0; r < p->rows; r += ROWS) {
        part.rows = ls_min(ROWS, p->rows - r);
        part.x = p->x + r * p->x_row;
        part.y = p->y + r * p->y_row;
        part.add = p->add || p->bias;
        for (long i = 0; p->bias && i < part.rows; i++)
            ls_rows_fill(part.y + i * p->y_row, p->bias, 1, m->in);
        turned(m, &part);
    }
}

long ls_matrix_scratch(const ls_matrix *m)
{
    const ls_conv_problem s = problem_of(m, m->in, m->out);
    return ls_max(ls_conv_direct.scratch(&s), transposed_reals(m->out) + transposed_reals(m->in));
}
