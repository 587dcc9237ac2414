/* norm: the passes of batch norm over x[rows, channels], each a single walk over memory.
 *
 *   x  c0 c1 c2 c0 c1 c2 | c0 c1 c2 c0 c1 c2 | c0 c1 c2      3 channels, width 6, n = 15
 *
 * The numbers that belong to channels (means, scales) lie in a *line*: `width` reals, the channels
 * repeated for some rows, so that inner loops are long even if channels are few. */
#pragma once
#include "core/tensor.h"

/* Reals of a line, a multiple of `channels`. */
long ls_norm_width(long channels);
/* line[width] = values[channels], repeated. */
void ls_norm_spread(const double *values, long channels, long width, real *line);
/* values[channels] += what line[width] holds of each channel. */
void ls_norm_fold(const double *line, long channels, long width, double *values);

/* What the passes read. Below, d = x - centre, and g = dy where y > 0, else 0. */
typedef struct ls_norm {
    long n, width;                             /* reals of x, of whole rows; reals of a line */
    const real *x;                             /* [n] */
    const real *other;                         /* [n] added to y; NULL: none */
    real least;                                /* of y: 0 is ReLU, -INFINITY none */
    const real *y, *dy;                        /* [n]; y NULL: g = dy */
    const real *centre, *slope, *tilt, *shift; /* [width] */
} ls_norm;

/* sums[2, width] = the sum of d, and that of d^2. */
void ls_norm_moments(const ls_norm *norm, double *sums);
/* y = max(slope d + shift + other, least). */
void ls_norm_apply(const ls_norm *norm, real *y);
/* sums[2, width] = the sum of g, and that of g d. lines[2, width]: scratch. */
void ls_norm_products(const ls_norm *norm, double *sums, real *lines);
/* dx = slope g + tilt d + shift; added to dx if `add`. */
void ls_norm_dx(const ls_norm *norm, bool add, real *dx);
/* dother = g; added to dother if `add`. */
void ls_norm_pass_on(const ls_norm *norm, bool add, real *dother);
