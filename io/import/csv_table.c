/* csv_table: reads the bytes of a text table into fields, and these into numbers and labels. */
#include "io/import/csv_table.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"
#include "core/spec.h"

enum { END = -1, FAILED = -2, NO_LABEL = -1 };

/* Reads the records of a text table. */
typedef struct csv_reader {
    const char *path; /* borrowed */
    char separator;
    gzFile file;
    long line, lines; /* where the current record begins, from 1; lines read so far */
    int fields;       /* of the current record */
    char *text;       /* the fields one after the other, each ended by 0 */
    size_t *field;    /* [fields] where each begins in text */
    size_t used;      /* bytes of text */
    size_t text_room, field_room;
} csv_reader;

/* The next byte; END after the last; FAILED and an error. */
static int next_byte(csv_reader *csv, ls_error *error)
{
    int byte = gzgetc(csv->file), code = Z_OK;
    if (byte > 0)
        return byte;
    const char *reason = gzerror(csv->file, &code);
    if (byte == 0)
        ls_error_set(error, LS_DATA, "%s:%ld: holds a zero byte; expected a text file", csv->path,
                     csv->lines + 1);
    else if (code == Z_OK || code == Z_STREAM_END)
        return END;
    else
        ls_error_set(error, LS_DATA, "%s:%ld: can't be read on: %s", csv->path, csv->lines + 1,
                     code == Z_ERRNO ? strerror(errno) : reason);
    return FAILED;
}

/* Returns `block`, enlarged where `used` has reached its `room` of elements. */
static void *make_room(void *block, size_t used, size_t *room, size_t size)
{
    if (used < *room)
        return block;
    *room = *room ? 2 * *room : 256;
    return ls_realloc(block, *room, size);
}

static void put(csv_reader *csv, char byte)
{
    csv->text = make_room(csv->text, csv->used, &csv->text_room, 1);
    csv->text[csv->used++] = byte;
}

static bool is_space(const csv_reader *csv, int byte)
{
    return (byte == ' ' || byte == '\t') && byte != csv->separator;
}

/* The part of a field in quotes, after the first quote; "" in it stands for one quote. Returns the
 * byte after the last quote, END or FAILED. */
static int read_quoted(csv_reader *csv, ls_error *error)
{
    long from = csv->lines + 1;
    for (;;) {
        int byte = next_byte(csv, error);
        if (byte == END)
            ls_error_set(error, LS_DATA, "%s:%ld: a quote opens here and is never closed",
                         csv->path, from);
        if (byte < 0)
            return FAILED;
        if (byte == '"' && (byte = next_byte(csv, error)) != '"')
            return byte;
        csv->lines += byte == '\n';
        put(csv, (char)byte);
    }
}

/* One field, without spaces around it. Returns the byte that ended it: separator, '\n' or END; or
 * FAILED. */
static int read_field(csv_reader *csv, ls_error *error)
{
    csv->field = make_room(csv->field, (size_t)csv->fields, &csv->field_room, sizeof *csv->field);
    csv->field[csv->fields++] = csv->used;
    size_t keep = csv->used; /* spaces in quotes, which end here, stay */
    int byte = next_byte(csv, error);
    while (is_space(csv, byte))
        byte = next_byte(csv, error);
    if (byte == '"') {
        byte = read_quoted(csv, error);
        keep = csv->used;
    }
    for (; byte >= 0 && byte != csv->separator && byte != '\n'; byte = next_byte(csv, error))
        put(csv, (char)byte);
    while (csv->used > keep &&
           (csv->text[csv->used - 1] == '\r' || is_space(csv, csv->text[csv->used - 1])))
        csv->used--;
    put(csv, 0);
    return byte;
}

/* Reads the next record; *more is false after the last. */
static bool next_record(csv_reader *csv, bool *more, ls_error *error)
{
    int byte;
    do {
        csv->line = csv->lines + 1;
        csv->used = 0;
        csv->fields = 0;
        do
            byte = read_field(csv, error);
        while (byte >= 0 && byte != '\n');
        if (byte == FAILED)
            return false;
        csv->lines++;
        *more = csv->fields > 1 || csv->used > 1;
    } while (!*more && byte != END);
    return true;
}

/* Column `column` of the current record, from 0; good until the next record. */
static const char *field_text(const csv_reader *csv, int column)
{
    return csv->text + csv->field[column];
}

/* Some programs begin UTF-8 text with a byte order mark of three bytes. */
static bool skip_mark(csv_reader *csv, ls_error *error)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    int byte = next_byte(csv, error);
    for (size_t i = 0; i < sizeof mark && byte == mark[i]; i++)
        byte = next_byte(csv, error);
    gzungetc(byte, csv->file); /* which ignores END and FAILED */
    return byte != FAILED;
}

static bool find_label(ls_csv_table *t, const ls_import *import, ls_error *error)
{
    const char *wanted = import->label;
    t->label = wanted || import->targets ? NO_LABEL : t->columns - 1;
    if (!wanted || strcmp(wanted, "none") == 0)
        return true;
    for (int i = 0; t->name && i < t->columns; i++)
        if (strcmp(t->name[i], wanted) == 0)
            t->label = i;
    long number;
    if (t->label == NO_LABEL && ls_parse_long(wanted, &number) && number >= 1 &&
        number <= t->columns)
        t->label = (int)number - 1;
    if (t->label != NO_LABEL)
        return true;
    const char *nearest = t->name ? ls_nearest(wanted, t->name, t->columns, sizeof *t->name) : NULL;
    return ls_error_set(error, LS_USAGE,
                        "%s: has no column '%s' for labels%s%s%s; expected %s1 to %d, or none",
                        t->path, wanted, nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : "", t->name ? "a name of the header, " : "", t->columns);
}

