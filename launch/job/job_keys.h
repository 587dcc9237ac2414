/* job_keys: the one table of a job's keys. Reading, checking, defaults, writing, comparing on
 * resume, `lockstep list keys` and the manual page all follow from it: a new key is a member of
 * ls_job or ls_job_stage (job.h) and a line in job_keys.c. */
#pragma once
#include "launch/job/job.h"

typedef enum {
    LS_KEY_TEXT,
    LS_KEY_NUMBER,    /* long, a whole number in [low, high] */
    LS_KEY_SWITCH,    /* long, 0 or 1: written false or true */
    LS_KEY_EVERY,     /* ls_every: "1 epoch" */
    LS_KEY_SPLIT,     /* text: train, valid or test */
    LS_KEY_OPTIMIZER, /* ls_job_optimizer[LS_PHASES]: one text, or a map of phases to texts */
    LS_KEY_PHASE,     /* the text of one phase inside of that map */
    LS_KEY_MAP,       /* holds other keys */
    LS_KEY_LIST       /* of low to high entries */
} ls_job_kind;

/* What ls_job_compatible lets change when a run is resumed. Nothing of a stage that is done may
 * change. */
typedef enum {
    LS_CHANGE_FREE,
    LS_CHANGE_NOTICE,      /* with a line to the user */
    LS_CHANGE_LATER_STAGE, /* in the stages to come only */
    LS_CHANGE_OPTIONS,     /* an optimizer: all but its type and whether it keeps an average */
    LS_CHANGE_NEVER
} ls_job_change;

typedef struct ls_job_key {
    const char *path; /* dotted; '*' stands for a stage's number or a phase's name */
    ls_job_kind kind;
    size_t offset;    /* of the member, in ls_job, or in ls_job_stage after "stages.*." */
    const char *help; /* what it is; for numbers and switches, what it means */
    const char *example;
    long low, high;     /* range of a number, or of a list's length */
    const char *preset; /* the default as text, where NAME stands for the job file's name; NULL:
                           none, and a stage's keys are completed by the model's recipe */
    ls_job_change change;
    const char *why;      /* why it may not change */
    bool required;        /* it, or the key that it excludes, must be given */
    const char *excludes; /* the path of the key that may not stand beside it; NULL: none */
} ls_job_key;

extern const ls_job_key ls_job_keys[]; /* ends with a NULL path */

/* The key at a path, with numbers and names, or a '*', for its '*'. NULL if there is none. */
const ls_job_key *ls_job_key_find(const char *path);
/* Whether it is a key inside of a stage. */
bool ls_job_key_in_stage(const ls_job_key *key);
/* How many members of the job it has: as many as stages, or one. */
int ls_job_key_copies(const ls_job_key *key, const ls_job *job);
/* Whether it has a member of its own; others hold keys, or are phases. */
bool ls_job_key_has_value(const ls_job_key *key);
/* Its path as a person writes it if there is one stage: without "stages.*.". */
const char *ls_job_key_short(const ls_job_key *key);
/* Its path with the stage's number. Into text[size]; returns text. */
const char *ls_job_key_path(const ls_job_key *key, int stage, char *text, size_t size);
/* "keep" of "checkpoint.keep". */
const char *ls_job_key_last(const ls_job_key *key);
/* Whether "batch" is a key of a stage. */
bool ls_job_key_of_stage(const char *word);
/* The last words of the keys that may stand in the map at `path`, into name[room]: their number.
 * The keys of a stage may also stand at the top, whose path is "". */
int ls_job_key_children(const char *path, const char *name[], int room);
/* The whole path of a key inside of a map whose last word is `word`. NULL if there is none. */
const char *ls_job_key_elsewhere(const char *word);

/* The values it takes: "a whole number, 1 or more (rows over all ranks)". Into text[size]; returns
 * text. */
const char *ls_job_key_expected(const ls_job_key *key, char *text, size_t size);
/* Its default and whether it may change on resume, in sentences for a manual. */
const char *ls_job_key_rules(const ls_job_key *key, char *text, size_t size);

/* Its member in a job, or in a stage of it. */
void *ls_job_key_member(const ls_job_key *key, const ls_job *job, int stage);
/* Sets a member from a text, which is copied. False, and nothing changed, if the text is not what
 * the key expects. For keys that take a text, not for those that hold others. */
bool ls_job_key_set(const ls_job_key *key, void *member, const char *text);
/* The member's value as a text for ls_job_key_set, to be freed with ls_free. NULL if it has none:
 * it is NULL, unset, or a 0 that is out of range or the default; and for an optimizer. */
char *ls_job_key_get(const ls_job_key *key, const ls_job *job, int stage);
