/* minmax: the smaller and the larger of two whole numbers, and the order of doubles for qsort. */
#pragma once

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
