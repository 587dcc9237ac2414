/* sum_order: sums in a fixed order.
 *
 * Each element is a sum of its own, so elements may be taken in any order: arrays are walked in
 * blocks, and the partial sums of a block stay in the first-level cache. */
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

/* Adds the n <= BLOCK reals from `begin` on of `count` arrays. Returns where the sum is: in `to`,
 * or, of one array, in the array itself. partial[LEVELS][BLOCK]: a row for each level of the tree.
 */
static const real *sum_block(real *to, real *const *from, int count, long begin, long n,
                             real (*partial)[BLOCK])
{
    if (count == 1)
        return from[0] + begin;
    int half = count / 2;
    const real *left = sum_block(partial[0], from, half, begin, n, partial);
    const real *right = sum_block(partial[1], from + half, count - half, begin, n, partial + 1);
    add_two(to, left, right, n);
    return to;
}

void ls_sum_order_add(real *to, real *const *from, int count, long n)
{
    ls_check(count > 0, "a sum over %d arrays: expected 1 or more", count);
    if (count == 1) {
        if (to != from[0])
            memcpy(to, from[0], (size_t)n * sizeof *to);
        return;
    }
    _Alignas(64) real partial[LEVELS][BLOCK];
    for (long begin = 0; begin < n; begin += BLOCK)
        sum_block(to + begin, from, count, begin, n - begin < BLOCK ? n - begin : BLOCK, partial);
}

/* Adds the first n <= COLUMNS columns of from[count, stride]. */
static void sum_columns(double *to, const double *from, int count, long stride, long n)
{
    if (count == 1) {
        memmove(to, from, (size_t)n * sizeof *to);
        return;
    }
    double left[COLUMNS], right[COLUMNS];
    int half = count / 2;
    sum_columns(left, from, half, stride, n);
    sum_columns(right, from + half * stride, count - half, stride, n);
    for (long i = 0; i < n; i++)
        to[i] = left[i] + right[i];
}

void ls_sum_order_add_doubles(double *to, const double *from, int count, long n)
{
    ls_check(count > 0, "a sum over %d arrays: expected 1 or more", count);
    for (long k = 0; k < n; k += COLUMNS)
        sum_columns(to + k, from + k, count, n, n - k < COLUMNS ? n - k : COLUMNS);
}

/* Halves [0, n) towards number k of it, and `part` in step with it. Returns what is left of it. */
static ls_interval halve_towards(int k, int n, ls_interval part)
{
    while (n > 1) {
        int half = n / 2;
        long middle = part.begin + (part.end - part.begin) / 2;
        bool second = k >= half;
        *(second ? &part.begin : &part.end) = middle;
        k -= second ? half : 0;
        n = second ? n - half : half;
    }
    return part;
}

int ls_sum_order_levels(int count)
{
    int levels = 0;
    while (1 << levels < count)
        levels++;
    return levels;
}

ls_interval ls_sum_order_part(ls_interval all, const int *sizes, int groups, int rank)
{
    int group = 0;
    for (; rank >= sizes[group]; group++)
        rank -= sizes[group];
    return halve_towards(rank, sizes[group], halve_towards(group, groups, all));
}
