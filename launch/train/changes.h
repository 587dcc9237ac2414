/* changes: may a run go on with a job that differs from the one that it was begun with? */
#pragma once
#include "launch/train/trainer.h"

/* Whether the run of the job `before`, which the checkpoint trainer->resumed holds, may go on with
 * the trainer's job. Then trainer->position is converted from the checkpoint's batch, shards and
 * evaluation to the job's, with a notice for each change. LS_USAGE and LS_DATA errors. */
bool ls_changes_accept(ls_trainer *trainer, const ls_job *before, ls_error *error);
