/* blas: the only file that calls CBLAS. Row-major throughout; one thread. The engine's own products
 * are kernels/tile.h; `doctor` and `bench kernels` measure BLAS beside them. */
#pragma once
#include <stdbool.h>

#include "core/tensor.h"

/* A factor of a product: a matrix as stored, or its transpose. */
typedef struct ls_factor {
    const real *at;
    long row; /* reals from row to row, as stored */
    bool transposed;
} ls_factor;

/* c[m, n] = a[m, k] b[k, n], the rows of c `row` reals apart. m, n or k of 0 is allowed. */
void ls_gemm(long m, long n, long k, ls_factor a, ls_factor b, real *c, long row);
/* What the library says of itself and of the processor, for the start-up block and `doctor`. */
const char *ls_blas_description(void);
/* Threads that a product may use: 1, or 0 if the library can't say. */
int ls_blas_threads(void);
