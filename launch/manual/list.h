/* list: everything that a job file can name, read from the tables of core, io and launch/job, for
 * `lockstep list` and the manual page. */
#pragma once
#include "core/spec.h"

typedef struct ls_list_entry {
    char name[256], help[1024];
    const ls_option *options; /* ends with a NULL key; NULL: none */
} ls_list_entry;

/* All names of one kind: layers, optimizers ... */
typedef struct ls_list_section {
    const char *name;  /* "layers" */
    const char *about; /* where a job file names one */
    /* Structs that begin with `const char *name, *help`: an array of them, `stride` bytes each, the
     * last with a NULL name; or, with stride 0, an array of pointers to them, the last NULL. */
    const void *table;
    size_t stride;
    size_t options; /* where such a struct has its `const ls_option *options`; 0: nowhere */
    const char *const (*aliases)[2]; /* other names, and those in the table; NULL: there are none */
    /* In place of a table: fills entry `i`, or returns false where there is none. */
    bool (*fill)(int i, ls_list_entry *entry);
    const ls_option *common; /* keys that every entry may have besides its own, listed first */
} ls_list_section;

extern const ls_list_section ls_list_sections[]; /* keys first; ends with a NULL name */
/* Entry `i` of a section, from 0; false where there are fewer. */
bool ls_list_get(const ls_list_section *section, int i, ls_list_entry *entry);
/* Option `i` of an entry as an entry: "kernel=N,N,..." or "function=tanh|relu", and "momentum (0 to
 * 1; default 0.9)"; false where there are fewer. */
bool ls_list_option(const ls_list_entry *entry, int i, ls_list_entry *option);
