/* norm: the passes of batch norm: sums for the moments, y, sums for the gradient, dx.
 *
 * Moments are summed in double, for nothing is known of how far x lies from the centre; the
 * gradient's sums in real along the lines of a block, then in double. */
#include "core/kernels/norm.h"

#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"

enum { LONG = 64, TOGETHER = 4, AHEAD = 512, CACHE_LINE = 64 / sizeof(real), BLOCK_LINES = 64 };

long ls_norm_width(long channels)
{
    long width = channels;
    while (width < LONG)
        width *= 2;
    return width;
}

void ls_norm_spread(const double *values, long channels, long width, real *line)
{
    for (long j = 0; j < width; j += channels)
        for (long c = 0; c < channels; c++)
            line[j + c] = (real)values[c];
}

void ls_norm_fold(const double *line, long channels, long width, double *values)
{
    for (long j = 0; j < width; j += channels)
        for (long c = 0; c < channels; c++)
            values[c] += line[j + c];
}

/* Some lines at a time: the sums are loaded and stored less often. */
LS_INLINE void add_lines(const int lines, const real *restrict x, long count, long width,
                         const real *restrict centre, double *restrict sum, double *restrict square)
{
    for (long j = 0; j < count; j++) {
        double s = 0, q = 0;
        for (int k = 0; k < lines; k++) {
            double d = (double)x[k * width + j] - (double)centre[j];
            s += d;
            q += d * d;
        }
        sum[j] += s;
        square[j] += q;
    }
}

LS_CLONES void ls_norm_moments(const real *restrict x, long n, long width,
                               const real *restrict centre, double *restrict sums)
{
    const long step = TOGETHER * width;
    long i = 0;
    memset(sums, 0, 2 * (size_t)width * sizeof *sums);
    for (; i + step <= n; i += step) {
        for (long j = 0; j < step; j += CACHE_LINE)
            __builtin_prefetch(x + i + AHEAD + j);
        add_lines(TOGETHER, x + i, width, width, centre, sums, sums + width);
    }
    for (; i < n; i += width)
        add_lines(1, x + i, ls_min(width, n - i), width, centre, sums, sums + width);
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

void ls_norm_products(const real *x, const real *y, const real *dy, long n, long width,
                      const real *centre, double *sums, real *lines)
{
    const long block = BLOCK_LINES * width;
    memset(sums, 0, 2 * (size_t)width * sizeof *sums);
    for (long i = 0; i < n; i += block) {
        memset(lines, 0, 2 * (size_t)width * sizeof *lines);
        add_products(x + i, y ? y + i : NULL, dy + i, ls_min(block, n - i), width, centre, lines,
                     lines + width);
        for (long j = 0; j < 2 * width; j++)
            sums[j] += (double)lines[j];
    }
}

LS_CLONES void ls_norm_dx(const real *restrict x, const real *restrict y, const real *restrict dy,
                          long n, long width, const real *restrict centre,
                          const real *restrict slope, const real *restrict tilt,
                          const real *restrict shift, bool add, real *restrict dx)
{
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real g = g_at(y, dy, i + j), d = x[i + j] - centre[j];
            real value = slope[j] * g + tilt[j] * d + shift[j];
            dx[i + j] = add ? dx[i + j] + value : value;
        }
}

LS_CLONES void ls_norm_pass_on(const real *restrict y, const real *restrict dy, long n, bool add,
                               real *restrict other)
{
    for (long i = 0; i < n; i++)
        other[i] = add ? other[i] + g_at(y, dy, i) : g_at(y, dy, i);
}
