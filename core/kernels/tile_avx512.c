/* tile_avx512: the micro-kernel in AVX-512: 32 registers of 64 bytes. */
#define TILE_BYTES 64
#define TILE_NARROW(make)                                                                          \
    make(1) make(2) make(3) make(4) make(5) make(6) make(7) make(8) make(9) make(10) make(11)      \
        make(12) make(13) make(14)
#define TILE_WIDE(make) make(1) make(2) make(3) make(4) make(5) make(6) make(7)
#include "core/kernels/tile_code.h"
#include "core/kernels/winograd_code.h"

static bool can(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

const ls_tiles ls_tiles_avx512 = {"avx512", can,       WIDE_ROWS, LS_TILE_DEPTH,
                                  run,      transpose, &winograd};
