/* job_yaml: a job as YAML; needs no library of YAML. */
#pragma once
#include "launch/job/job.h"

/* The job as YAML for a person to read: every key that has a value, in the table's order. The
 * program (ls_job_parse) reads it back to the same job. Free with ls_free. */
char *ls_job_text(const ls_job *job);
