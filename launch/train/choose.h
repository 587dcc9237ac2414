/* choose: which checkpoint a run goes on from. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/train/trainer.h"

/* On rank 0. Opens the checkpoint that options->resume asks for: *chosen, which the caller closes;
 * NULL where the run starts anew. With options->overwrite, clears `run` (NULL in a dry run: nothing
 * is cleared). LS_USAGE errors where checkpoints would be lost, LS_DATA errors where there is none
 * or it is no good. */
bool ls_choose_checkpoint(const ls_job *job, const ls_train_options *options, ls_rundir *run,
                          ls_checkpoint **chosen, ls_error *error);
/* Whether a checkpoint lies in the run's own folder. */
bool ls_choose_is_own(const ls_checkpoint *checkpoint, const ls_job *job);
