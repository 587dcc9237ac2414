/* resume: a run goes on from a checkpoint, or begins. Rank 0 reads, the other ranks are told. */
#pragma once
#include "launch/train/trainer.h"

/* **Collective.** Finds the checkpoint to go on from and sets trainer->position to where it stands;
 * without one the position stays. The error is the same on all ranks. */
bool ls_resume_find(ls_trainer *trainer, ls_error *error);
/* **Collective.** Fills parameters and optimizer state, from that checkpoint, from --weights, or as
 * they were drawn. The error is the same on all ranks. */
bool ls_resume_load(ls_trainer *trainer, ls_error *error);
