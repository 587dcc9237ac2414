/* tile: the table of instruction sets, and the choice among them. */
#include "core/kernels/tile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/check.h"

extern const ls_tiles ls_tiles_blas, ls_tiles_plain;
#ifdef __x86_64__
extern const ls_tiles ls_tiles_avx512, ls_tiles_avx2;
#endif

const ls_tiles *const ls_tiles_all[] = {
#ifdef __x86_64__
    &ls_tiles_avx512, &ls_tiles_avx2,
#endif
    &ls_tiles_blas, &ls_tiles_plain, NULL};

const ls_tiles *ls_tile_find(const char *name)
{
    for (int i = 0; ls_tiles_all[i]; i++)
        if (ls_tiles_all[i]->can() && (!name || strcmp(name, ls_tiles_all[i]->name) == 0))
            return ls_tiles_all[i];
    return NULL;
}

const ls_tiles *ls_tile_best(void)
{
    static const ls_tiles *_Atomic chosen;
    const ls_tiles *best = chosen;
    if (best)
        return best;
    const char *wanted = getenv(LS_TILE_VARIABLE);
    best = ls_tile_find(wanted);
    ls_check(best, LS_TILE_EXPECTED, wanted);
    chosen = best;
    return best;
}

void ls_tile_describe(char *text, size_t size)
{
    const ls_tiles *best = ls_tile_best();
    ls_blas blas;
    ls_error error;
    if (best == &ls_tiles_blas && ls_blas_open(&blas, &error))
        snprintf(text, size, "blas: %s", blas.description);
    else if (best == &ls_tiles_plain)
        snprintf(text, size, "plain, which is slow: %s",
                 ls_blas_open(&blas, &error) ? LS_TILE_VARIABLE "=blas is faster" : error.text);
    else
        snprintf(text, size, "%s", best->name);
}
