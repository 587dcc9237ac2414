/* minmax: the smaller and the larger of two whole numbers. */
#pragma once

static inline long ls_min(long a, long b)
{
    return a < b ? a : b;
}

static inline long ls_max(long a, long b)
{
    return a > b ? a : b;
}
