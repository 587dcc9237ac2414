/* csv_table: a text table in memory, read from a plain or gzip file by RFC 4180, with any
 * separator. Lines end in LF or CRLF; blank lines and spaces around a field are skipped. */
#pragma once
#include "io/import/import.h"

typedef struct ls_csv_table {
    const char *path;   /* borrowed */
    int columns, label; /* how many; which of them holds labels, from 0; -1: none */
    char **name;        /* [columns], from the header; NULL: there is none */
    char *names;        /* their texts */
    long rows, room;
    long width, targets; /* the other columns: inputs, and after them targets */
    double *x, *y;       /* [rows, width], [rows, targets] */
    long *line;          /* [rows] of the file, from 1 */
    char *labels;        /* as they are written, one after the other, each ended by 0 */
    size_t *text;        /* [rows] where the label of a row begins; NULL: there are none */
    size_t labels_used, labels_room; /* bytes */
    int *class;                      /* [rows] their numbers, which the caller makes; NULL before */
} ls_csv_table;

/* Reads `path` with the options of `import`. LS_DATA errors name line and column; LS_USAGE errors
 * where an option does not fit. Free it with ls_csv_table_release, whether it succeeds or not. */
bool ls_csv_table_read(ls_csv_table *table, const char *path, const ls_import *import,
                       ls_error *error);
void ls_csv_table_release(ls_csv_table *table);
/* The label of a row, as it is written. */
char *ls_csv_table_label(const ls_csv_table *table, long row);
/* "3 (width)", for messages: column `column` of the file, from 0, and its name; returns text. */
const char *ls_csv_table_column(const ls_csv_table *table, int column, char *text, size_t size);
/* Which column of the file holds input `input` of x, or target input - width. */
int ls_csv_table_input(const ls_csv_table *table, long input);
