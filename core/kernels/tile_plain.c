/* tile_plain: the micro-kernel in the instructions that every processor has, and OpenBLAS in its
 * place. */
#include "core/kernels/tile_blas.h"

#define TILE_BYTES 16
#define TILE_NARROW(make) make(1) make(2) make(3) make(4) make(5) make(6)
#define TILE_WIDE(make) make(1) make(2) make(3)
#include "core/kernels/tile_code.h"
#include "core/kernels/winograd_code.h"

static bool can(void)
{
    return true;
}

const ls_tiles ls_tiles_plain = {"plain", can, WIDE_ROWS, 112, run, transpose, &winograd};
/* OpenBLAS has no transforms of its own. */
const ls_tiles ls_tiles_blas = {"blas",           ls_tile_blas_can, 64,       LS_TILE_DEPTH,
                                ls_tile_blas_run, transpose,        &winograd};
