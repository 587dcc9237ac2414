/* job_keys: what each key of a job file holds, and messages about keys that hold something else.
 * Paths are dotted, with the stage's number: "stages.0.batch". */
#pragma once
#include "core/check.h"
#include "launch/job/yaml.h"

typedef enum {
    LS_KEY_TEXT,
    LS_KEY_NUMBER, /* a whole number in [low, high] */
    LS_KEY_SWITCH, /* true or false */
    LS_KEY_EVERY,  /* "1 epoch" */
    LS_KEY_SPLIT,  /* train, valid or test */
    LS_KEY_NESTED  /* a map or list: checked by the schema */
} ls_job_kind;

typedef struct ls_job_key {
    const char *path; /* '*' stands for a stage's number or a phase's name */
    ls_job_kind kind;
    long low, high;
    const char *expected; /* "a whole number, 1 or more" */
    const char *example;  /* a value; NULL: nested */
} ls_job_key;

extern const ls_job_key ls_job_keys[]; /* ends with a NULL path */
const ls_job_key *ls_job_key_find(const char *path);
/* Whether this is a key of a stage: "batch". */
bool ls_job_key_of_stage(const char *word);

/* Where a key of the tree stood: "lenet.yaml:9:14: batch". Into text[size]; returns text. */
const char *ls_job_place(const ls_yaml *tree, const char *where, const char *path, char *text,
                         size_t size);
/* LS_USAGE errors; all return false. The value at `path` is not what its key expects. */
bool ls_job_fail_value(const ls_yaml *tree, const char *where, const char *path, ls_error *error);
/* `word` is no key of the map at `path` ("" is the top). */
bool ls_job_fail_unknown(const ls_yaml *tree, const char *where, const char *path, const char *word,
                         ls_error *error);
bool ls_job_fail_missing(const char *where, const char *path, ls_error *error);
