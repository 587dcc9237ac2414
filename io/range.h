/* range: the smallest and the largest of many numbers. */
#pragma once
#include "core/tensor.h"

/* Of x[n], n at least 1. */
void ls_range_find(long n, const real *x, real *low, real *high);
