/* csv_table: reads the bytes of a text table into fields, and these into numbers and labels. */
#include "io/import/csv_table.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/safe_text.h"
#include "core/spec.h"
#include "io/import/packed.h"
#include "io/magic.h"

enum { END = -1, FAILED = -2, NO_LABEL = -1 };
/* A table that passes these is none: a quote that is never closed, or a file without lines. */
enum { RECORD_MAX = 1 << 30 /* bytes */, COLUMNS_MAX = 1 << 24 };
enum { BUFFER_BYTES = 1 << 16, FIRST_NUMBERS = 1 << 16 };

/* Reads the records of a text table. */
typedef struct csv_reader {
    const char *path; /* borrowed */
    char separator;
    gzFile file;
    unsigned char *buffer; /* BUFFER_BYTES, of which [at, end) are to be read */
    int at, end;
    long line, lines; /* where the current record begins, from 1; lines read so far */
    int fields;       /* of the current record */
    char *text;       /* the fields one after the other, each ended by 0 */
    size_t *field;    /* [fields] where each begins in text */
    size_t used;      /* bytes of text */
    size_t text_room, field_room;
} csv_reader;

/* Reads on in the file; end = 0 after its last byte. */
static bool fill_buffer(csv_reader *csv, ls_error *error)
{
    int state = Z_OK, code;
    csv->at = 0;
    csv->end = gzread(csv->file, csv->buffer, BUFFER_BYTES);
    gzerror(csv->file, &state);
    if (csv->end > 0 || (csv->end == 0 && (state == Z_OK || state == Z_STREAM_END)))
        return true;
    csv->end = 0;
    const char *reason = ls_packed_reason(csv->file, &code);
    return ls_error_set(error, code, "%s:%ld: can't be read on: %s", csv->path, csv->lines + 1,
                        reason);
}

/* The next byte, which stays; END after the last; FAILED and an error. */
static int peek_byte(csv_reader *csv, ls_error *error)
{
    if (csv->at == csv->end && !fill_buffer(csv, error))
        return FAILED;
    return csv->end == 0 ? END : csv->buffer[csv->at];
}

/* The next byte; END after the last; FAILED and an error. */
static int next_byte(csv_reader *csv, ls_error *error)
{
    if (csv->at < csv->end && csv->buffer[csv->at] != 0)
        return csv->buffer[csv->at++];
    int byte = peek_byte(csv, error);
    csv->at += byte > 0;
    if (byte != 0)
        return byte;
    ls_error_set(error, LS_DATA,
                 "%s:%ld: holds a zero byte; expected a text file (if it is UTF-16, save it as "
                 "UTF-8)",
                 csv->path, csv->lines + 1);
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

static bool put(csv_reader *csv, char byte, ls_error *error)
{
    if (csv->used >= RECORD_MAX)
        return ls_error_set(error, LS_DATA,
                            "%s:%ld: a line of more than %d MiB begins here; expected a line a row "
                            "(is a quote never closed?)",
                            csv->path, csv->line, (int)(RECORD_MAX >> 20));
    csv->text = make_room(csv->text, csv->used, &csv->text_room, 1);
    csv->text[csv->used++] = byte;
    return true;
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
        if (!put(csv, (char)byte, error))
            return FAILED;
    }
}

