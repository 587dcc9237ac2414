/* tile_avx2: the micro-kernel in AVX2 with FMA: 16 registers of 32 bytes. */
#define TILE_BYTES 32
#define TILE_NARROW(make) make(1) make(2) make(3) make(4) make(5) make(6)
#define TILE_WIDE(make) make(1) make(2) make(3)
#include "core/kernels/tile_code.h"
#include "core/kernels/winograd_code.h"

static bool can(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const ls_tiles ls_tiles_avx2 = {"avx2", can, WIDE_ROWS, 112, run, transpose, &winograd};
