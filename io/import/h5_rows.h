/* h5_rows: rows of a data set of any form that HDF5 reads: chunked, packed, of other byte order or
 * number type, its dimensions in another order; block by block, in the form of a data file. */
#pragma once
#include <stdint.h>

#include "io/dataset.h"
#include "io/h5/h5.h"

/* How the dimensions of the source become [rows, ...]. */
typedef enum ls_h5_order {
    LS_H5_AS_IT_IS = 0,
    LS_H5_REVERSED = 1,       /* the last dimension comes first, as MATLAB writes it */
    LS_H5_CHANNELS_FIRST = 2, /* then [rows, channels, ...] becomes [rows, ..., channels] */
} ls_h5_order;

typedef struct ls_h5_rows {
    hid_t dataset;    /* borrowed */
    const char *path; /* "train/data", borrowed */
    ls_dtype type;    /* of the numbers that are read */
    hid_t memory;     /* the same as HDF5 says it; H5Tclose */
    bool clipped;     /* numbers of 64 bits without sign, which must fit into int64 */
    int rank;
    int order[LS_MAX_RANK + 1];    /* dimension i of the rows is dimension order[i] there */
    hsize_t dims[LS_MAX_RANK + 1]; /* of the rows: dims[0] is their number */
    long rows, width;              /* numbers of a row */
    long block;                    /* rows that are best read at a time */
} ls_h5_rows;

/* Describes an open data set whose numbers were written to the last. `order` is LS_H5_REVERSED and
 * LS_H5_CHANNELS_FIRST, added up. LS_DATA errors that name path and what was found. Release it
 * whether this succeeds or not. */
bool ls_h5_rows_open(ls_h5_rows *rows, hid_t dataset, const char *path, int order, ls_error *error);
void ls_h5_rows_release(ls_h5_rows *rows);
/* Reads rows [first, first + n) into out[n, width] of the type rows->type. LS_DATA errors where the
 * stored bytes are damaged, LS_IO where they can't be read. */
bool ls_h5_rows_read(const ls_h5_rows *rows, long first, long n, void *out, ls_error *error);
/* The same, as doubles, or, where rows->type is one of whole numbers, as int64. */
bool ls_h5_rows_read_doubles(const ls_h5_rows *rows, long first, long n, double *out,
                             ls_error *error);
bool ls_h5_rows_read_longs(const ls_h5_rows *rows, long first, long n, int64_t *out,
                           ls_error *error);
