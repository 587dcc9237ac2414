/* csv_table: a text table in memory: its numbers without the label column, and the labels as they
 * were written. */
#pragma once
#include "io/import/import.h"

enum { LS_CSV_NO_LABEL = -1 };

typedef struct ls_csv_table {
    const char *path;   /* borrowed */
    int columns, label; /* of the file; the label's, from 0, or LS_CSV_NO_LABEL */
    char **name;        /* [columns], of the header; NULL: none */
    long rows, room;
    long width;     /* numbers a row */
    float *numbers; /* [rows, width] */
    long *line;     /* [rows] of the file, from 1 */
    char **text;    /* [rows] labels; NULL where there are none */
} ls_csv_table;

/* Reads `path` as `import` says. LS_DATA errors name line and column, LS_USAGE where the label's
 * column is not there. Free with ls_csv_table_release, whether it succeeds or not. */
bool ls_csv_table_read(ls_csv_table *table, const char *path, const ls_import *import,
                       ls_error *error);
void ls_csv_table_release(ls_csv_table *table);
