/* vector_math: exp of a whole row, for callers that have no loop of their own. */
#include "core/vector_math.h"

LS_CLONES void ls_math_exp_row(long n, const real *restrict x, real shift, real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = ls_math_exp(x[i] - shift);
}
