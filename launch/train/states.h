/* states: the optimizers' state (momentum, running means, the average of the weights): one array
 * for each state that any stage keeps, once a node, in shared memory. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"

typedef struct ls_states {
    ls_shared *shared[LS_OPTIMIZER_STATES]; /* NULL: no stage keeps this state */
    real *array[LS_OPTIMIZER_STATES];       /* NULL: the stage that runs keeps none of it */
    ls_slots every_slot;
    ls_checkpoint_arrays saved; /* what a checkpoint holds of them in the stage that runs */
} ls_states;

/* How many states any stage keeps. */
int ls_states_count(const ls_session *session);
/* **Collective.** Makes the arrays, zeroed. Free with ls_states_release in either case. */
bool ls_states_create(ls_states *states, const ls_session *session, ls_error *error);
void ls_states_release(ls_states *states); /* **Collective.** */
/* Chooses the arrays that stage `stage` keeps. */
void ls_states_select(ls_states *states, const ls_session *session, int stage);
/* **Collective** over the node. For a stage that begins: its states become 0, its average the
 * values of the parameters. */
void ls_states_clear(ls_states *states, const ls_session *session);
