/* step: one step of an optimizer, from the summed gradient of a phase to updated parameters. The
 * trainer and the learner both take their steps here.
 *
 * A process may update a part of the array only; then the norms must be those of all parts, which
 * the caller's `measure` sees to. */
#pragma once
#include "core/optimizer.h"

typedef struct ls_step {
    const ls_optimizer *optimizer;
    const ls_params *params;
    const ls_slots *slots; /* that the phase trains */
    ls_interval part;      /* reals [begin, end) of the array that this process updates */
    real *gradient;        /* the summed gradient, complete in the part; may be overwritten */
    real *const *state; /* [LS_OPTIMIZER_STATES]; NULL: the optimizer keeps none of that number */
    double *gradient2;  /* [params->count] squared norms of the summed gradient's slots */
    double *value2;     /* [params->count] room for those of the values */
    /* Fills norm2[params->count] with the squared norms of the phase's slots in an array with the
     * params' offsets that is complete in every process's part (squares.h). */
    void (*measure)(void *context, const real *array, const ls_slots *slots, double *norm2);
    void *context;
} ls_step;

/* Updates the part: gradient / weight is clipped and turned into the optimizer's direction, and the
 * values follow it at `rate` (after the schedule), times each slot's ratio. `weight` is the batch's
 * (ls_sums), not 0; the gradient must be finite. `count`: updates of this phase so far, with this
 * one. **Collective** where `measure` is. */
void ls_step_update(const ls_step *step, double rate, double weight, long count);
