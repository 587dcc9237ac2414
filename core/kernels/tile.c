/* tile: the table of instruction sets, and the choice among them. */
#include "core/kernels/tile.h"

#include <stdlib.h>
#include <string.h>

#include "core/check.h"

extern const ls_tiles ls_tiles_plain;
#ifdef __x86_64__
extern const ls_tiles ls_tiles_avx512, ls_tiles_avx2;
#endif

const ls_tiles *const ls_tiles_all[] = {
#ifdef __x86_64__
    &ls_tiles_avx512, &ls_tiles_avx2,
#endif
    &ls_tiles_plain, NULL};

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
