/* job_read: a job from a plain struct, from JSON, or from a list of entries, with all checks. */
#pragma once
#include "launch/job/job.h"

/* A copy of a struct that a C program has filled by name:
 *
 *     ls_job_stage stage = {.optimizer = {{.spec = "adam rate=0.001"}}, .optimizers = 1};
 *     ls_job *job = ls_job_create(&(ls_job){.path = "my job", .data = "a.h5", .run = "runs/a",
 *                                           .model = "lenet classes=10", .seed = 1,
 *                                           .stages = 1, .stage = &stage}, &error);
 *
 * Every text is copied; nothing of `plain` is kept. What is NULL, 0 or unset takes the default of a
 * job file, except the seed, for which 0 is a value; no stage means one stage of the model's
 * recipe. Values out of range, missing keys and keys that exclude each other are LS_USAGE errors,
 * as in a file, with NULL returned. Free with ls_job_destroy. */
ls_job *ls_job_create(const ls_job *plain, ls_error *error);
/* A job from the JSON text of a checkpoint, checked as a job file is; `where` stands for the file
 * in messages. NULL and an LS_USAGE error. */
ls_job *ls_job_from_json(const char *text, const char *where, ls_error *error);
/* A job from a list, which then belongs to the job, and is destroyed on errors too. NULL and an
 * LS_USAGE error that says where the key stood, what it expects, and for unknown keys the nearest
 * known one. */
ls_job *ls_job_read(struct ls_job_entries *list, const char *where, ls_error *error);
