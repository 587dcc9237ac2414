/* pixels: vectorised losses of whole rows against real numbers such as pixels, for objectives that
 * rebuild their input. The losses of the table (loss.h) take their time over each single output;
 * here that would take as long as the products of a net. The order of a sum depends on n only. */
#pragma once
#include "core/loss.h"
#include "core/random.h"

/* The sum of -x ln s(y) - (1 - x) ln(1 - s(y)), s the logistic function, over n logits y and
 * targets x from 0 to 1; dy[n] gets the slopes s(y) - x. NULL: not wanted. */
double ls_pixels_bernoulli(long n, const real *y, const real *x, real *dy);
/* The sum of (y - x)^2 / 2; dy[n] gets y - x. NULL: not wanted. */
double ls_pixels_squared(long n, const real *y, const real *x, real *dy);
/* Draws n pixels: where x, a uniform number from [0, 1), is below the probability p, x becomes 1,
 * else 0. */
void ls_pixels_draw(long n, const real *p, real *x);
/* pixels[rows, width] as drawn by the numbers of a batch: a function of the stream and of a row's
 * number in the data set, or where that is not told, of its index in the batch, `first` on. */
void ls_pixels_binarize(ls_random stream, const ls_batch *batch, long first, long width,
                        real *pixels);
/* What bernoulli takes as x, as a rule for rows of data: numbers from 0 to 1. */
extern const ls_target_rule ls_pixels_rule;
