/* rowfile: writes results into an HDF5 or CSV file that appears whole or not at all: arrays chunk
 * by chunk, in the order of the rows, or at once. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"
#include "io/dataset.h"

enum { LS_ROWFILE_ARRAYS = 4 };

/* How the numbers of an array are stored, and what ls_rowfile_add is given. */
typedef enum {
    LS_ROWFILE_REALS,
    LS_ROWFILE_CLASSES, /* int32, given as reals */
    LS_ROWFILE_COUNTS   /* int64, given as int64_t */
} ls_rowfile_type;

typedef struct ls_rowfile_array {
    const char *path; /* "train/x"; in CSV the name of its columns */
    ls_shape shape;   /* of a row */
    ls_rowfile_type type;
} ls_rowfile_array;

typedef enum { LS_ROWFILE_HDF5 /* .h5, .hdf5 */, LS_ROWFILE_ANY /* .csv too */ } ls_rowfile_kinds;
/* Whether the ending of `path` is of these kinds. LS_USAGE errors. */
bool ls_rowfile_ending(const char *path, ls_rowfile_kinds kinds, ls_error *error);

typedef struct ls_rowfile ls_rowfile;
/* Begins PATH; as CSV only if `kinds` has it and the ending says so. LS_IO errors. */
ls_rowfile *ls_rowfile_open(const char *path, ls_rowfile_kinds kinds, ls_error *error);
/* Finishes the file, durably, as PATH; frees the rowfile. LS_IO errors; then nothing is left. */
bool ls_rowfile_close(ls_rowfile *file, ls_error *error);
/* Gives the file up: nothing is left of it. */
void ls_rowfile_discard(ls_rowfile *file);
/* Begins arrays of `rows` rows, which ls_rowfile_add fills from now on. CSV files: once. */
bool ls_rowfile_begin(ls_rowfile *file, const ls_rowfile_array *arrays, int count, long rows,
                      ls_error *error);
/* Adds the next n rows of each array: values[k] is [n, shape of array k]. In CSV a row is a line.
 */
bool ls_rowfile_add(ls_rowfile *file, long n, const void *const *values, ls_error *error);
/* HDF5 files: writes an array of shape [rows, shape], or [shape] where rows < 0, at once. */
bool ls_rowfile_write(ls_rowfile *file, const char *path, long rows, const ls_shape *shape,
                      const real *values, ls_error *error);
/* HDF5 files: writes an attribute of the file. */
bool ls_rowfile_number(ls_rowfile *file, const char *name, double value, ls_error *error);
/* Writes an attribute of the object at `path`; does nothing in a CSV file, which has none. */
bool ls_rowfile_text(ls_rowfile *file, const char *path, const char *name, const char *value,
                     ls_error *error);
/* The same for a whole number. */
bool ls_rowfile_count(ls_rowfile *file, const char *path, const char *name, long value,
                      ls_error *error);
/* HDF5 files: copies the arrays beside `x` of the file `source` that have as many rows, with their
 * attributes, into the group `split`, but for those that it has already, and for the one that is to
 * be called `except` (NULL: none). Beside "train/x" are the
 * other arrays of its group, beside "x_train" those called *_train. An array that is a link, or
 * that is kept in another file, is an LS_DATA error. */
bool ls_rowfile_copy_beside(ls_rowfile *file, const char *source, const ls_array *x,
                            const char *split, const char *except, ls_error *error);
/* Copies the attributes of the object `from` of the file `source`, if there is one, to the object
 * `path` here, but for those that it has already; does nothing in a CSV file. */
bool ls_rowfile_copy_attributes(ls_rowfile *file, const char *source, const char *from,
                                const char *path, ls_error *error);
