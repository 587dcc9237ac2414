/* squares: sums of squares by slot, for norms: the same bits however an array is cut among ranks.
 *
 * A *piece* is what one slot has in one block of LS_SLICE_ALIGN reals. Each piece is summed by
 * itself, and a slot's pieces are added in their order, all in double. As ranks' runs are cut at
 * borders of blocks or slots, no piece is ever summed in two parts. */
#pragma once
#include "core/params.h"

/* How many doubles the pieces of an array take. */
long ls_squares_room(const ls_params *params);
/* Fills the pieces in reals [begin, end) of an array; both are borders of a slot or a block. */
void ls_squares_measure(const ls_params *params, const real *array, long begin, long end,
                        double *pieces);
/* norm2[params->count]: of each of `slots` from its pieces; 0 for other slots. */
void ls_squares_add(const ls_params *params, const ls_slots *slots, const double *pieces,
                    double *norm2);
/* The squared norm of a whole gradient from those of its slots. Statistics (LS_SLOT_STATE) do not
 * count, but if any slot's norm is not finite, the result is not. */
double ls_squares_total(const ls_params *params, const double *norm2);
