/* trainer_run: the training loop. */
#pragma once
#include "launch/train/trainer.h"

typedef enum ls_outcome {
    LS_OUTCOME_COMPLETE, /* every stage is done, or stopped early */
    LS_OUTCOME_STOPPED,  /* as the listener or max_seconds asked; the checkpoint is on the disk */
    LS_OUTCOME_FAILED    /* the error says why; checkpoints on the disk stay */
} ls_outcome;

/* **Collective.** To be called once. Trains until the last stage is done or the run should stop:
 * steps, evaluations, best.h5, checkpoints and metrics.jsonl, as the job says. What it wrote is
 * durable when it returns. Outcome and error are the same on all ranks. */
ls_outcome ls_trainer_run(ls_trainer *trainer, ls_error *error);
