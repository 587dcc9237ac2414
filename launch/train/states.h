/* states: the optimizers' states, each an array of params->size reals (momentum, running means, the
 * average of the weights), which the ranks of a node share. All stages use the same arrays. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"

typedef struct ls_states {
    ls_shared *shared[LS_OPTIMIZER_STATES];  /* NULL: no stage keeps this state */
    real *array[LS_OPTIMIZER_STATES];        /* NULL: the stage that runs keeps none of it */
    ls_slots every_slot, trained[LS_PHASES]; /* of the phases of the stage */
    ls_checkpoint_arrays saved;              /* the same arrays, as a checkpoint holds them */
} ls_states;

/* Whether an optimizer of the stage keeps state number `state`. */
bool ls_states_kept(const ls_session_stage *stage, int state);
/* How many states there are that any stage keeps. */
int ls_states_count(const ls_session *session);
/* **Collective.** Makes the arrays, zeroed. Free with ls_states_release in either case. */
bool ls_states_create(ls_states *states, const ls_session *session, ls_error *error);
void ls_states_release(ls_states *states); /* **Collective.** */
/* Sets `array` and `saved` to what stage `stage` keeps. */
void ls_states_select(ls_states *states, const ls_session *session, int stage);
/* **Collective** over the node. Where a stage begins: sets its states to 0, and the average of the
 * weights to the weights. */
void ls_states_clear(ls_states *states, const ls_session *session);
