/* job_entries: a job as a flat list of paths and texts, such as ("stages.0.batch", "64"). Job
 * files, the command line, JSON and plain structs all become such a list; job_read.c makes a job of
 * it, and job_text.c writes the list of a job. */
#pragma once
#include "launch/job/job.h"

enum { LS_JOB_PATH = 512 }; /* room for a path with its end */

typedef enum { LS_ENTRY_TEXT, LS_ENTRY_MAP, LS_ENTRY_LIST } ls_job_entry_type;

typedef struct ls_job_entry {
    char *path; /* "stages.0.batch"; without a list of stages also "batch", of all stages */
    ls_job_entry_type type;
    int size;   /* of a map or list; its entries follow */
    char *text; /* of LS_ENTRY_TEXT; NULL: the key has no value */
    ls_origin origin;
    int line, column, key_line, key_column; /* of value and key, from 1; 0: there is no file */
} ls_job_entry;

typedef struct ls_job_entries {
    int count;
    ls_job_entry *entry;
} ls_job_entries;

/* Appends a text of a file; both are copied. The entry is valid until the next one is added; its
 * path stays valid. */
ls_job_entry *ls_job_entries_add(ls_job_entries *list, const char *path, const char *text);
/* Puts the text in place of what stands at the path, or appends it. */
ls_job_entry *ls_job_entries_put(ls_job_entries *list, const char *path, const char *text);
/* NULL if the list is NULL or has no such path. */
ls_job_entry *ls_job_entries_find(const ls_job_entries *list, const char *path);
/* "batch" of "stages.1.batch"; other paths as they are. */
const char *ls_job_entries_top(const char *path);
/* One more than the highest stage of a path. */
int ls_job_entries_stages(const ls_job_entries *list);
/* Removes the entry and all inside it. */
void ls_job_entries_remove(ls_job_entries *list, const char *path);
/* The list of a job's values; the caller destroys it. */
ls_job_entries *ls_job_entries_of(const ls_job *job);
/* NULL is allowed. */
void ls_job_entries_destroy(ls_job_entries *list);
