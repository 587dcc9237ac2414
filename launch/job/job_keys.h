/* job_keys: the one table of a job's keys. Reading, checking, defaults, writing, comparing on
 * resume, `lockstep list keys` and the manual page all follow from it: a new key is a member of
 * ls_job or ls_job_stage (job.h) and a line in job_keys.c. */
#pragma once
#include "launch/job/job.h"

typedef enum {
    LS_KEY_TEXT,
    LS_KEY_NUMBER,    /* long, a whole number in [low, high] */
    LS_KEY_REAL,      /* double, in [low, high] */
    LS_KEY_SWITCH,    /* long, 0 or 1: written false or true */
    LS_KEY_CUT,       /* long, 0 or 1: written tree or even */
    LS_KEY_EVERY,     /* ls_every: "1 epoch" */
    LS_KEY_SPLIT,     /* text: train, valid or test */
    LS_KEY_SAMPLING,  /* text: shuffle, balanced or weights */
    LS_KEY_OPTIMIZER, /* ls_job_optimizer[LS_PHASES]: one text, or a map of phases to texts */
    LS_KEY_NETS       /* ls_job_net[LS_MODEL_NETS]: a map of names to texts */
} ls_job_kind;

/* What may change when a run is resumed. Nothing of a stage that is done may change. */
typedef enum {
    LS_CHANGE_FREE,
    LS_CHANGE_NOTICE,      /* with a line to the user */
    LS_CHANGE_NOTED,       /* with a line to the user that launch/train/changes.c writes */
    LS_CHANGE_LATER_STAGE, /* in the stages to come only */
    LS_CHANGE_OPTIONS,     /* an optimizer: all but its type and whether it keeps an average */
    LS_CHANGE_NEVER
} ls_job_change;

typedef struct ls_job_key {
    const char *map,
        *name;     /* map of a job file: "", "stages", "evaluate", "checkpoint", "samples" */
    size_t offset; /* of the member, in ls_job_stage for a key of a stage, else in ls_job */
    ls_job_kind kind;
    long low, high;     /* range of a number */
    const char *preset; /* the default as text, NAME stands for the job file's name; NULL: none, or
                           the model's recipe */
    const char *example;
    const char *help; /* what it is; for numbers and switches, what it means */
    ls_job_change change;
    const char *why; /* why it may not change */
    int needed; /* of the keys with the same number at least one must be given; 0: it may be missing
                 */
    const char *excludes[3]; /* keys of the same map that may not stand beside it; NULL ends them */
    bool conflicts; /* on the command line it does not take their place: both is an error there too
                     */
} ls_job_key;

extern const ls_job_key ls_job_keys[]; /* ends with a NULL name */

bool ls_job_key_in_stage(const ls_job_key *key);
/* The key at a path, its stage or 0, and the rest of the path: of "stages.1.optimizer.generator"
 * the optimizer, 1 and ".generator"; only maps, optimizer and nets, have a rest. NULL: there is no
 * such key. */
const ls_job_key *ls_job_key_at(const char *path, int *stage, const char **rest);
/* "stages.0.batch", "evaluate.every"; with stage -1 "batch". Into text[size]; returns text. */
const char *ls_job_key_path(const ls_job_key *key, int stage, char *text, size_t size);
/* How many members of the job it has: as many as stages, or one. */
int ls_job_key_copies(const ls_job_key *key, const ls_job *job);
/* The names that may stand in the map at a path, into name[room]: their number. At the top, "",
 * also the keys of a stage and the names of maps. */
int ls_job_key_names(const char *map, const char *name[], int room);

/* The path of the i-th key that the key at `path` excludes, into text[size]; returns text, or NULL:
 * there are not so many. Of "stages.1.epochs" it is "stages.1.steps". */
const char *ls_job_key_excluded(const char *path, int i, char *text, size_t size);

/* The values it takes: "a whole number, 1 or more (rows over all ranks)". Into text[size]; returns
 * text. */
const char *ls_job_key_expected(const ls_job_key *key, char *text, size_t size);
/* Its default and whether it may change on resume, in sentences for a manual. */
const char *ls_job_key_rules(const ls_job_key *key, char *text, size_t size);

/* Its member in a job, or in a stage of it. */
void *ls_job_key_member(const ls_job_key *key, const ls_job *job, int stage);
/* Sets a member from a text, which is copied. False, and nothing changed, if the text is not what
 * the key expects. For optimizers and nets, the member is one of the texts. */
bool ls_job_key_set(const ls_job_key *key, void *member, const char *text);
/* The member's value as a text for ls_job_key_set, to be freed with ls_free. NULL if it has none:
 * it is NULL, unset, or a 0 that is out of range or the default; and for optimizers and nets. */
char *ls_job_key_get(const ls_job_key *key, const ls_job *job, int stage);
/* Whether the text is UTF-8. */
bool ls_job_key_utf8(const char *text);
