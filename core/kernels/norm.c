/* norm: the passes of batch norm: moments, y, sums for the gradient, dx.
 *
 * Moments without cancellation, reading x once: block by block, the deviations from `centre`, the
 * mean of the blocks before (of the first block: its own, by a pass of its own), are summed in
 * `real` along lines, then joined in double (Chan, Golub and LeVeque 1983, eq. 2.1). Were centre
 * off by d, the sums would lose d^2 times an epsilon: but then the variance holds half of d^2 at
 * least, for no block is longer than all before it. */
#include "core/kernels/norm.h"

#include <string.h>

#include "core/kernels/clones.h"
#include "core/minmax.h"

enum { LONG = 64, LANES = 16, ENOUGH = 256, BLOCK = 1 << 14, LINES_LEAST = 32, LINES_MOST = 256 };

long ls_norm_width(long channels)
{
    long width = channels;
    while (width < LONG || (width % LANES && width < ENOUGH))
        width += channels;
    return width;
}

long ls_norm_block(long width)
{
    long lines = BLOCK / width;
    lines = lines < LINES_LEAST ? LINES_LEAST : lines;
    return width * (lines < LINES_MOST ? lines : LINES_MOST);
}

void ls_norm_spread(const double *values, long channels, long width, real *line)
{
    for (long j = 0; j < width; j += channels)
        for (long c = 0; c < channels; c++)
            line[j + c] = (real)values[c];
}

/* A line's numbers of channel c, added. */
static double gather(const real *line, long c, long channels, long width)
{
    double sum = 0;
    for (long j = c; j < width; j += channels)
        sum += (double)line[j];
    return sum;
}

LS_CLONES static void add_lines(const real *restrict x, long n, long width, real *restrict sum)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++)
            sum[j] += x[i + j];
}

LS_CLONES static void add_deviations(const real *restrict x, long n, long width,
                                     const real *restrict centre, real *restrict sum,
                                     real *restrict square)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real d = x[i + j] - centre[j];
            sum[j] += d;
            square[j] += d * d;
        }
}

/* Joins a block's sums to the moments of the `before` rows before it. */
static void join(const real *lines, long before, long rows, long channels, long width, double *mean,
                 double *square)
{
    const real *centre = lines, *sum = lines + width, *squares = lines + 2 * width;
    double a = (double)before, b = (double)rows;
    for (long c = 0; c < channels; c++) {
        double s = gather(sum, c, channels, width), q = gather(squares, c, channels, width);
        double apart = (double)centre[c] + s / b - mean[c];
        mean[c] += apart * (b / (a + b));
        square[c] += q - s * s / b + apart * apart * (a * b / (a + b));
    }
}

void ls_norm_moments(const real *x, long n, long channels, double *mean, double *square,
                     real *lines)
{
    long width = ls_norm_width(channels), block = ls_norm_block(width);
    size_t line = (size_t)width * sizeof *lines;
    memset(mean, 0, (size_t)channels * sizeof *mean);
    memset(square, 0, (size_t)channels * sizeof *square);
    memset(lines, 0, line);
    if (n)
        add_lines(x, ls_min(block, n), width, lines);
    for (long c = 0; n && c < channels; c++)
        mean[c] = gather(lines, c, channels, width) / (double)(ls_min(block, n) / channels);
    for (long i = 0; i < n; i += block) {
        long count = ls_min(block, n - i);
        ls_norm_spread(mean, channels, width, lines);
        memset(lines + width, 0, 2 * line);
        add_deviations(x + i, count, width, lines, lines + width, lines + 2 * width);
        join(lines, i / channels, count / channels, channels, width, mean, square);
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

LS_CLONES void ls_norm_mask(const real *restrict y, const real *restrict dy, long n,
                            real *restrict g)
{
    for (long i = 0; i < n; i++)
        g[i] = y[i] > 0 ? dy[i] : 0;
}

LS_CLONES static void add_products(const real *restrict x, const real *restrict g, long n,
                                   long width, const real *restrict centre, real *restrict sum,
                                   real *restrict product)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            sum[j] += g[i + j];
            product[j] += g[i + j] * (x[i + j] - centre[j]);
        }
}

void ls_norm_products(const real *x, const real *g, long n, long channels, const real *centre,
                      double *sums, double *products, real *lines)
{
    long width = ls_norm_width(channels);
    memset(lines, 0, 2 * (size_t)width * sizeof *lines);
    add_products(x, g, n, width, centre, lines, lines + width);
    for (long c = 0; c < channels; c++) {
        sums[c] += gather(lines, c, channels, width);
        products[c] += gather(lines + width, c, channels, width);
    }
}

LS_CLONES void ls_norm_dx(const real *restrict x, const real *restrict g, long n, long width,
                          const real *restrict centre, const real *restrict slope,
                          const real *restrict tilt, const real *restrict shift, bool add,
                          real *restrict dx)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real value = slope[j] * g[i + j] + tilt[j] * (x[i + j] - centre[j]) + shift[j];
            dx[i + j] = add ? dx[i + j] + value : value;
        }
}

LS_CLONES void ls_norm_pass_on(const real *restrict g, long n, bool add, real *restrict d)
{
    for (long i = 0; i < n; i++)
        d[i] = add ? d[i] + g[i] : g[i];
}
