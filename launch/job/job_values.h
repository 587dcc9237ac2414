/* job_values: fills a job from JSON values by the table of keys, and writes it into them. */
#pragma once
#include <jansson.h>

#include "launch/job/job_origins.h"

/* If the object has no list of stages, makes one of the stage keys that stand at its top. LS_USAGE
 * errors; `where` stands for the file in messages. */
bool ls_job_form_stages(json_t *json, const ls_job_origins *origins, const char *where,
                        ls_error *error);
/* A job from an object that ls_job_form_stages has formed: checks every key, then puts the
 * defaults. `origins` belongs to the job and is destroyed on errors too; NULL: not known. NULL and
 * an LS_USAGE error that says where the key stood, what it expects, and for unknown keys the
 * nearest known one. */
ls_job *ls_job_read(const json_t *json, ls_job_origins *origins, const char *where,
                    ls_error *error);
/* An object of every key that has a value, in the table's order. */
json_t *ls_job_write(const ls_job *job);
