/* sum_order: the order in which shards, ranks and nodes are added; it is stated nowhere else.
 *
 * The sum over [0, n) is the sum over [0, n/2) plus the sum over [n/2, n), with n/2 rounded down.
 * So a power of two of equal groups gives the same bits as one group of all: the upper levels of
 * the tree add the groups, the lower ones what is in them. */
#pragma once
#include "core/tensor.h"

/* Adds `count` arrays (1 or more) of `n` reals into to[n], which may be one of them; `from` holds
 * the arrays' starts. */
void ls_sum_order_add(real *to, real *const *from, int count, long n);
/* The same for doubles, from[count, n] into to[n], which may be the first row of `from`. */
void ls_sum_order_add_doubles(double *to, const double *from, int count, long n);
