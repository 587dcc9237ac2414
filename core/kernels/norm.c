/* norm: the passes of batch norm: moments, y, sums for the gradient, dx.
 *
 * Moments without cancellation, reading x once: deviations from `centre` and their squares are
 * summed, in `real` along the lines of a block, then in double. centre is the mean of what came
 * before (at first: of the first lines, by a pass of its own) and is moved whenever the lines have
 * doubled. Were it off by d, the sums would lose d^2 times an epsilon: but then the variance holds
 * half of d^2 at least, for no more lines come than came before. */
#include "core/kernels/norm.h"

#include <string.h>

#include "core/kernels/clones.h"
#include "core/minmax.h"

enum { LONG = 64, LANES = 16, ENOUGH = 256, FIRST_LINES = 32, BLOCK_LINES = 256, TOGETHER = 4 };

long ls_norm_width(long channels)
{
    long width = channels;
    while (width < LONG || (width % LANES && width < ENOUGH))
        width += channels;
    return width;
}

void ls_norm_spread(const double *values, long channels, long width, real *line)
{
    for (long j = 0; j < width; j += channels)
        for (long c = 0; c < channels; c++)
            line[j + c] = (real)values[c];
}

/* sums[channels] += the numbers of a line. */
LS_CLONES static void fold(const real *restrict line, long channels, long width,
                           double *restrict sums)
{
    for (long j = 0; j < width; j += channels)
        for (long c = 0; c < channels; c++)
            sums[c] += (double)line[j + c];
}

/* Some lines at a time: the sums are loaded and stored less often. */
LS_INLINE void add_lines(const int lines, const real *restrict x, long count, long width,
                         const real *restrict centre, real *restrict sum, real *restrict square)
{
    for (long j = 0; j < count; j++) {
        real s = 0, q = 0;
        for (int k = 0; k < lines; k++) {
            real d = x[k * width + j] - centre[j];
            s += d;
            q += d * d;
        }
        sum[j] += s;
        square[j] += q;
    }
}

LS_CLONES static void add_block(const real *restrict x, long n, long width,
                                const real *restrict centre, real *restrict sum,
                                real *restrict square)
{
    enum { CACHE_LINE = 64 / sizeof *x, AHEAD = 2 };
    const long step = TOGETHER * width;
    long i = 0;
    for (; i + step <= n; i += step) {
        for (long j = 0; j < step; j += CACHE_LINE)
            __builtin_prefetch(x + i + AHEAD * step + j, 0, 2);
        add_lines(TOGETHER, x + i, width, width, centre, sum, square);
    }
    for (; i < n; i += width)
        add_lines(1, x + i, ls_min(width, n - i), width, centre, sum, square);
}

/* lines: centre, and two lines of scratch. */
static void add_deviations(const real *x, long n, long channels, double *sum, double *square,
                           real *lines)
{
    const long width = ls_norm_width(channels), block = BLOCK_LINES * width;
    real *sums = lines + width, *squares = sums + width;
    for (long i = 0; i < n; i += block) {
        memset(sums, 0, 2 * (size_t)width * sizeof *sums);
        add_block(x + i, ls_min(block, n - i), width, lines, sums, squares);
        fold(sums, channels, width, sum);
        fold(squares, channels, width, square);
    }
}

/* Moves centre to the mean of `rows` rows; sum and square: of their deviations from it. */
LS_CLONES static void follow(long rows, long channels, long width, double *restrict sum,
                             double *restrict square, real *restrict centre)
{
    const double all = (double)rows, part = 1 / all;
    for (long c = 0; c < channels; c++) {
        double before = (double)centre[c];
        centre[c] = (real)(before + sum[c] * part);
        double d = (double)centre[c] - before;
        square[c] += d * (all * d - 2 * sum[c]);
        sum[c] -= all * d;
    }
    for (long j = channels; j < width; j++)
        centre[j] = centre[j - channels];
}

void ls_norm_moments(const real *x, long n, long channels, double *mean, double *square,
                     real *lines)
{
    const long width = ls_norm_width(channels), first = ls_min(n, FIRST_LINES * width);
    const size_t doubles = (size_t)channels * sizeof *mean;
    memset(lines, 0, (size_t)width * sizeof *lines);
    memset(mean, 0, doubles);
    add_deviations(x, first, channels, mean, square, lines);
    if (n)
        follow(first / channels, channels, width, mean, square, lines);
    memset(mean, 0, doubles);
    memset(square, 0, doubles);
    for (long begin = 0, end = first; begin < n; begin = end, end = ls_min(n, 2 * end)) {
        if (begin)
            follow(begin / channels, channels, width, mean, square, lines);
        add_deviations(x + begin, end - begin, channels, mean, square, lines);
    }
    for (long c = 0; n && c < channels; c++) {
        double apart = mean[c] / (double)(n / channels);
        square[c] -= mean[c] * apart;
        mean[c] = (double)lines[c] + apart;
    }
}

LS_CLONES void ls_norm_apply(const real *restrict x, const real *restrict other, long n, long width,
                             const real *restrict centre, const real *restrict slope,
                             const real *restrict shift, bool relu, real *restrict y)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real value = (x[i + j] - centre[j]) * slope[j] + shift[j];
            if (other)
                value += other[i + j];
            y[i + j] = relu && value < 0 ? 0 : value;
        }
}

/* g at place i. */
LS_INLINE real g_at(const real *y, const real *dy, long i)
{
    return !y || y[i] > 0 ? dy[i] : 0;
}

LS_CLONES static void add_products(const real *restrict x, const real *restrict y,
                                   const real *restrict dy, long n, long width,
                                   const real *restrict centre, real *restrict sum,
                                   real *restrict product)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real g = g_at(y, dy, i + j);
            sum[j] += g;
            product[j] += g * (x[i + j] - centre[j]);
        }
}

void ls_norm_products(const real *x, const real *y, const real *dy, long n, long channels,
                      const real *centre, double *sums, double *products, real *lines)
{
    const long width = ls_norm_width(channels), block = BLOCK_LINES * width;
    memset(sums, 0, (size_t)channels * sizeof *sums);
    memset(products, 0, (size_t)channels * sizeof *products);
    for (long i = 0; i < n; i += block) {
        memset(lines, 0, 2 * (size_t)width * sizeof *lines);
        add_products(x + i, y ? y + i : NULL, dy + i, ls_min(block, n - i), width, centre, lines,
                     lines + width);
        fold(lines, channels, width, sums);
        fold(lines + width, channels, width, products);
    }
}

LS_CLONES void ls_norm_dx(const real *restrict x, const real *restrict y, const real *restrict dy,
                          long n, long width, const real *restrict centre,
                          const real *restrict slope, const real *restrict tilt,
                          const real *restrict shift, bool add, real *restrict dx)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real value =
                slope[j] * g_at(y, dy, i + j) + tilt[j] * (x[i + j] - centre[j]) + shift[j];
            dx[i + j] = add ? dx[i + j] + value : value;
        }
}

LS_CLONES void ls_norm_pass_on(const real *restrict y, const real *restrict dy, long n, bool add,
                               real *restrict d)
{
    for (long i = 0; i < n; i++)
        d[i] = add ? d[i] + g_at(y, dy, i) : g_at(y, dy, i);
}
