/* blas: the only file that calls CBLAS. */
#include "core/blas.h"

#include <cblas.h>
#include <limits.h>

#include "core/check.h"

#ifdef LS_DOUBLE
#define cblas_gemm cblas_dgemm
#else
#define cblas_gemm cblas_sgemm
#endif

void ls_gemm(long m, long n, long k, ls_factor a, ls_factor b, real *c, long row)
{
    if (m == 0 || n == 0)
        return;
    ls_check(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && a.row <= INT_MAX && b.row <= INT_MAX &&
                 row <= INT_MAX,
             "a matrix product of %ld x %ld x %ld is larger than BLAS can count", m, n, k);
    cblas_gemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
               b.transposed ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a.at,
               (int)a.row, b.at, (int)b.row, 0, c, (int)row);
}

#ifdef OPENBLAS_VERSION
const char *ls_blas_description(void)
{
    return openblas_get_config();
}

int ls_blas_threads(void)
{
    return openblas_get_num_threads();
}

/* Whoever links the engine gets one thread inside BLAS: the order of its sums, and so the bits,
 * would otherwise depend on the cores of the machine. */
__attribute__((constructor)) static void one_thread(void)
{
    openblas_set_num_threads(1);
}
#else
const char *ls_blas_description(void)
{
    return "a CBLAS that is not OpenBLAS: set it to one thread by its own means";
}

int ls_blas_threads(void)
{
    return 0;
}
#endif
