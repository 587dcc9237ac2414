/* resume: a run goes on from a checkpoint, or begins. Rank 0 reads and broadcasts. */
#pragma once
#include "launch/train/trainer.h"

/* **Collective.** Opens the run directory and the checkpoint to go on from, whose position becomes
 * trainer->position; without one it stays. The error is the same on all ranks. */
bool ls_resume_find(ls_trainer *trainer, ls_error *error);
/* **Collective.** Fills parameters and optimizer states from that checkpoint, or the parameters
 * from --weights; without either they stay as drawn. Then removes what an earlier run wrote, where
 * this one takes its place: call it last. The error is the same on all ranks. */
bool ls_resume_load(ls_trainer *trainer, ls_error *error);
