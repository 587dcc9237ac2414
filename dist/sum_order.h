/* sum_order: the one statement of the order in which shards, ranks and nodes are added:
 * the sum over [0, n) is the sum over [0, n/2) plus the sum over [n/2, n), n/2 rounded down.
 * So a power-of-two number of equal groups gives the same bits as one group of all. */
#pragma once
#include "core/tensor.h"

/* Adds `count` arrays (1 or more) of `n` reals in tree order, into to[n], which may be one of them;
 * `from` are the arrays' starts. */
void ls_sum_order_add(real *to, real *const *from, int count, long n);
/* The same for doubles, from[count, n] into to[n], which may be its first row. */
void ls_sum_order_add_doubles(double *to, const double *from, int count, long n);
