/* rows: a bias vector against the rows of a matrix. */
#pragma once
#include "core/tensor.h"

/* y[rows, n]: every row becomes bias[n]. */
void ls_rows_fill(real *y, const real *bias, long rows, long n);
/* sum[n] += the sum of `rows` rows of n numbers, which begin `row` reals apart. */
void ls_rows_sum(const real *y, long rows, long row, long n, real *sum);
