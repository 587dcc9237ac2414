/* blas: OpenBLAS, loaded when it is asked for. It computes the engine's products where there is no
 * micro-kernel for the processor (kernels/tile_blas.h); `doctor` and `bench kernels` measure it. A
 * program that links OpenBLAS gets a thread for each core before main() begins, which hold address
 * space and may keep the process from ending where that is limited. So nothing here links it: it is
 * loaded with one thread. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

/* A factor of a product: a matrix as stored, or its transpose. */
typedef struct ls_factor {
    const real *at;
    long row; /* reals from row to row, as stored */
    bool transposed;
} ls_factor;

/* Where a product goes: rows `row` reals apart. */
typedef struct ls_result {
    real *at;
    long row;
    bool add; /* adds the product; else overwrites */
} ls_result;

typedef struct ls_blas {
    const char *description; /* what the library says of itself and of the processor */
    int threads;             /* that a product may use: 1 */
    void *library;
    void (*gemm)(void); /* cblas_sgemm or cblas_dgemm */
} ls_blas;

/* Loads the library, which then stays; *blas need not be closed. LS_IO error: it is not there, or
 * does not fit into memory. */
bool ls_blas_open(ls_blas *blas, ls_error *error);
/* c[m, n] = (c.add: +=) a[m, k] b[k, n], all row-major. m, n or k of 0 is allowed. Sizes and
 * strides are at most INT_MAX. */
void ls_gemm(const ls_blas *blas, long m, long n, long k, ls_factor a, ls_factor b, ls_result c);
