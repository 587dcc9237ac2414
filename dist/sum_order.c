/* sum_order: sums in a fixed order.
 *
 * Elements are independent of each other, so the order over the arrays is all that matters: arrays
 * are walked in blocks, and the partial sums of a block stay in the first-level cache. */
#include "dist/sum_order.h"

#include <string.h>

#include "core/check.h"
#include "core/clones.h"

enum { BLOCK = 1024, COLUMNS = 16, LEVELS = 24 };

LS_CLONES static void add(real *restrict to, const real *restrict a, const real *restrict b, long n)
{
    for (long i = 0; i < n; i++)
        to[i] = a[i] + b[i];
}

LS_CLONES static void add_into(real *restrict to, const real *restrict a, long n)
{
    for (long i = 0; i < n; i++)
        to[i] += a[i];
}

/* `to` may be a or b; a + b and b + a are the same bits. */
static void add_two(real *to, const real *a, const real *b, long n)
{
    if (to == a)
        add_into(to, b, n);
    else if (to == b)
        add_into(to, a, n);
    else
        add(to, a, b, n);
}

/* Where the sum of n <= BLOCK reals from `at` stands: in `partial`, or in the array itself where
 * there is but one. partial[LEVELS][BLOCK]: a level of the tree each. */
static const real *tree(real *const *from, int count, long at, long n, real (*partial)[BLOCK])
{
    if (count == 1)
        return from[0] + at;
    const real *left = tree(from, count / 2, at, n, partial);
    const real *right = tree(from + count / 2, count - count / 2, at, n, partial + 1);
    add_two(partial[0], left, right, n);
    return partial[0];
}

void ls_sum_order_add(real *to, real *const *from, int count, long n)
{
    ls_check(count > 0, "a sum over %d arrays", count);
    if (count == 1) {
        if (to != from[0])
            memcpy(to, from[0], (size_t)n * sizeof *to);
        return;
    }
    _Alignas(64) real partial[LEVELS][BLOCK];
    int half = count / 2;
    for (long at = 0; at < n; at += BLOCK) {
        long rest = n - at < BLOCK ? n - at : BLOCK;
        const real *left = tree(from, half, at, rest, partial);
        const real *right = tree(from + half, count - half, at, rest, partial + 1);
        add_two(to + at, left, right, rest);
    }
}

/* n <= COLUMNS columns of from[count, stride]. */
static void tree_columns(double *to, const double *from, int count, long stride, long n)
{
    if (count == 1) {
        memmove(to, from, (size_t)n * sizeof *to);
        return;
    }
    double left[COLUMNS], right[COLUMNS];
    int half = count / 2;
    tree_columns(left, from, half, stride, n);
    tree_columns(right, from + half * stride, count - half, stride, n);
    for (long i = 0; i < n; i++)
        to[i] = left[i] + right[i];
}

void ls_sum_order_add_doubles(double *to, const double *from, int count, long n)
{
    ls_check(count > 0, "a sum over %d arrays", count);
    for (long at = 0; at < n; at += COLUMNS)
        tree_columns(to + at, from + at, count, n, n - at < COLUMNS ? n - at : COLUMNS);
}
