/* panel: products with a matrix of weights that is stored in panels.
 *
 * weight[out, in] is stored as [ceil(out / 32)][in][32]: for each input the weights of 32 outputs
 * lie together, as the micro-kernel (tile.h) reads them; outputs beyond `out` are 0. A
 * convolution's [out, in, h, w] is stored as [ceil(out / 32)][h][w][in][32]: the same with h * w *
 * in inputs.
 *
 *     forward    y  = x weight^T + bias    blocks of x stay in the cache, the weight passes by
 *     backward   dx = dy weight            weight^T in panels of its own, some inputs at a time;
 *                                          few rows are turned round instead
 *     gradient   dweight += dy^T x         a block of rows after the other: short float sums */
#pragma once
#include "core/kernels/tile.h"
#include "core/params.h"

/* The layout of a slot [out, in] or [out, in, h, w]. */
extern const ls_layout ls_panel_layout;
/* Panels that hold so many columns. */
long ls_panel_count(long columns);
/* `columns` of a last panel to whole vectors: those beyond are 0. */
long ls_panel_round(long columns);
/* Reals of the panels. */
long ls_panel_size(long out, long in);

/* y[rows, out] = x[rows, in] weight^T + bias (NULL: none), or += without bias. Rows begin x_row and
 * y_row reals apart. */
typedef struct ls_panel_product {
    long in, out, x_row, y_row;
    const real *weight, *bias;
    bool add;
} ls_panel_product;
void ls_panel_forward(const ls_panel_product *product, long rows, const real *x, real *y);
/* dx[rows, in] = dy[rows, out] weight; `add`: to dx. scratch: ls_panel_scratch reals. */
void ls_panel_backward(const ls_panel_product *product, long rows, const real *dy, real *dx,
                       real *scratch);
/* dweight (in panels) += dy^T x. scratch: ls_panel_scratch reals. */
void ls_panel_gradient(const ls_panel_product *product, long rows, const real *x, const real *dy,
                       real *dweight, real *scratch);
long ls_panel_scratch(long out, long in);

/* `count` inputs from `first` of [out, in] panels, turned round: [ceil(count / 32)][out][32], with
 * zeros beyond the inputs; its panels begin `panel` reals apart. */
void ls_panel_transpose(const real *weight, long out, long in, long first, long count, real *turned,
                        long panel);
/* panels[ceil(columns / 32)][rows][32] = dy, whose rows begin `row` reals apart; 0 beyond. */
void ls_panel_pack(const real *dy, long row, long rows, long columns, real *panels);
enum { LS_PANEL_PACKED = 64 }; /* columns that a gradient packs at a time: they stay in a cache */