/* From the first record: how many columns there are, and what they are. */
static bool set_columns(ls_csv_table *t, const csv_reader *csv, const ls_import *import,
                        ls_error *error)
{
    t->columns = csv->fields;
    if (import->header) {
        t->name = ls_alloc((size_t)t->columns, sizeof *t->name);
        for (int i = 0; i < t->columns; i++)
            t->name[i] = ls_copy_string(field_text(csv, i));
    }
    if (!find_label(t, import, error))
        return false;
    t->targets = import->targets;
    t->width = t->columns - (t->label != NO_LABEL) - t->targets;
    return t->width > 0 ||
           ls_error_set(
               error, LS_DATA,
               "%s: has %d column(s), of which %ld are targets or labels; expected at "
               "least one more, with what is known of a row (--separator says what parts them)",
               t->path, t->columns, t->columns - t->width);
}

static void grow(ls_csv_table *t)
{
    if (t->rows < t->room)
        return;
    t->room = t->room ? 2 * t->room : 1024;
    t->x = ls_realloc(t->x, (size_t)t->room * (size_t)t->width, sizeof *t->x);
    t->y = ls_realloc(t->y, (size_t)t->room * (size_t)t->targets, sizeof *t->y);
    t->line = ls_realloc(t->line, (size_t)t->room, sizeof *t->line);
    if (t->label != NO_LABEL)
        t->text = ls_realloc(t->text, (size_t)t->room, sizeof *t->text);
}

/* Refuses a field: "t.csv:7: column 3 (width) holds 'x'; expected a finite number". */
static bool refuse(const ls_csv_table *t, const csv_reader *csv, int column, const char *expected,
                   ls_error *error)
{
    const char *text = field_text(csv, column);
    char name[160] = "";
    if (t->name)
        snprintf(name, sizeof name, " (%s)", t->name[column]);
    return ls_error_set(error, LS_DATA, "%s:%ld: column %d%s %s%.40s%s; expected %s", t->path,
                        csv->line, column + 1, name, text[0] ? "holds '" : "is empty", text,
                        text[0] ? "'" : "", expected);
}

static bool read_number(const ls_csv_table *t, const csv_reader *csv, int column, float *number,
                        ls_error *error)
{
    double value;
    const char *text = field_text(csv, column);
    if (!text[0])
        return refuse(t, csv, column, "a number", error);
    if (!ls_parse_double(text, &value) || !isfinite((float)value))
        return refuse(t, csv, column,
                      csv->line > 1 || t->name
                          ? "a finite number"
                          : "a finite number; does --header fit? Then line 1 holds names",
                      error);
    *number = (float)value;
    return true;
}

static bool read_row(ls_csv_table *t, const csv_reader *csv, ls_error *error)
{
    if (csv->fields != t->columns)
        return ls_error_set(error, LS_DATA, "%s:%ld: has %d column(s); expected %d, as above it",
                            t->path, csv->line, csv->fields, t->columns);
    grow(t);
    float *x = t->x + t->rows * t->width, *y = t->y + t->rows * t->targets;
    for (int i = 0; i < t->columns; i++)
        if (i != t->label &&
            !read_number(t, csv, i, i < t->columns - t->targets ? x++ : y++, error))
            return false;
    if (t->label != NO_LABEL) {
        const char *label = field_text(csv, t->label);
        if (!label[0])
            return refuse(t, csv, t->label, "a label", error);
        t->text[t->rows] = ls_copy_string(label);
    }
    t->line[t->rows++] = csv->line;
    return true;
}

static bool read_records(ls_csv_table *t, csv_reader *csv, const ls_import *import, ls_error *error)
{
    bool more, ok = next_record(csv, &more, error);
    ok = ok && (!more || set_columns(t, csv, import, error));
    if (ok && more && import->header)
        ok = next_record(csv, &more, error);
    while (ok && more)
        ok = read_row(t, csv, error) && next_record(csv, &more, error);
    return ok &&
           (t->rows > 0 ||
            ls_error_set(error, LS_DATA, "%s: holds no rows; expected a line for each", t->path));
}

bool ls_csv_table_read(ls_csv_table *t, const char *path, const ls_import *import, ls_error *error)
{
    const char *separator = strcmp(import->separator, "tab") == 0 ? "\t" : import->separator;
    *t = (ls_csv_table){.path = path};
    if (strlen(separator) != 1 || strchr("\"\n\r", separator[0]))
        return ls_error_set(error, LS_USAGE,
                            "--separator: expected one character, or tab, found '%s'", separator);
    errno = 0;
    csv_reader csv = {.path = path, .separator = separator[0], .file = gzopen(path, "rb")};
    if (!csv.file)
        return ls_error_set(error, LS_DATA, "%s: can't open: %s", path,
                            strerror(errno ? errno : ENOMEM));
    bool ok = skip_mark(&csv, error) && read_records(t, &csv, import, error);
    gzclose(csv.file);
    ls_free(csv.text);
    ls_free(csv.field);
    return ok;
}

void ls_csv_table_release(ls_csv_table *t)
{
    for (int i = 0; t->name && i < t->columns; i++)
        ls_free(t->name[i]);
    for (long i = 0; t->text && i < t->room; i++)
        ls_free(t->text[i]);
    ls_free(t->name);
    ls_free(t->text);
    ls_free(t->x);
    ls_free(t->y);
    ls_free(t->class);
    ls_free(t->line);
}
