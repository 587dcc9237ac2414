/* norm: the passes of batch norm over x[rows, channels], each a single walk over memory.
 *
 *   x  c0 c1 c2 c0 c1 c2 | c0 c1 c2 c0 c1 c2 | c0 c1 c2      3 channels, width 6, n = 15
 *
 * What belongs to a channel lies in a line: `width` reals, the channels of some rows one after the
 * other, so that inner loops are long where channels are few. `n` counts reals, of whole rows. */
#pragma once
#include "core/tensor.h"

/* Reals of a line, a multiple of `channels`. */
long ls_norm_width(long channels);
/* line[width] = values[channels], repeated. */
void ls_norm_spread(const double *values, long channels, long width, real *line);
/* values[channels] += what line[width] holds of each channel. */
void ls_norm_fold(const double *line, long channels, long width, double *values);

/* Below, d = x - centre, and g = dy where y > 0, else 0; y NULL: g = dy. */

/* sums[2, width] = the sum of d, and that of d^2. */
void ls_norm_moments(const real *x, long n, long width, const real *centre, double *sums);
/* y = slope d + shift (+ other) (and no less than 0 where `relu`); `other` [n] or NULL. */
void ls_norm_apply(const real *x, const real *other, long n, long width, const real *centre,
                   const real *slope, const real *shift, bool relu, real *y);
/* sums[2, width] = the sum of g, and that of g d. lines[2, width]: scratch. */
void ls_norm_products(const real *x, const real *y, const real *dy, long n, long width,
                      const real *centre, double *sums, real *lines);
/* dx = slope g + tilt d + shift; added to dx where `add`. */
void ls_norm_dx(const real *x, const real *y, const real *dy, long n, long width,
                const real *centre, const real *slope, const real *tilt, const real *shift,
                bool add, real *dx);
/* other = g; added to other where `add`. */
void ls_norm_pass_on(const real *y, const real *dy, long n, bool add, real *other);
