/* filewise: imports of which each file becomes a row: pictures, recordings.
 *
 * What is common to them is here: the list of files with classes and splits (listing.h), ranks and
 * threads that share the files (crew.h), what happens to broken files, and the data set that is
 * written. A format says what its rows are like and how one file is read.
 *
 *     listing     member 0 lists DIR or LIST and tells the other members
 *        v
 *     setup       the format, on every member: options, the arrays of a row and their shapes;
 *        v        with `measure`, all files are looked at once before, for the longest
 *     crew        read: a file becomes a row, on any member, in any thread, as a function of the
 *        v        file alone
 *     take        member 0: the rows of each split, in the order of the files, into the HDF5 file
 *        v
 *     finish      labels, attributes, `name`: the files of the rows; what was skipped
 *
 * A file that is not what the format expects, is not there (a link that leads nowhere, a name in a
 * LIST) or is not for us to open, is broken: it is named and left out, and counted; `strict` makes
 * it an error. A file that can't be read (EIO) is always an error: it may be whole.
 *
 * The arrays of the HDF5 file are contiguous, so their sizes must be known before the first row is
 * written, but which files are broken is known after the last. So they get room for all files, and
 * are filled from the first row on; if files were skipped, the rows are copied to a second file of
 * the right size in the end, and the first is dropped. The result is that of the same files without
 * the broken ones, byte for byte.
 *
 * Memory of a member: that of crew.h (64 MiB; member 0: 96 MiB where there are others, and 1 MiB
 * for writing), what the format takes for one file times the threads, and for each file its name
 * and 32 bytes, on member 0 the longest name once more. Rows are never held: data sets larger than
 * memory pass. */
#pragma once
#include <hdf5.h>

#include "io/import/listing.h"

enum { LS_FILEWISE_ARRAYS = 4 };

/* An array of the data set beside y: "x", "length". */
typedef struct ls_filewise_array {
    const char *name; /* NULL: no further array */
    ls_dtype type;
    ls_shape shape; /* of a row */
} ls_filewise_array;

typedef struct ls_filewise {
    const ls_import *import;
    FILE *report; /* NULL: none; the same on all members, but only member 0 may write to it */
    ls_listing files;
    ls_filewise_array array[LS_FILEWISE_ARRAYS]; /* the first is x; set by `setup` */
    long longest;                                /* the largest of `measure`; 0 without it */
    /* On member 0 alone: the sum of all that `measure` found, of how many files, and which of them
     * is the longest. */
    long length, measured, longest_file;
    void *state; /* the format's own */
} ls_filewise;

/* A format. Functions that may be NULL say so. */
typedef struct ls_filewise_format {
    /* Checks the options and sets all->array, on every member alike; may look at files. */
    bool (*setup)(ls_filewise *all, ls_error *error);
    /* Frees all->state, whether setup succeeded or not. NULL: nothing to do. */
    void (*release)(ls_filewise *all);
    size_t scratch; /* bytes for each thread, zeroed before its first file */
    void (*release_scratch)(void *scratch); /* frees what these point to. NULL: nothing to do */
    /* The length of a file, before setup. LS_DATA: broken, it counts 0. NULL: nothing to do. */
    bool (*measure)(const ls_filewise *all, void *scratch, const char *path, long *length,
                    ls_error *error);
    /* Reads one file: row[i] is zeroed memory for a row of all->array[i]. LS_DATA: the file is
     * broken, the message begins with the path; other errors end the import. Called by several
     * threads at a time. */
    bool (*read)(const ls_filewise *all, void *scratch, const char *path, void *const *row,
                 ls_error *error);
    /* Writes the attributes of an array of a split: scale, offset, layout. */
    bool (*attributes)(const ls_filewise *all, int array, hid_t dataset, ls_error *error);
} ls_filewise_format;

/* To be called by all members of import->team, which return the same. Errors of ls_import_run. */
bool ls_filewise_run(const ls_filewise_format *format, const ls_import *import, FILE *report,
                     ls_error *error);
