/* csv_table: a text table in memory: its numbers, without the column of labels, and the labels as
 * they are written. */
#pragma once
#include "io/import/import.h"

enum { LS_CSV_NO_LABEL = -1 };

typedef struct ls_csv_table {
    const char *path;   /* borrowed */
    int columns, label; /* how many; which of them holds labels, from 0, or LS_CSV_NO_LABEL */
    char **name;        /* [columns], from the header; NULL: there is none */
    long rows, room;
    long width;     /* numbers a row */
    float *numbers; /* [rows, width] */
    long *line;     /* [rows] of the file, from 1 */
    char **text;    /* [rows] labels; NULL where there are none */
} ls_csv_table;

/* Reads `path` with the options of `import`. LS_DATA errors name line and column; LS_USAGE errors
 * where an option does not fit. Free it with ls_csv_table_release, whether it succeeds or not. */
bool ls_csv_table_read(ls_csv_table *table, const char *path, const ls_import *import,
                       ls_error *error);
void ls_csv_table_release(ls_csv_table *table);
