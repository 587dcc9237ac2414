/* histogram: two samples of numbers as a PNG picture, one drawn over the other: the data, and what
 * a model makes. */
#pragma once
#include "core/tensor.h"

typedef struct ls_histogram {
    const real *data; /* borrowed; filled bars, light blue */
    long data_count;  /* 0: there is none; the range is that of `made` */
    const real *made; /* borrowed; a line, orange */
    long made_count;  /* at least 1 */
} ls_histogram;

/* Writes PATH, whole and durable: 80 bins over the range of the data and a tenth of it on each
 * side, the ends of which stand below. Heights are shares of a sample; numbers outside, and what is
 * not finite, count in the first or last bin. Equal numbers give equal bytes. LS_IO errors. */
bool ls_histogram_write(const char *path, const ls_histogram *histogram, ls_error *error);
/* How far what is made lies from the data: the Jensen-Shannon divergence of the shares in the bins,
 * in nats, from 0 to ln 2. Of equal distributions it is not quite 0: about bins / 8 times the sum
 * of 1 / data_count and 1 / made_count. There must be data. */
double ls_histogram_divergence(const ls_histogram *histogram);
