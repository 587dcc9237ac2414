/* blas: the only door to CBLAS. Row-major throughout; one thread. */
#pragma once
#include <stdbool.h>

#include "core/tensor.h"

/* C[m, n] = alpha * op(A) op(B) + beta * C, op(A) [m, k], op(B) [k, n]; ld*: reals between rows as
 * stored. m, n or k of 0 is allowed. beta 0 does not read C. */
void ls_gemm(bool transpose_a, bool transpose_b, long m, long n, long k, real alpha, const real *a,
             long lda, const real *b, long ldb, real beta, real *c, long ldc);
/* The library's own description and core type, for start-up blocks and `doctor`. */
const char *ls_blas_description(void);
/* Threads that a product may take: 1, or 0 where the library can't say. */
int ls_blas_threads(void);
