/* convert: numbers as a file stores them to `real`. */
#pragma once
#include "core/tensor.h"

/* out[i] = scale * stored[i] + offset, for n numbers of `type` in native byte order. Numbers of up
 * to 16 bits and float32 are computed in `real`, wider ones in double. */
void ls_convert(ls_dtype type, const void *stored, long n, double scale, double offset, real *out);
/* The index of the first of n numbers that is NaN or infinite, or -1. */
long ls_convert_find_bad(const real *values, long n);
