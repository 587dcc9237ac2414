/* norm: the passes of batch norm over x[rows, channels], each a single walk over memory.
 *
 * What belongs to a channel lies in a line: `width` reals, the channels of some rows one after the
 * other, so that inner loops are long where channels are few. `n` counts reals, of whole rows. */
#pragma once
#include "core/tensor.h"

/* Reals of a line, a multiple of `channels`. */
long ls_norm_width(long channels);
/* line[width] = values[channels], repeated. */
void ls_norm_spread(const double *values, long channels, long width, real *line);

/* mean[channels], and square[channels] = the sum of (x - mean)^2; 0 without rows. lines[3 * width]:
 * scratch. */
void ls_norm_moments(const real *x, long n, long channels, double *mean, double *square,
                     real *lines);
/* y = (x - centre) slope + shift (+ other) (and no less than 0 where `relu`); `other` [n] or NULL.
 */
void ls_norm_apply(const real *x, const real *other, long n, long width, const real *centre,
                   const real *slope, const real *shift, bool relu, real *y);

/* Below, g = dy where y > 0, else 0; y NULL: g = dy. */

/* sums[channels] = the sum of g, products[channels] = that of g (x - centre). lines[2 * width]:
 * scratch. */
void ls_norm_products(const real *x, const real *y, const real *dy, long n, long channels,
                      const real *centre, double *sums, double *products, real *lines);
/* dx = slope g + tilt (x - centre) + shift; added to dx where `add`. */
void ls_norm_dx(const real *x, const real *y, const real *dy, long n, long width,
                const real *centre, const real *slope, const real *tilt, const real *shift,
                bool add, real *dx);
/* d = g; added to d where `add`. */
void ls_norm_pass_on(const real *y, const real *dy, long n, bool add, real *d);
