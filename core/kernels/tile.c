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

const ls_tiles *ls_tile_best(void)
{
    static const ls_tiles *_Atomic chosen;
    const ls_tiles *best = chosen;
    if (best)
        return best;
    const char *wanted = getenv("LOCKSTEP_INSTRUCTIONS");
    for (int i = 0; !best && ls_tiles_all[i]; i++)
        if (ls_tiles_all[i]->can() && (!wanted || strcmp(wanted, ls_tiles_all[i]->name) == 0))
            best = ls_tiles_all[i];
    ls_check(best,
             "LOCKSTEP_INSTRUCTIONS=%s: expected avx512, avx2 or plain, and a processor that "
             "has them",
             wanted);
    return chosen = best;
}
