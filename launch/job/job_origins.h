/* job_origins: where each key of a job file stood, for messages about its value. */
#pragma once
#include "launch/job/job.h"

typedef struct ls_job_mark {
    char *path; /* dotted, as the file has it: "batch" if the only stage's keys stand at the top */
    ls_origin origin;
    int line, column, key_line, key_column; /* of the value and of its key, from 1 */
} ls_job_mark;

typedef struct ls_job_origins {
    int count;
    ls_job_mark *mark;
} ls_job_origins;

/* Keeps a copy of the mark, in place of an earlier one of its path. */
void ls_job_origins_add(ls_job_origins *origins, const ls_job_mark *mark);
/* `path` has the stage's number, "stages.0.batch". NULL: the key was not given, or `origins` is
 * NULL, as for jobs that no file described. */
const ls_job_mark *ls_job_origins_find(const ls_job_origins *origins, const char *path);
/* The path as the file has it: without "stages.0." if it has no list of stages. */
const char *ls_job_origins_shown(const ls_job_origins *origins, const char *path);
/* NULL is allowed. */
void ls_job_origins_destroy(ls_job_origins *origins);
