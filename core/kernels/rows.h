/* rows: a bias vector added to all rows of a matrix, and the sum of rows that is its gradient. */
#pragma once
#include "core/tensor.h"

/* Sets every row of y[rows, n] to bias[n]. */
void ls_rows_fill(real *y, const real *bias, long rows, long n);
/* sum[n] += the sum of `rows` rows of n numbers, which begin `row` reals apart. */
void ls_rows_sum(const real *y, long rows, long row, long n, real *sum);
