/* orthogonal: Gram and Schmidt's process in double. */
#include "core/orthogonal.h"

#include <math.h>

#include "core/clones.h"
#include "core/memory.h"

enum { LANES = 8 };

static LS_CLONES double dot(long n, const double *a, const double *b)
{
    double lane[LANES] = {0}, total = 0;
    const long whole = n - n % LANES;
    for (long i = 0; i < whole; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += a[i + k] * b[i + k];
    for (long i = whole; i < n; i++)
        lane[i - whole] += a[i] * b[i];
    for (int k = 0; k < LANES; k++)
        total += lane[k];
    return total;
}

static LS_CLONES void subtract(long n, double factor, const double *restrict from,
                               double *restrict row)
{
    for (long i = 0; i < n; i++)
        row[i] -= factor * from[i];
}

void ls_orthogonal_rows(real *matrix, long n)
{
    double *rows = ls_alloc((size_t)(n * n), sizeof *rows);
    for (long j = 0; j < n; j++) {
        double *row = rows + j * n;
        for (long i = 0; i < n; i++)
            row[i] = (double)matrix[j * n + i];
        for (long k = 0; k < 2 * j;
             k++) /* what the first time leaves by rounding, the second takes */
            subtract(n, dot(n, rows + k % j * n, row), rows + k % j * n, row);
        const double length = sqrt(dot(n, row, row));
        for (long i = 0; i < n; i++) {
            row[i] /= length;
            matrix[j * n + i] = (real)(float)row[i];
        }
    }
    ls_free(rows);
}
