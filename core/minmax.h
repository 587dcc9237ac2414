/* minmax: the smaller and the larger of two whole numbers; the order and the median of doubles. */
#pragma once
#include <stdlib.h>

static inline long ls_min(long a, long b)
{
    return a < b ? a : b;
}

static inline long ls_max(long a, long b)
{
    return a > b ? a : b;
}

static inline int ls_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values; the mean of the two in the middle where their number is even. */
static inline double ls_median(double *values, long count)
{
    qsort(values, (size_t)count, sizeof *values, ls_ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
