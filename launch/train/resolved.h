/* resolved: the job of a run with the values of all keys, as a file in the run directory. */
#pragma once
#include "launch/train/trainer.h"

/* The job with the number of shards that the run has, unless it is `accumulate` times the ranks:
 * it decides the bits, so the job as it is written says it. Its texts are those of the session's.
 */
ls_job ls_resolved_job(const ls_trainer *trainer);
/* On rank 0. Writes RUN/job.yaml. A file of a person that stands there stays as it is: then the job
 * is written as RUN/resolved.yaml, with a notice. LS_IO errors. */
bool ls_resolved_write(const ls_trainer *trainer, ls_error *error);
/* Which of the two files in a run directory is the job of its last start. */
const char *ls_resolved_name(const char *run);
