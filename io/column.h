/* column: rows of one array of a data file, as reals. */
#pragma once
#include "io/dataset.h"
#include "io/h5/h5.h"

typedef struct ls_column {
    const char *file;      /* for messages */
    const ls_array *array; /* checked by ls_dataset_check_open */
    int descriptor;        /* of the file */
    hid_t dataset;         /* < 0: the data set has no such array in a file */
    const void *memory;    /* the array itself, of a data set in memory; NULL: it is in a file */
    /* Rows cut out of a stream (stream.h): how many numbers the stream has, and at which of them
     * the first row begins. flat 0: the rows stand in the file as such. */
    long flat, skip;
    /* [rows of the array] steps that count, the first dimension of a row being time: behind them
     * rows are read as 0. NULL: all count. */
    const int32_t *length;
} ls_column;

/* Reads row rows[i] into out[i, :], for i in [0, n), converted and scaled. Several threads may call
 * it at a time. Errors: LS_IO where reading fails; LS_DATA, with the row, for NaN and infinity. A
 * row outside the array is a bug. */
bool ls_column_read(const ls_column *column, const int64_t *rows, long n, real *out,
                    ls_error *error);
/* Zeroes rows out[n, shape], which are these rows of the array, behind the end of each. */
void ls_column_clear_ends(const ls_column *column, const ls_shape *shape, const int64_t *rows,
                          long n, real *out);
/* Folds the stored bytes of those rows, in native byte order, into *digest. LS_IO and LS_DATA
 * errors where they can't be read. */
bool ls_column_digest(const ls_column *column, const int64_t *rows, long n, uint64_t *digest,
                      ls_error *error);
