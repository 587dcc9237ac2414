/* Skips tests of what OpenBLAS does not promise: that a row has the same bits whatever is computed
 * with it (core/kernels/tile_blas.h). */
#pragma once
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "core/kernels/tile.h"
}

#define SKIP_WITH_BLAS()                                                                           \
    if (std::string(ls_tile_best()->name) == "blas")                                               \
    GTEST_SKIP() << "with blas a row may have other bits where other rows are computed with it"
