/* job_file: a job from a YAML file, with keys of the command line in place of the file's. Part of
 * the program, not of the library, which knows no YAML. */
#pragma once
#include "launch/job/job.h"

/* Reads the file and applies the overrides, strings "key=value" with dotted keys
 * (stages.1.batch=64; stages count from 0; the keys of a single stage also without stages.0); the
 * last one given wins. Keys left out take the defaults of the table (job_keys.c); what a stage
 * leaves out stays NULL or 0 until ls_job_defaults. LS_USAGE errors with file, line, column, key
 * and the nearest known key; for overrides with "command line". Paths inside are as written,
 * relative to the working directory. NULL on errors. Free with ls_job_destroy. */
ls_job *ls_job_load(const char *path, char *const *overrides, int count, ls_error *error);
/* Reads a text in YAML or JSON, such as a checkpoint's job; `where` stands for the file in
 * messages. */
ls_job *ls_job_parse(const char *text, const char *where, ls_error *error);
