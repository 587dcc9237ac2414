/* norm: the passes of batch norm: sums for the moments, y, sums for the gradient, dx.
 *
 * Moments are summed in double, because x may be far from the centre. The gradient's sums are made
 * in real for the lines of a block, and in double over the blocks. */
#include "core/kernels/norm.h"

#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"

enum {
    LONG = 64,    /* reals of a line, at least */
    TOGETHER = 4, /* lines that are summed at a time */
    AHEAD = 512,  /* reals from what is read to what is prefetched */
    CACHE_LINE = 64 / sizeof(real),
    BLOCK_LINES = 64 /* lines that the gradient sums in real */
};

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

/* Several lines at a time, so that the sums are loaded and stored less often. */
static LS_INLINE void add_lines(const int lines, const real *restrict x, long count, long width,
                                const real *restrict centre, double *restrict sum,
                                double *restrict square)
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

LS_CLONES void ls_norm_moments(const ls_norm *p, double *restrict sums)
{
    const long n = p->n, width = p->width, step = TOGETHER * width;
    const real *restrict x = p->x, *restrict centre = p->centre;
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

LS_CLONES void ls_norm_apply(const ls_norm *p, real *restrict y)
{
    const long n = p->n, width = p->width;
    const real *restrict x = p->x, *restrict other = p->other, *restrict centre = p->centre;
    const real *restrict slope = p->slope, *restrict shift = p->shift, least = p->least;
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real value = (x[i + j] - centre[j]) * slope[j] + shift[j];
            if (other)
                value += other[i + j];
            y[i + j] = value < least ? least : value;
        }
}

static LS_INLINE real masked(const real *y, const real *dy, long i)
{
    return !y || y[i] > 0 ? dy[i] : 0;
}

/* Reals [begin, end). */
static LS_CLONES void add_products(const ls_norm *p, long begin, long end, real *restrict sum,
                                   real *restrict product)
{
    const long width = p->width;
    const real *restrict x = p->x, *restrict y = p->y, *restrict dy = p->dy;
    const real *restrict centre = p->centre;
    for (long i = begin; i < end; i += width)
        for (long j = 0; j < ls_min(width, end - i); j++) {
            real g = masked(y, dy, i + j);
            sum[j] += g;
            product[j] += g * (x[i + j] - centre[j]);
        }
}

void ls_norm_products(const ls_norm *p, double *sums, real *lines)
{
    const long width = p->width, block = BLOCK_LINES * width;
    memset(sums, 0, 2 * (size_t)width * sizeof *sums);
    for (long i = 0; i < p->n; i += block) {
        memset(lines, 0, 2 * (size_t)width * sizeof *lines);
        add_products(p, i, ls_min(i + block, p->n), lines, lines + width);
        for (long j = 0; j < 2 * width; j++)
            sums[j] += (double)lines[j];
    }
}

LS_CLONES void ls_norm_dx(const ls_norm *p, bool add, real *restrict dx)
{
    const long n = p->n, width = p->width;
    const real *restrict x = p->x, *restrict y = p->y, *restrict dy = p->dy;
    const real *restrict centre = p->centre, *restrict slope = p->slope;
    const real *restrict tilt = p->tilt, *restrict shift = p->shift;
    for (long i = 0; i < n; i += width)
        for (long j = 0; j < ls_min(width, n - i); j++) {
            real g = masked(y, dy, i + j), d = x[i + j] - centre[j];
            real value = slope[j] * g + tilt[j] * d + shift[j];
            dx[i + j] = add ? dx[i + j] + value : value;
        }
}

LS_CLONES void ls_norm_pass_on(const ls_norm *p, bool add, real *restrict dother)
{
    const real *restrict y = p->y, *restrict dy = p->dy;
    const long n = p->n;
    for (long i = 0; i < n; i++)
        dother[i] = add ? dother[i] + masked(y, dy, i) : masked(y, dy, i);
}
