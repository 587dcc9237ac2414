/* csv_file: reads the records of a text table, plain or gzip, by RFC 4180, with any separator.
 * Lines end in LF or CRLF; blank lines and spaces around a field are skipped. */
#pragma once
#include <zlib.h>

#include "core/check.h"

typedef struct ls_csv {
    const char *path; /* borrowed */
    char separator;
    gzFile file;
    long line;     /* where the current record begins, from 1 */
    int fields;    /* of the current record */
    char *text;    /* its fields one after the other, each ended by 0 */
    size_t *field; /* where each begins in text */
    /* Private. */
    size_t used, room, field_room;
    long lines; /* read so far */
    int held;   /* a byte put back, or -1 */
} ls_csv;

/* Opens a table. LS_DATA errors. Close it with ls_csv_close. */
bool ls_csv_open(ls_csv *csv, const char *path, char separator, ls_error *error);
/* Reads the next record; *more is false after the last. LS_DATA errors where the file is damaged or
 * no text. */
bool ls_csv_next(ls_csv *csv, bool *more, ls_error *error);
/* Field `column` of the current record, from 0; good until the next record. */
const char *ls_csv_field(const ls_csv *csv, int column);
void ls_csv_close(ls_csv *csv);
