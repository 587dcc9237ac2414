/* csv_file: a text table read byte by byte into fields. */
#include "io/import/csv_file.h"

#include <errno.h>
#include <string.h>

#include "core/memory.h"

enum { END = -1, FAILED = -2, NOTHING = -1 };

/* The next byte; END after the last; FAILED and an error. */
static int next_byte(ls_csv *csv, ls_error *error)
{
    int byte = csv->held;
    csv->held = NOTHING;
    if (byte == NOTHING)
        byte = gzgetc(csv->file);
    if (byte == 0) {
        ls_error_set(error, LS_DATA, "%s:%ld: holds a zero byte; expected a text file", csv->path,
                     csv->lines + 1);
        return FAILED;
    }
    if (byte >= 0)
        return byte;
    int code = Z_OK;
    const char *reason = gzerror(csv->file, &code);
    if (code == Z_OK || code == Z_STREAM_END)
        return END;
    ls_error_set(error, LS_DATA, "%s:%ld: can't be read on: %s", csv->path, csv->lines + 1,
                 code == Z_ERRNO ? strerror(errno) : reason);
    return FAILED;
}

static void put(ls_csv *csv, char byte)
{
    if (csv->used == csv->room) {
        csv->room = csv->room ? 2 * csv->room : 256;
        csv->text = ls_realloc(csv->text, csv->room, 1);
    }
    csv->text[csv->used++] = byte;
}

static void begin_field(ls_csv *csv)
{
    if ((size_t)csv->fields == csv->field_room) {
        csv->field_room = csv->field_room ? 2 * csv->field_room : 32;
        csv->field = ls_realloc(csv->field, csv->field_room, sizeof *csv->field);
    }
    csv->field[csv->fields++] = csv->used;
}

static bool is_space(const ls_csv *csv, int byte)
{
    return (byte == ' ' || byte == '\t') && byte != csv->separator;
}

/* The part of a field in quotes, after the first quote; "" in it stands for one quote. Returns the
 * byte after the last quote, END or FAILED. */
static int read_quoted(ls_csv *csv, ls_error *error)
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
static int read_field(ls_csv *csv, ls_error *error)
{
    begin_field(csv);
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

bool ls_csv_next(ls_csv *csv, bool *more, ls_error *error)
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

const char *ls_csv_field(const ls_csv *csv, int column)
{
    return csv->text + csv->field[column];
}

/* Some programs begin UTF-8 text with a mark of three bytes (the byte order mark). */
static bool skip_mark(ls_csv *csv, ls_error *error)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    int byte = next_byte(csv, error);
    for (size_t i = 0; i < sizeof mark && byte == mark[i]; i++)
        byte = next_byte(csv, error);
    csv->held = byte == END ? NOTHING : byte;
    return byte != FAILED;
}

bool ls_csv_open(ls_csv *csv, const char *path, char separator, ls_error *error)
{
    errno = 0;
    *csv =
        (ls_csv){.path = path, .separator = separator, .held = NOTHING, .file = gzopen(path, "rb")};
    if (!csv->file)
        return ls_error_set(error, LS_DATA, "%s: can't open: %s", path,
                            strerror(errno ? errno : ENOMEM));
    return skip_mark(csv, error);
}

void ls_csv_close(ls_csv *csv)
{
    if (csv->file)
        gzclose(csv->file);
    ls_free(csv->text);
    ls_free(csv->field);
    *csv = (ls_csv){0};
}
