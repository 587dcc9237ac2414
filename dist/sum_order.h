/* sum_order: the order in which shards, ranks and nodes are added; it is stated nowhere else.
 *
 * The sum over [0, n) is the sum over [0, n/2) plus the sum over [n/2, n), with n/2 rounded down:
 * a tree. The ranks of a group are added in this order, then the groups. If the shards are halved
 * along that tree until each rank has one part, a rank's sum is a node of the tree over the shards,
 * and the sum over the ranks adds nodes that are neighbours there. So the sum of all shards has the
 * same bits on any number of ranks in any groups, as long as no rank is without a shard:
 *
 *     16 shards    groups of 3 and 1 ranks
 *     [0, 8)       group 0: rank 0 has [0, 4), rank 1 [4, 6), rank 2 [6, 8)
 *     [8, 16)      group 1: rank 3 has [8, 16) */
#pragma once
#include "core/params.h"

/* Adds `count` arrays (1 or more) of `n` reals into to[n], which may be one of them; `from` holds
 * the arrays' starts. */
void ls_sum_order_add(real *to, real *const *from, int count, long n);
/* The same for doubles, from[count, n] into to[n], which may be the first row of `from`. */
void ls_sum_order_add_doubles(double *to, const double *from, int count, long n);
/* How often `count` can be halved until 1 is left: the levels of its tree below the root. A sum of
 * so many takes an array more for each of them. */
int ls_sum_order_levels(int count);
/* The shards of rank `rank` by that rule, of the shards `all` and groups of sizes[groups] ranks. It
 * may be empty only where there are fewer shards than ranks, or unequal parts of them for groups.
 */
ls_interval ls_sum_order_part(ls_interval all, const int *sizes, int groups, int rank);
