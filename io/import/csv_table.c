/* csv_table: reads a text table whole: numbers, labels, and the lines they stood on. */
#include "io/import/csv_table.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "io/import/csv_file.h"

/* "column 3 (width)", columns from 1 */
static const char *column_text(const ls_csv_table *t, int column, char *text, size_t size)
{
    if (t->name)
        snprintf(text, size, "column %d (%s)", column + 1, t->name[column]);
    else
        snprintf(text, size, "column %d", column + 1);
    return text;
}

static bool find_label(ls_csv_table *t, const ls_import *import, ls_error *error)
{
    const char *wanted = import->label;
    t->label = wanted || import->targets ? LS_CSV_NO_LABEL : t->columns - 1;
    if (!wanted || strcmp(wanted, "none") == 0)
        return true;
    for (int i = 0; t->name && i < t->columns; i++)
        if (strcmp(t->name[i], wanted) == 0)
            t->label = i;
    long number;
    if (t->label == LS_CSV_NO_LABEL && ls_parse_long(wanted, &number) && number >= 1 &&
        number <= t->columns)
        t->label = (int)number - 1;
    if (t->label != LS_CSV_NO_LABEL)
        return true;
    const char *nearest = t->name ? ls_nearest(wanted, t->name, t->columns, sizeof *t->name) : NULL;
    return ls_error_set(error, LS_USAGE,
                        "%s: has no column '%s' for labels%s%s%s; expected %s1 to %d, or none",
                        t->path, wanted, nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : "", t->name ? "a name of the header, " : "", t->columns);
}

/* From the first record: how many columns there are, and what they are. */
static bool set_columns(ls_csv_table *t, const ls_csv *csv, const ls_import *import,
                        ls_error *error)
{
    t->columns = csv->fields;
    if (import->header) {
        t->name = ls_alloc((size_t)t->columns, sizeof *t->name);
        for (int i = 0; i < t->columns; i++)
            t->name[i] = ls_copy_string(ls_csv_field(csv, i));
    }
    if (!find_label(t, import, error))
        return false;
    t->width = t->columns - (t->label != LS_CSV_NO_LABEL);
    return t->width > import->targets ||
           ls_error_set(
               error, LS_DATA,
               "%s: has %d column(s), of which %ld are targets or labels; expected at "
               "least one more, with what is known of a row (--separator says what parts them)",
               t->path, t->columns, import->targets + (t->label != LS_CSV_NO_LABEL));
}

static void grow(ls_csv_table *t)
{
    if (t->rows < t->room)
        return;
    t->room = t->room ? 2 * t->room : 1024;
    t->numbers = ls_realloc(t->numbers, (size_t)t->room * (size_t)t->width, sizeof *t->numbers);
    t->line = ls_realloc(t->line, (size_t)t->room, sizeof *t->line);
    if (t->label != LS_CSV_NO_LABEL)
        t->text = ls_realloc(t->text, (size_t)t->room, sizeof *t->text);
}

static bool read_number(const ls_csv_table *t, const ls_csv *csv, int column, float *number,
                        ls_error *error)
{
    char where[160];
    double value;
    const char *text = ls_csv_field(csv, column);
    if (text[0] && ls_parse_double(text, &value) && isfinite((float)value)) {
        *number = (float)value;
        return true;
    }
    column_text(t, column, where, sizeof where);
    if (!text[0])
        return ls_error_set(error, LS_DATA, "%s:%ld: %s is empty; expected a number", t->path,
                            csv->line, where);
    const char *hint =
        csv->line == 1 && !t->name ? "; does --header fit? Then line 1 holds names" : "";
    return ls_error_set(error, LS_DATA, "%s:%ld: %s holds '%.40s'; expected a finite number%s",
                        t->path, csv->line, where, text, hint);
}

static bool read_row(ls_csv_table *t, const ls_csv *csv, ls_error *error)
{
    if (csv->fields != t->columns)
        return ls_error_set(error, LS_DATA, "%s:%ld: has %d column(s); expected %d, as above it",
                            t->path, csv->line, csv->fields, t->columns);
    grow(t);
    float *to = t->numbers + t->rows * t->width;
    for (int i = 0; i < t->columns; i++)
        if (i != t->label && !read_number(t, csv, i, to++, error))
            return false;
    char where[160];
    if (t->label != LS_CSV_NO_LABEL && !ls_csv_field(csv, t->label)[0])
        return ls_error_set(error, LS_DATA, "%s:%ld: %s is empty; expected a label", t->path,
                            csv->line, column_text(t, t->label, where, sizeof where));
    if (t->label != LS_CSV_NO_LABEL)
        t->text[t->rows] = ls_copy_string(ls_csv_field(csv, t->label));
    t->line[t->rows++] = csv->line;
    return true;
}

static bool read_records(ls_csv_table *t, ls_csv *csv, const ls_import *import, ls_error *error)
{
    bool more, ok = ls_csv_next(csv, &more, error);
    ok = ok && (!more || set_columns(t, csv, import, error));
    if (ok && more && import->header)
        ok = ls_csv_next(csv, &more, error);
    while (ok && more)
        ok = read_row(t, csv, error) && ls_csv_next(csv, &more, error);
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
    ls_csv csv;
    bool ok = ls_csv_open(&csv, path, separator[0], error) && read_records(t, &csv, import, error);
    ls_csv_close(&csv);
    return ok;
}

void ls_csv_table_release(ls_csv_table *t)
{
    for (int i = 0; t->name && i < t->columns; i++)
        ls_free(t->name[i]);
    for (long i = 0; t->text && i < t->rows; i++)
        ls_free(t->text[i]);
    ls_free(t->name);
    ls_free(t->text);
    ls_free(t->numbers);
    ls_free(t->line);
}
