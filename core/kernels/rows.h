/* rows: a bias vector against the rows of a matrix. */
#pragma once
#include "core/tensor.h"

/* y[rows, n]: every row becomes bias[n]. */
void ls_rows_fill(real *y, const real *bias, long rows, long n);
/* sum[n] += the sum of the rows of y[rows, n]. */
void ls_rows_sum(const real *y, long rows, long n, real *sum);
