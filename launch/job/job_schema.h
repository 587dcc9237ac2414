/* job_schema: the strict schema, checked and filled by libcyaml. */
#pragma once
#include "launch/job/job.h"
#include "launch/job/yaml.h"

/* `tree` as job.c normalises it. Unknown keys, wrong kinds of value and missing keys are LS_USAGE
 * errors; `where` stands for the file in messages. NULL and an error. */
ls_job *ls_job_schema_load(const ls_yaml *tree, const char *where, ls_error *error);
/* Frees what ls_job_schema_load made. NULL is allowed. */
void ls_job_schema_free(ls_job *job);
