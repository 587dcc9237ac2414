/* matrix: products with a weight [out, in] in panels (panel.h), whose rows lie anywhere.
 *
 *     apply       y[rows, out] = x[rows, in] weight^T + bias[out]
 *     turned      y[rows, in] = x[rows, out] weight + bias[in]
 *     gradient    dweight[out, in] += dy[rows, out]^T x[rows, in]
 *
 * Rows of x, y and dy begin x_row, y_row and dy_row reals apart, so they may be parts of longer
 * rows, or every second one. No array may overlap one that is written. Any number of rows, 0 too,
 * and of columns.
 *
 * `turned` takes the weight as it is stored. For many products with one weight, ls_matrix_turn
 * makes a copy of it, transposed, and ls_matrix_apply takes that, with out and in exchanged: faster
 * by 10 to 50 %, the copy aside (matrix.c has figures). */
#pragma once
#include "core/kernels/panel.h"

typedef struct ls_matrix {
    long out, in; /* of the weight */
} ls_matrix;

/* The arrays of a product, all borrowed. */
typedef struct ls_product {
    long rows;
    const real *x;
    long x_row; /* reals from row to row */
    const real *weight;
    const real *bias; /* NULL: 0, as it must be with `add` */
    bool add;         /* y += the product; else y is overwritten */
    real *y;
    long y_row;
    real *scratch; /* ls_matrix_scratch reals, 64-byte aligned */
} ls_product;

/* A row of y is the same bits whatever rows are computed with it, but by OpenBLAS (tile_blas.h). */
void ls_matrix_apply(const ls_matrix *m, const ls_product *p);
void ls_matrix_turned(const ls_matrix *m, const ls_product *p);
/* The transposed weight, for ls_matrix_apply of {in, out}: ls_panel_size(in, out) reals. */
void ls_matrix_turn(const ls_matrix *m, const real *weight, real *turned);

/* The arrays of a gradient, all borrowed. */
typedef struct ls_outer {
    long rows;
    const real *x, *dy;
    long x_row, dy_row; /* reals from row to row */
    ls_interval part;   /* outputs whose weights are wanted; begins at a multiple of LS_PANEL, and
                           ends at one or at `out` */
    real *dweight;      /* of all outputs, in panels, which are 0 beyond `out` and stay so */
    real *scratch;      /* ls_matrix_scratch reals, 64-byte aligned */
} ls_outer;

/* Each number is the same whatever part it belongs to. */
void ls_matrix_gradient(const ls_matrix *m, const ls_outer *g);

/* Reals of scratch for any of these, and for the gradient alone, whatever the number of rows. */
long ls_matrix_scratch(const ls_matrix *m);
long ls_matrix_gradient_scratch(const ls_matrix *m);