/* Before Mac OS X lines ended in CR alone. Whether `byte`, outside of quotes, is no such end. */
static bool is_no_lone_return(csv_reader *csv, int byte, ls_error *error)
{
    if (byte != '\r')
        return true;
    int next = peek_byte(csv, error);
    return next == '\n' || next == '\r' || next == END || is_space(csv, next) ||
           (next != FAILED &&
            ls_error_set(error, LS_DATA,
                         "%s:%ld: holds a line end of CR alone; expected LF or CRLF (tr '\\r' "
                         "'\\n' makes them)",
                         csv->path, csv->lines + 1));
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
        if (!is_no_lone_return(csv, byte, error) || !put(csv, (char)byte, error))
            return FAILED;
    while (csv->used > keep &&
           (csv->text[csv->used - 1] == '\r' || is_space(csv, csv->text[csv->used - 1])))
        csv->used--;
    return put(csv, 0, error) ? byte : FAILED;
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
        while (byte >= 0 && byte != '\n' && csv->fields < COLUMNS_MAX);
        if (byte == FAILED)
            return false;
        if (csv->fields == COLUMNS_MAX)
            return ls_error_set(error, LS_DATA,
                                "%s:%ld: has %d columns or more; expected fewer, and a line a row",
                                csv->path, csv->line, (int)COLUMNS_MAX);
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

/* Reads the first bytes: a table must be text. Some programs begin UTF-8 text with a byte order
 * mark of three bytes, which is skipped. */
static bool begin_text(csv_reader *csv, ls_error *error)
{
    if (!fill_buffer(csv, error))
        return false;
    const char *name = ls_magic_name(csv->buffer, (size_t)csv->end);
    if (name)
        return ls_error_set(error, LS_DATA, "%s: is no text table: %sit is %s", csv->path,
                            gzdirect(csv->file) ? "" : "once unpacked, ", name);
    csv->at = csv->end >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return true;
}

/* Whether a name, of a column or a class, can be kept and shown as a line of UTF-8. */
static bool is_clean(const csv_reader *csv, int column, const char *what, ls_error *error)
{
    const char *text = csv->text + csv->field[column];
    size_t length = strlen(text), at = 0;
    char none[1];
    if (ls_safe_text(none, sizeof none, text, length) == length)
        return true;
    char *safe = ls_alloc(length + 1, 1);
    ls_safe_text(safe, length + 1, text, length);
    while (at + 1 < length && safe[at] == text[at])
        at++;
    ls_free(safe);
    unsigned char byte = (unsigned char)text[at], next = (unsigned char)text[at + 1];
    bool control = byte < 0x80 || ((byte == 0xc2 || byte == 0xe2) && (next & 0xc0) == 0x80);
    return ls_error_set(error, LS_DATA, "%s:%ld: column %d holds %s 0x%02x in %s; expected %s",
                        csv->path, csv->line, column + 1,
                        byte == '\n' ? "the line break"
                        : control    ? "the control character"
                                     : "the byte",
                        byte, what,
                        control ? "a name of one line, without control characters"
                                : "UTF-8 (if it is Latin-1: iconv -f LATIN1 -t UTF-8)");
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
        t->names = ls_alloc(csv->used, 1);
        memcpy(t->names, csv->text, csv->used);
        for (int i = 0; i < t->columns; i++) {
            t->name[i] = t->names + csv->field[i];
            if (!is_clean(csv, i, "the name of a column", error))
                return false;
        }
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
    /* By half: what is held then stays near the size of the text. */
    t->room = t->room ? t->room + t->room / 2 + 1 : 1 + FIRST_NUMBERS / t->columns;
    t->x = ls_realloc(t->x, (size_t)t->room * (size_t)t->width, sizeof *t->x);
    t->y = ls_realloc(t->y, (size_t)t->room * (size_t)t->targets, sizeof *t->y);
    t->line = ls_realloc(t->line, (size_t)t->room, sizeof *t->line);
    if (t->label != NO_LABEL)
        t->text = ls_realloc(t->text, (size_t)t->room, sizeof *t->text);
}

int ls_csv_table_input(const ls_csv_table *t, long input)
{
    return (int)input + (t->label != NO_LABEL && input >= t->label);
}

const char *ls_csv_table_column(const ls_csv_table *t, int column, char *text, size_t size)
{
    snprintf(text, size, t->name ? "%d (%.150s)" : "%d", column + 1,
             t->name ? t->name[column] : "");
    return text;
}

/* Refuses a field: "t.csv:7: column 3 (width) holds 'x'; expected a finite number". */
static bool refuse(const ls_csv_table *t, const csv_reader *csv, int column, const char *expected,
                   ls_error *error)
{
    const char *text = field_text(csv, column);
    char name[200];
    return ls_error_set(error, LS_DATA, "%s:%ld: column %s %s%.40s%s; expected %s", t->path,
                        csv->line, ls_csv_table_column(t, column, name, sizeof name),
                        text[0] ? "holds '" : "is empty", text, text[0] ? "'" : "", expected);
}

/* Reads digits alone, which most tables consist of: at most 15, so that a double holds them. */
static bool read_digits(const char *text, double *value)
{
    long number = 0;
    int i = 0;
    for (; i < 15 && text[i] >= '0' && text[i] <= '9'; i++)
        number = 10 * number + (text[i] - '0');
    *value = (double)number;
    return i > 0 && !text[i];
}

static bool read_number(const ls_csv_table *t, const csv_reader *csv, int column, double *number,
                        ls_error *error)
{
    double value;
    const char *text = field_text(csv, column);
    if (!text[0])
        return refuse(t, csv, column, "a number", error);
    if (!read_digits(text, &value) && (!ls_parse_double(text, &value) || !isfinite((float)value)))
        return refuse(t, csv, column,
                      csv->line > 1 || t->name
                          ? "a finite number"
                          : "a finite number; does --header fit? Then line 1 holds names",
                      error);
    *number = value;
    return true;
}

static bool keep_label(ls_csv_table *t, const csv_reader *csv, ls_error *error)
{
    const char *label = field_text(csv, t->label);
    size_t size = strlen(label) + 1;
    if (!label[0])
        return refuse(t, csv, t->label, "a label", error);
    if (!is_clean(csv, t->label, "a label", error))
        return false;
    if (t->labels_used + size > t->labels_room) {
        t->labels_room += t->labels_room / 2 + size + 1024;
        t->labels = ls_realloc(t->labels, t->labels_room, 1);
    }
    t->text[t->rows] = t->labels_used;
    memcpy(t->labels + t->labels_used, label, size);
    t->labels_used += size;
    return true;
}

static bool read_row(ls_csv_table *t, const csv_reader *csv, ls_error *error)
{
    if (csv->fields != t->columns)
        return ls_error_set(error, LS_DATA, "%s:%ld: has %d column(s); expected %d, as above it",
                            t->path, csv->line, csv->fields, t->columns);
    grow(t);
    double *x = t->x + t->rows * t->width, *y = t->y + t->rows * t->targets;
    for (int i = 0; i < t->columns; i++)
        if (i != t->label &&
            !read_number(t, csv, i, i < t->columns - t->targets ? x++ : y++, error))
            return false;
    if (t->label != NO_LABEL && !keep_label(t, csv, error))
        return false;
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
    csv_reader csv = {.path = path, .line = 1, .separator = separator[0]};
    csv.file = ls_packed_open(path, error);
    if (!csv.file)
        return false;
    csv.buffer = ls_alloc(BUFFER_BYTES, 1);
    bool ok = begin_text(&csv, error) && read_records(t, &csv, import, error);
    gzclose(csv.file);
    ls_free(csv.buffer);
    ls_free(csv.text);
    ls_free(csv.field);
    return ok;
}

char *ls_csv_table_label(const ls_csv_table *t, long row)
{
    return t->labels + t->text[row];
}

void ls_csv_table_release(ls_csv_table *t)
{
    ls_free(t->name);
    ls_free(t->names);
    ls_free(t->labels);
    ls_free(t->text);
    ls_free(t->x);
    ls_free(t->y);
    ls_free(t->class);
    ls_free(t->line);
}
