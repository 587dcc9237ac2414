/* job_form: brings a job's tree to the one form that the schema knows: a list of stages; an
 * optimizer as a list of {phase, spec}; "2 epochs" as {unit, count}; numbers in plain decimals.
 * LS_USAGE errors; `where` stands for the file in messages. */
#pragma once
#include "launch/job/yaml.h"

/* Where the file has no list of stages: makes one, of the stage keys that stand at the top. */
bool ls_job_form_stages(ls_yaml *tree, const char *where, ls_error *error);
/* Puts the keys that are not given, but for the stages'. */
void ls_job_form_defaults(ls_yaml *tree, const char *where);
/* Checks and converts numbers, times, splits and optimizers. */
bool ls_job_form_values(ls_yaml *tree, const char *where, ls_error *error);
