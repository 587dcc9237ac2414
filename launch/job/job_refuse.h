/* job_refuse: the words for what is wrong with an entry of a job. */
#pragma once
#include "launch/job/job_entries.h"
#include "launch/job/job_keys.h"

/* The value is not what the key expects: an LS_USAGE error that says where it stands, what is
 * expected, what was found, and an example. Returns false. */
bool ls_job_refuse_value(const ls_job *job, const ls_job_entry *entry, const ls_job_key *key,
                         ls_error *error);
/* There is no such key: the error names the nearest one, and those that may stand there. Returns
 * false. */
bool ls_job_refuse_unknown(const ls_job *job, const ls_job_entry *entry, ls_error *error);
/* Where the key itself stands, to begin a message: "lenet.yaml:9:1". Into text[size]; returns text.
 */
const char *ls_job_refuse_place(const ls_job *job, const ls_job_entry *entry, char *text,
                                size_t size);
/* The end of the entry's path: "batch" of "stages.0.batch". */
const char *ls_job_refuse_word(const ls_job_entry *entry);
