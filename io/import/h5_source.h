/* h5_source: the arrays of an HDF5 file from elsewhere that are x, y, length and weight of a split,
 * found by their names, or by the names that --rename gives them. Soft links inside the file are
 * followed. */
#pragma once
#include "io/dataset.h"
#include "io/h5/h5.h"

enum {
    LS_H5_SOURCE_X,
    LS_H5_SOURCE_Y,
    LS_H5_SOURCE_LENGTH,
    LS_H5_SOURCE_WEIGHT,
    LS_H5_SOURCE_ARRAYS
};
extern const char *const ls_h5_source_arrays[LS_H5_SOURCE_ARRAYS]; /* "x", "y", ... */

/* OLD=NEW[,OLD=NEW ...] of --rename. OLD and NEW are the name of a group or data set, or a path:
 * "data=x", "val=valid", "features/0=train/x". */
typedef struct ls_h5_renames {
    char *text; /* all of it, cut into names */
    int count;
    const char **from, **to;
    bool *used; /* the name occurred */
} ls_h5_renames;
/* `text` NULL: none. LS_USAGE errors. Release it whether this succeeds or not. */
bool ls_h5_renames_read(ls_h5_renames *renames, const char *text, ls_error *error);
void ls_h5_renames_release(ls_h5_renames *renames);

typedef struct ls_h5_source {
    const char *path; /* borrowed */
    hid_t file;
    hid_t array[LS_SPLITS][LS_H5_SOURCE_ARRAYS]; /* open data sets; -1: there is none */
    char *name[LS_SPLITS][LS_H5_SOURCE_ARRAYS];  /* their paths in the file */
    bool vocabulary;                             /* it has /vocabulary as lockstep writes it */
    char unused[512];                            /* names of other data sets and groups; "" */
    char advice[256]; /* the --rename that would give them their usual meaning; "" */
} ls_h5_source;
/* Opens the file and its arrays; at least one split has x. What is neither in a split nor renamed
 * to be so is in `unused`. LS_DATA errors that name what was found and the option that helps. Close
 * it whether this succeeds or not. */
bool ls_h5_source_open(ls_h5_source *source, const char *path, ls_h5_renames *renames,
                       ls_error *error);
void ls_h5_source_close(ls_h5_source *source);
