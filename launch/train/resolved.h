/* resolved: the job of a run with the values of all keys, as a file in the run directory. */
#pragma once
#include "launch/train/trainer.h"

/* On rank 0. Writes RUN/job.yaml. A file of a person that stands there stays as it is: then the job
 * is written as RUN/resolved.yaml, with a notice. LS_IO errors. */
bool ls_resolved_write(const ls_trainer *trainer, ls_error *error);
