/* filewise_rows: the data set file of an import from many files, filled row by row on member 0. */
#pragma once
#include "io/import/filewise.h"
#include "io/output.h"

/* What a file becomes: the reason why it is broken, "" where it is not; then its row of each array,
 * at the offsets of `at`. */
typedef struct ls_filewise_result {
    char reason[512];
} ls_filewise_result;

/* A split in the HDF5 file. */
typedef struct ls_filewise_part {
    long rows;                         /* written so far */
    hid_t dataset[LS_FILEWISE_ARRAYS]; /* -1: not there */
    long *file; /* of each row, its number in the list; room for all files of the split */
} ls_filewise_part;

/* Begins with format and all set, and all else 0. */
typedef struct ls_filewise_rows {
    const ls_filewise_format *format;
    const ls_filewise *all;
    int arrays;
    size_t at[LS_FILEWISE_ARRAYS], bytes[LS_FILEWISE_ARRAYS]; /* of a row, in a result */
    size_t result_bytes;                                      /* a result and its rows */
    ls_filewise_part part[LS_SPLITS];
    char *block; /* rows of one array on their way into the file */
    size_t block_bytes;
    long skipped;
    ls_output output;
} ls_filewise_rows;

/* Lays out what a file becomes: sets arrays, at, bytes and result_bytes. On all members. */
void ls_filewise_rows_lay_out(ls_filewise_rows *rows);

/* On member 0 alone: */
/* Begins the file, with room for all files. LS_IO errors; then nothing is left. */
bool ls_filewise_rows_begin(ls_filewise_rows *rows, ls_error *error);
/* Writes the rows of files [first, first + n), of which results[n] lie rows->result_bytes apart;
 * names those that are broken. LS_IO errors. */
bool ls_filewise_rows_add(ls_filewise_rows *rows, long first, long n, const void *results,
                          ls_error *error);
/* Ends the file: labels, attributes, a report; `ok` false: gives it up, *error is set already. */
bool ls_filewise_rows_end(ls_filewise_rows *rows, bool ok, ls_error *error);
void ls_filewise_rows_release(ls_filewise_rows *rows);
