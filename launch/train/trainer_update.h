/* trainer_update: one update of the parameters. */
#pragma once
#include "launch/train/trainer.h"

/* Which update of a step: number `repeat` of those that a phase of the objective makes in a row. */
typedef struct ls_trainer_turn {
    int phase, repeat;
    const ls_batch *batch; /* NULL: it could not be read */
} ls_trainer_turn;

/* What a step gave: sums of each phase, over all its updates, and the flags of any of them. */
typedef struct ls_trainer_step {
    ls_sums sums[LS_PHASES];
    double stop, save, evaluate, samples;
} ls_trainer_step;

/* **Collective.** The gradient of the batch, its sum over the ranks, the update, and what follows
 * from the parameters (packed weights); adds to *done. False where a rank had no batch, a
 * checkpoint could not be written, the run directory is no longer this job's, or a number is not
 * finite: then the update was not made, and the error is the same on all ranks. */
bool ls_trainer_update(ls_trainer *trainer, const ls_trainer_turn *turn, ls_trainer_step *done,
                       ls_error *error);
