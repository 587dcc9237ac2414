/* column: rows of one array of a data file, as reals. */
#pragma once
#include "io/dataset.h"
#include "io/h5/h5.h"

typedef struct ls_column {
    const char *file;      /* for messages */
    const ls_array *array; /* checked by intake */
    int descriptor;        /* of the file */
    hid_t dataset;         /* < 0: there is no such column */
} ls_column;

/* out[i, :] = row rows[i], i in [0, n), converted, scaled and checked to be finite. Safe from
 * several threads. LS_IO where reading fails, LS_DATA with the row for NaN and infinity. A row
 * outside the array is a bug. */
bool ls_column_read(const ls_column *column, const int64_t *rows, long n, real *out,
                    ls_error *error);
