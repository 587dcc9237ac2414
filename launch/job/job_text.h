/* job_text: a job as JSON, for checkpoints, and as YAML, for people. */
#pragma once
#include "launch/job/job.h"

/* The job as a JSON text, which ls_job_from_json reads back to the same job. Free with ls_free. */
char *ls_job_json(const ls_job *job);
/* The job as YAML: every key that has a value, in the table's order. The program (ls_job_parse)
 * reads it back to the same job. Free with ls_free. */
char *ls_job_text(const ls_job *job);
