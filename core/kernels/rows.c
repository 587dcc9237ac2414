/* rows: a bias vector against the rows of a matrix. */
#include "core/kernels/rows.h"

#include <string.h>

#include "core/kernels/clones.h"

enum { WIDTH = 64, HEIGHT = 512 }; /* of a block that is summed by itself */

void ls_rows_fill(real *y, const real *bias, long rows, long n)
{
    for (long r = 0; r < rows; r++)
        memcpy(y + r * n, bias, (size_t)n * sizeof *y);
}

/* Sums `width` columns of `rows` rows into sum[0, width). */
LS_CLONES static void sum_block(const real *y, long rows, long row, long width, real *sum)
{
    real block[WIDTH] = {0};
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < width; j++)
            block[j] += y[r * row + j];
    for (long j = 0; j < width; j++)
        sum[j] += block[j];
}

void ls_rows_sum(const real *y, long rows, long row, long n, real *sum)
{
    for (long r = 0; r < rows; r += HEIGHT)
        for (long j = 0; j < n; j += WIDTH)
            sum_block(y + r * row + j, rows - r < HEIGHT ? rows - r : HEIGHT, row,
                      n - j < WIDTH ? n - j : WIDTH, sum + j);
}
