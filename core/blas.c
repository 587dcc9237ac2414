/* blas: OpenBLAS, loaded when it is asked for; the only file that knows CBLAS. */
#include "core/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef LS_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

/* A function of the library; ISO C knows no cast from the pointer that dlsym returns. */
static bool find(void *library, const char *name, void *function, size_t size)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, size);
    return found;
}
#define FIND(library, name, function) find(library, name, &(function), sizeof(function))

/* Whether the address space has room for the library and its buffer. Where the buffer finds none
 * (`ulimit -v`), the first product would ask for it for ever. */
static bool has_room(void)
{
    const size_t room = 256 << 20;
    void *probe = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return probe != MAP_FAILED && munmap(probe, room) == 0;
}

bool ls_blas_open(ls_blas *blas, ls_error *error)
{
    /* Where the build found it, or where the system has it now. */
    static const char *const names[] = {LS_BLAS_LIBRARY, "libopenblas.so.0", "libopenblas.so"};
    char *(*config)(void) = NULL;
    int (*threads)(void) = NULL;
    void (*set_threads)(int) = NULL;
    *blas = (ls_blas){.library = NULL};
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* read when it is loaded */
    if (!has_room())
        return ls_error_set(
            error, LS_IO,
            "OpenBLAS can't be loaded: it needs 256 MiB of address space (ulimit -v)");
    ls_error_set(error, LS_IO, "OpenBLAS can't be loaded");
    for (size_t i = 0; i < sizeof names / sizeof *names && !blas->library; i++) {
        blas->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!blas->library && i == 0)
            ls_error_set(error, LS_IO, "OpenBLAS can't be loaded: %s", dlerror());
    }
    if (!blas->library || !FIND(blas->library, "openblas_get_config", config) ||
        !FIND(blas->library, "openblas_get_num_threads", threads) ||
        !FIND(blas->library, "openblas_set_num_threads", set_threads) ||
        !FIND(blas->library, TEXT(GEMM), blas->gemm))
        return false;
    set_threads(1); /* where a program that uses this library had loaded it before */
    blas->description = config();
    blas->threads = threads();
    return true;
}

void ls_gemm(const ls_blas *blas, long m, long n, long k, ls_factor a, ls_factor b, ls_result c)
{
    __typeof__(GEMM) *gemm = (__typeof__(GEMM) *)blas->gemm;
    if (m == 0 || n == 0)
        return;
    ls_check(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && a.row <= INT_MAX && b.row <= INT_MAX &&
                 c.row <= INT_MAX,
             "a matrix product of %ld x %ld x %ld is larger than BLAS can count", m, n, k);
    gemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
         b.transposed ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a.at, (int)a.row,
         b.at, (int)b.row, c.add, c.at, (int)c.row);
}
