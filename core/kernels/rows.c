/* rows: a bias vector added to all rows of a matrix, and the sum of rows that is its gradient. */
#include "core/kernels/rows.h"

#include <string.h>

#include "core/clones.h"
#include "core/minmax.h"

enum { WIDTH = 64, HEIGHT = 512 }; /* columns and rows of a block that is summed by itself */

void ls_rows_fill(real *y, const real *bias, long rows, long n)
{
    for (long r = 0; r < rows; r++)
        memcpy(y + r * n, bias, (size_t)n * sizeof *y);
}

/* Adds `width` columns of `rows` rows to sum[width]. Several short rows are added at a time, so
 * that they fill a vector; the order of additions does not depend on `width`. */
static LS_CLONES void sum_block(const real *y, long rows, long row, long width, real *sum)
{
    const long together = row <= WIDTH / 2 ? WIDTH / row : 1;
    real block[WIDTH] = {0};
    for (long r = 0; r < rows; r += together) {
        const long count = ls_min(together, rows - r);
        if (width == row)
            for (long j = 0; j < count * row; j++)
                block[j] += y[r * row + j];
        else
            for (long k = 0; k < count; k++)
                for (long j = 0; j < width; j++)
                    block[k * row + j] += y[(r + k) * row + j];
    }
    for (long k = 0; k < together; k++)
        for (long j = 0; j < width; j++)
            sum[j] += block[k * row + j];
}

void ls_rows_sum(const real *y, long rows, long row, long n, real *sum)
{
    for (long r = 0; r < rows; r += HEIGHT)
        for (long j = 0; j < n; j += WIDTH)
            sum_block(y + r * row + j, ls_min(HEIGHT, rows - r), row, ls_min(WIDTH, n - j),
                      sum + j);
}
