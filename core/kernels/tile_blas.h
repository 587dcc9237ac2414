/* tile_blas: the product of tile.h by OpenBLAS, for processors that tile_code.h has no vectors for.
 *
 * OpenBLAS takes two matrices whose rows lie apart; a tile is more than that, so it is cut into
 * what OpenBLAS takes, or packed:
 *
 *     b   a panel is a matrix as it lies: a product for each; for many rows of a, two panels are
 *         packed side by side first, [k][64]
 *     a   taken as it lies where a long part of a segment is a row (or, across, a column) of a
 *         matrix; windows that overlap are cut into parts that do not, since OpenBLAS wants rows
 *         that are no longer than their distance; short segments are packed one after the other
 *     c   a product for each panel, if these do not lie side by side
 *
 * Of k at most 256 are summed by one product, which every OpenBLAS sums in one go. The numbers of a
 * row may depend, in their last bits, on how many rows and columns are computed with it: OpenBLAS
 * has several kernels, and takes one by the size of what is left. So the same calls give the same
 * bits (any number of ranks does), but another number of threads makes other calls. */
#pragma once
#include "core/kernels/tile.h"

/* Whether OpenBLAS can be loaded. */
bool ls_tile_blas_can(void);
void ls_tile_blas_run(const ls_tile *tile, long rows, long columns, const real *a, const real *b,
                      real *c);
