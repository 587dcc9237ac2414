/* spec: the one grammar for layers, models, objectives, optimizers and schedules:
 *
 *     [name:] type [@input[,input]] key=value ...      # comment
 *     input 28,28,1                                    the shape of a net's input
 *
 * A table of options says what keys a type has; the same table fills the type's private struct,
 * checks values, and is printed by `lockstep list`. */
#pragma once

#include "core/check.h"

enum { LS_WORD = 48, LS_SPEC_KEYS = 24, LS_SPEC_INPUTS = 8, LS_LIST = 64 };

typedef struct ls_spec {
    char name[LS_WORD]; /* "" if the line gives none */
    char type[LS_WORD];
    char shape[4 * LS_WORD]; /* after the type `input`; "" if there is none */
    int inputs;
    char input[LS_SPEC_INPUTS][LS_WORD]; /* names after @ */
    int keys;
    struct {
        char key[LS_WORD];
        char value[4 * LS_WORD];
    } at[LS_SPEC_KEYS];
} ls_spec;

/* A list of whole numbers: widths=784,256,10. */
typedef struct ls_list {
    int count;
    long at[LS_LIST];
} ls_list;

/* A list of numbers: mean=0.485,0.456,0.406. */
typedef struct ls_reals {
    int count;
    double at[LS_LIST];
} ls_reals;

typedef enum ls_option_kind {
    LS_OPTION_INT,    /* long */
    LS_OPTION_REAL,   /* double */
    LS_OPTION_BOOL,   /* bool, written 0 or 1 */
    LS_OPTION_CHOICE, /* int: index into choices */
    LS_OPTION_WORD,   /* char[LS_WORD] */
    LS_OPTION_LIST,   /* ls_list */
    LS_OPTION_REALS   /* ls_reals */
} ls_option_kind;

typedef struct ls_option {
    const char *key; /* NULL ends the table */
    ls_option_kind kind;
    size_t offset;              /* offsetof in the struct that ls_spec_read fills */
    const char *preset;         /* default as text; NULL: must be given */
    double low, high;           /* inclusive range of numbers, and of each in a list */
    const char *const *choices; /* CHOICE: NULL-terminated names */
    const char *help;
} ls_option;

/* Reads one line. Empty lines and comments give a spec with an empty type. LS_USAGE errors. */
bool ls_spec_parse(const char *line, ls_spec *spec, ls_error *error);
/* The same for objectives, optimizers, schedules and models: refuses NAME: and @input. */
bool ls_spec_parse_plain(const char *text, ls_spec *spec, ls_error *error);
/* Calls `add` with the spec of each line of `lines` that has one. An error, of the grammar or of
 * `add`, gets the line's number and text in front, after `name` and ", " unless that is NULL. */
bool ls_spec_each_line(const char *lines, const char *name,
                       bool (*add)(void *context, const ls_spec *spec, ls_error *error),
                       void *context, ls_error *error);
/* Fills *out through the table: presets, then the spec's values. Unknown keys (with the nearest
 * known one), missing keys, values out of range and trailing junk are LS_USAGE errors. Either table
 * may be NULL; `common` is read by the caller and only allowed here. */
bool ls_spec_read(const ls_spec *spec, const ls_option *options, const ls_option *common, void *out,
                  ls_error *error);
/* One value as the tables read it: for callers that hold (key, text) pairs, such as job files. */
bool ls_option_set(const ls_option *option, const char *text, void *out, ls_error *error);
/* Trailing junk and overflow are errors: false. */
bool ls_parse_long(const char *text, long *value);
bool ls_parse_double(const char *text, double *value);
/* The name among `count` names (`stride` bytes apart, each a char pointer first) nearest to `word`
 * by edit distance, or the one that other programs call by
 * this word; NULL if none is near. */
const char *ls_nearest(const char *word, const void *table, int count, size_t stride);
/* The entry called `name` of a NULL-terminated table of pointers to structs that begin with their
 * name; NULL and an LS_USAGE error with the nearest name: "there is no KIND NAME: did you mean ...?
 * (`lockstep list KINDs` has all)". */
const void *ls_spec_find_type(const void *table, const char *name, const char *kind,
                              ls_error *error);
/* The same of an array of structs that begin with their name, `stride` bytes apart, the last with a
 * NULL name; `list` is what `lockstep list` calls them. */
const void *ls_spec_find_entry(const void *table, size_t stride, const char *name, const char *kind,
                               const char *list, ls_error *error);
