/* vector_math: exp of a whole row and the product of two, for callers that have no loop of their
 * own. */
#include "core/vector_math.h"

LS_CLONES void ls_math_exp_row(long n, const real *restrict x, real shift, real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = ls_math_exp(x[i] - shift);
}

LS_CLONES double ls_math_dot(long n, const real *a, const real *b)
{
    enum { LANES = 16 };
    double lane[LANES] = {0}, total = 0;
    const long whole = n - n % LANES;
    for (long i = 0; i < whole; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (double)a[i + k] * (double)b[i + k];
    for (long i = whole; i < n; i++)
        lane[i - whole] += (double)a[i] * (double)b[i];
    for (int k = 0; k < LANES; k++)
        total += lane[k];
    return total;
}
