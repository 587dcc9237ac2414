/* matrix: products with a weight in panels.
 *
 * `apply` and the gradient are convolutions over images of one pixel: a row is a pixel, and
 * conv_direct takes as many at a time as fit into a cache. `turned` would need the weight
 * transposed. With few rows, or a large weight, x and y are transposed instead, so that the weight
 * is read only once for every 256 rows:
 *
 *     y^T = weight^T x^T      x^T, y^T: panels of 32 rows
 *
 * With many rows a copy of the weight is transposed. It is then the faster product by 20 %, and the
 * copy is paid by a row for each 2000 weights: measured on one core (Sapphire Rapids), in ms, with
 * the copy
 *
 *     weight        rows: 16            128           256           512           1024
 *     500 x 784     0.12 (0.17)   0.68 (0.65)   1.55 (1.30)   3.19 (2.76)   6.16 (5.03)
 *     1000 x 1000   0.34 (0.56)   1.76 (1.88)   3.94 (4.00)   7.59 (7.26)   15.5 (14.2)
 *     2048 x 2048   1.78 (4.99)   7.79 (10.3)   15.2 (16.8)   29.4 (30.3)   59.4 (55.7)
 *
 * The rows of a thread, or of the last batch, may be few or many: so both ways must give the same
 * bits. They do where they add up in the same order: sums of DEPTH products, one after the other.
 * What y held before comes first in one, and last in the other; so y is added to by the first way
 * if there is more than one sum. */
#include "core/kernels/matrix.h"

#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/rows.h"
#include "core/minmax.h"

enum {
    ROWS = 256,  /* that are transposed at a time */
    DEPTH = 512, /* outputs that one product sums over, as conv_direct's */
    /* The weight is transposed if it has at most COPIED reals, and for each row at most PAID. */
    PAID = 2048,
    COPIED = 1 << 20
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

/* Transposes x and y of at most ROWS rows. */
static void turn_rows(const ls_matrix *m, const ls_product *p)
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

/* Transposes the weight. */
static void turn_weight(const ls_matrix *m, const ls_product *p)
{
    ls_product with_copy = *p;
    with_copy.weight = p->scratch;
    with_copy.scratch += ls_panel_size(m->in, m->out);
    ls_matrix_turn(m, p->weight, p->scratch);
    ls_matrix_apply(&(ls_matrix){m->in, m->out}, &with_copy);
}

static bool can_copy(const ls_matrix *m)
{
    return ls_panel_size(m->in, m->out) <= COPIED;
}

void ls_matrix_turned(const ls_matrix *m, const ls_product *p)
{
    const bool add = p->add || p->bias;
    const bool paid = ls_panel_size(m->in, m->out) <= p->rows * PAID;
    const bool many = paid && can_copy(m) && (!add || m->out <= DEPTH);
    const long most = many ? p->rows : ROWS;
    ls_product part = *p;
    part.bias = NULL;
    part.add = add;
    for (long r = 0; r < p->rows; r += most) {
        part.rows = ls_min(most, p->rows - r);
        part.x = p->x + r * p->x_row;
        part.y = p->y + r * p->y_row;
        for (long i = 0; p->bias && i < part.rows; i++)
            ls_rows_fill(part.y + i * p->y_row, p->bias, 1, m->in);
        (many ? turn_weight : turn_rows)(m, &part);
    }
}

long ls_matrix_gradient_scratch(const ls_matrix *m)
{
    const ls_conv_problem s = problem_of(m, m->in, m->out);
    return ls_conv_direct.scratch(&s);
}

long ls_matrix_scratch(const ls_matrix *m)
{
    const ls_conv_problem t = problem_of(&(ls_matrix){m->in, m->out}, m->out, m->in);
    const long copied = can_copy(m) ? ls_panel_size(m->in, m->out) + ls_conv_direct.scratch(&t) : 0;
    return ls_max(ls_max(ls_matrix_gradient_scratch(m), copied),
                  transposed_reals(m->out) + transposed_reals(m->in));
}
