/* csv: import of text tables: numbers are scaled, labels numbered, rows split off for validation.
 * csv_table has read the tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/spec.h"
#include "io/atomic_file.h"
#include "io/import/csv_table.h"
#include "io/output.h"

enum { CLASSES_MAX = 1 << 24, CLASSES_SHOWN = 8 };

enum { TRAIN, VALID, TEST, SPLITS };
static const char *const split_names[] = {"train", "valid", "test"};

/* One import: the tables, and what becomes of their labels and numbers. */
typedef struct table_import {
    const ls_import *import;
    FILE *report;
    ls_csv_table table[SPLITS]; /* path NULL: there is none */
    long classes;               /* 0: there are no labels */
    /* [classes], sorted, borrowed from train's text or from `known`; NULL: labels are numbers. */
    char **names;
    char *known;              /* the names of the file `like`, each ended by 0 */
    double scale;             /* attribute of x: 1 unless it is given as a number */
    bool standard;            /* x is brought to mean 0 and deviation 1 by the training rows */
    const char *like;         /* or by the mean and deviation of this file; NULL */
    double *mean, *deviation; /* [width of x]; NULL: x stays as it is */
} table_import;

/* A whole number below CLASSES_MAX, or -1. */
static long class_number(const char *text)
{
    double value;
    bool whole =
        ls_parse_double(text, &value) && value >= 0 && value < CLASSES_MAX && value == floor(value);
    return whole ? (long)value : -1;
}

/* The largest label + 1; 0 where any label is no such number. */
static long count_numbers(const ls_csv_table *t)
{
    long largest = -1;
    for (long i = 0; i < t->rows; i++) {
        long number = class_number(t->text[i]);
        if (number < 0)
            return 0;
        largest = number > largest ? number : largest;
    }
    return largest + 1;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void collect_names(table_import *w, const ls_csv_table *t)
{
    w->names = ls_alloc((size_t)t->rows, sizeof *w->names);
    memcpy(w->names, t->text, (size_t)t->rows * sizeof *w->names);
    qsort(w->names, (size_t)t->rows, sizeof *w->names, by_bytes);
    for (long i = 0; i < t->rows; i++)
        if (w->classes == 0 || strcmp(w->names[w->classes - 1], w->names[i]) != 0)
            w->names[w->classes++] = w->names[i];
}

static long class_of(const table_import *w, char *text)
{
    if (!w->names)
        return class_number(text);
    char **found = bsearch(&text, w->names, (size_t)w->classes, sizeof *w->names, by_bytes);
    return found ? found - w->names : -1;
}

/* Fills t->class. Each label must be one of the classes that `from`, a table or data set, has. */
static bool number_labels(const table_import *w, ls_csv_table *t, const char *from, ls_error *error)
{
    t->class = ls_alloc((size_t)t->rows, sizeof *t->class);
    for (long i = 0; i < t->rows; i++) {
        long class = class_of(w, t->text[i]);
        if (class < 0 || class >= w->classes)
            return ls_error_set(error, LS_DATA,
                                "%s:%ld: label '%.60s' does not occur in %s; expected one of its "
                                "%ld labels",
                                t->path, t->line[i], t->text[i], from, w->classes);
        t->class[i] = (int)class;
    }
    return true;
}

static bool number_classes(table_import *w, ls_error *error)
{
    ls_csv_table *train = &w->table[TRAIN], *test = &w->table[TEST];
    if (!train->text)
        return true;
    long numbers = count_numbers(train), more = test->path ? count_numbers(test) : 1;
    const char *from = w->classes ? w->like : train->path;
    if (!w->classes && numbers && more)
        w->classes = numbers > more ? numbers : more;
    else if (!w->classes)
        collect_names(w, train);
    return number_labels(w, train, from, error) && number_labels(w, test, from, error);
}

/* The mean and deviation of w->like. */
static bool read_like_scale(table_import *w, hid_t x, ls_error *error)
{
    long columns = w->table[TRAIN].width;
    bool mean, deviation;
    const hid_t type = H5T_NATIVE_DOUBLE;
    w->mean = ls_alloc((size_t)columns, sizeof *w->mean);
    w->deviation = ls_alloc((size_t)columns, sizeof *w->deviation);
    if (!ls_h5_get_numbers(x, "column_mean", type, columns, w->mean, &mean, error) ||
        !ls_h5_get_numbers(x, "column_deviation", type, columns, w->deviation, &deviation, error))
        return false;
    if (!mean || !deviation)
        return ls_error_set(error, LS_DATA,
                            "%s: train/x has no attributes column_mean and column_deviation; "
                            "expected a file that import csv made with --scale standard",
                            w->like);
    for (long c = 0; c < columns; c++)
        if (!isfinite(w->mean[c]) || !isfinite(w->deviation[c]) || w->deviation[c] <= 0)
            return ls_error_set(error, LS_DATA,
                                "%s: train/x has mean %g and deviation %g for column %ld; expected "
                                "finite numbers, the deviation above 0",
                                w->like, w->mean[c], w->deviation[c], c + 1);
    return true;
}

/* The classes of w->like and their names, if it has any: sorted, as bsearch needs them. */
static bool read_like_classes(table_import *w, hid_t y, ls_error *error)
{
    bool present;
    if (!ls_h5_get_long(y, "classes", &w->classes, &present, error) ||
        !ls_h5_get_text(y, "class_names", &w->known, &present, error))
        return false;
    bool ok = w->classes >= 1 && w->classes <= CLASSES_MAX;
    char *rest = w->known;
    if (ok && rest)
        w->names = ls_alloc((size_t)w->classes, sizeof *w->names);
    for (long i = 0; ok && w->names && i < w->classes; i++) {
        ok = rest != NULL;
        w->names[i] = strsep(&rest, "\n");
        ok = ok && (i == 0 || strcmp(w->names[i - 1], w->names[i]) < 0);
    }
    return (ok && !rest) ||
           ls_error_set(error, LS_DATA,
                        "%s: train/y has attributes classes=%ld and class_names that do not fit; "
                        "expected 1 to %d, and as many names in the order of their bytes, a line "
                        "each",
                        w->like, w->classes, (int)CLASSES_MAX);
}

/* Reads mean, deviation and classes of w->like, by which the new rows are scaled and numbered. */
static bool read_like(table_import *w, ls_error *error)
{
    hid_t file = ls_h5_open(w->like, error);
    if (file < 0)
        return false;
    hid_t x = ls_h5_dataset(file, "train/x", error);
    bool ok = x >= 0 && read_like_scale(w, x, error);
    if (ok && w->table[TRAIN].text) {
        hid_t y = ls_h5_dataset(file, "train/y", error);
        ok = y >= 0 && read_like_classes(w, y, error);
    }
    H5Fclose(file); /* with all that is open in it */
    return ok;
}

/* Moves the rows of train that are chosen for validation to a table of their own. */
static void split_off_valid(table_import *w)
{
    ls_csv_table *train = &w->table[TRAIN], *valid = &w->table[VALID];
    long rows = train->rows, width = train->width, targets = train->targets;
    *valid = (ls_csv_table){.path = train->path, .width = width, .targets = targets};
    valid->x = ls_alloc((size_t)(w->import->valid * width), sizeof *valid->x);
    valid->y = ls_alloc((size_t)(w->import->valid * targets), sizeof *valid->y);
    valid->class = ls_alloc((size_t)w->import->valid, sizeof *valid->class);
    train->rows = 0;
    for (long row = 0; row < rows; row++) {
        ls_csv_table *to = ls_import_in_valid(w->import, rows, row) ? valid : train;
        memmove(to->x + to->rows * width, train->x + row * width, (size_t)width * sizeof *to->x);
        memmove(to->y + to->rows * targets, train->y + row * targets,
                (size_t)targets * sizeof *to->y);
        if (train->class)
            to->class[to->rows] = train->class[row];
        to->rows++;
    }
}

/* Measures mean and deviation of each column of x. A column that is constant, up to the rounding of
 * float32, keeps deviation 1. */
static void measure(table_import *w, const ls_csv_table *t)
{
    w->mean = ls_alloc((size_t)t->width, sizeof *w->mean);
    w->deviation = ls_alloc((size_t)t->width, sizeof *w->deviation);
    for (long i = 0; i < t->rows * t->width; i++)
        w->mean[i % t->width] += (double)t->x[i];
    for (long c = 0; c < t->width; c++)
        w->mean[c] /= (double)t->rows;
    for (long i = 0; i < t->rows * t->width; i++) {
        double off = (double)t->x[i] - w->mean[i % t->width];
        w->deviation[i % t->width] += off * off;
    }
    for (long c = 0; c < t->width; c++) {
        w->deviation[c] = sqrt(w->deviation[c] / (double)t->rows);
        if (w->deviation[c] <= 1e-7 * fabs(w->mean[c]))
            w->deviation[c] = 1;
    }
}

static void standardize(const table_import *w, ls_csv_table *t)
{
    for (long i = 0; i < t->rows * t->width; i++)
        t->x[i] = (float)(((double)t->x[i] - w->mean[i % t->width]) / w->deviation[i % t->width]);
}

static bool put_names(hid_t y, const table_import *w, ls_error *error)
{
    size_t size = 1, used = 0;
    for (long i = 0; i < w->classes; i++)
        size += strlen(w->names[i]) + 1;
    char *text = ls_alloc(size, 1);
    for (long i = 0; i < w->classes; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "\n" : "", w->names[i]);
    bool ok = ls_h5_put_text(y, "class_names", text, error);
    ls_free(text);
    return ok;
}

static bool write_x(const table_import *w, hid_t file, const char *path, const ls_csv_table *t,
                    ls_error *error)
{
    const hid_t type = H5T_NATIVE_DOUBLE;
    const hsize_t dims[] = {(hsize_t)t->rows, (hsize_t)t->width};
    if (!ls_h5_write(file, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, t->x, error))
        return false;
    hid_t x = ls_h5_dataset(file, path, error);
    bool ok = x >= 0 && ls_h5_put_double(x, "scale", w->scale, error) &&
              ls_h5_put_double(x, "offset", 0, error);
    if (ok && w->mean)
        ok = ls_h5_put_numbers(x, "column_mean", type, t->width, w->mean, error) &&
             ls_h5_put_numbers(x, "column_deviation", type, t->width, w->deviation, error);
    ls_h5_close(x);
    return ok;
}

static bool write_labels(const table_import *w, hid_t file, const char *path, const ls_csv_table *t,
                         ls_error *error)
{
    const hsize_t dims[] = {(hsize_t)t->rows};
    if (!ls_h5_write(file, path, H5T_STD_I32LE, H5T_NATIVE_INT, 1, dims, t->class, error))
        return false;
    hid_t y = ls_h5_dataset(file, path, error);
    bool ok = y >= 0 && ls_h5_put_long(y, "classes", w->classes, error) &&
              (!w->names || put_names(y, w, error));
    ls_h5_close(y);
    return ok;
}

static bool write_targets(hid_t file, const char *path, const ls_csv_table *t, ls_error *error)
{
    const hsize_t dims[] = {(hsize_t)t->rows, (hsize_t)t->targets};
    return ls_h5_write(file, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, t->y, error);
}

static void report_split(const table_import *w, const char *name, const ls_csv_table *t)
{
    ls_print(w->report, "%-5s  x float32 [%ld, %ld]", name, t->rows, t->width);
    if (w->classes)
        ls_print(w->report, "  y int32 [%ld]  %ld classes", t->rows, w->classes);
    if (t->targets)
        ls_print(w->report, "  y float32 [%ld, %ld]", t->rows, t->targets);
    for (long i = 0; w->names && i < w->classes && i <= CLASSES_SHOWN; i++)
        ls_print(w->report, "%s%s", i ? ", " : ": ", i < CLASSES_SHOWN ? w->names[i] : "...");
    ls_print(w->report, "\n");
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    const table_import *w = context;
    for (int i = 0; i < SPLITS; i++) {
        const ls_csv_table *t = &w->table[i];
        char x[16], y[16];
        snprintf(x, sizeof x, "%s/x", split_names[i]);
        snprintf(y, sizeof y, "%s/y", split_names[i]);
        if (t->rows == 0)
            continue;
        if (!write_x(w, file, x, t, error) || (w->classes && !write_labels(w, file, y, t, error)) ||
            (t->targets && !write_targets(file, y, t, error)))
            return false;
        if (w->report)
            report_split(w, split_names[i], t);
    }
    return true;
}

static bool tables_fit(const table_import *w, ls_error *error)
{
    const ls_csv_table *train = &w->table[TRAIN], *test = &w->table[TEST];
    if (test->path && test->columns != train->columns)
        return ls_error_set(error, LS_DATA, "%s: has %d columns, but %s has %d; expected as many",
                            test->path, test->columns, train->path, train->columns);
    for (int i = 0; train->name && test->name && i < train->columns; i++)
        if (strcmp(train->name[i], test->name[i]) != 0)
            return ls_error_set(error, LS_DATA,
                                "%s: column %d is '%s', but '%s' in %s; expected the same "
                                "columns in the same order",
                                test->path, i + 1, test->name[i], train->name[i], train->path);
    return ls_import_check_valid(w->import, train->path, train->rows, error);
}

/* What --scale says: a factor, `standard`, or a file that was made with `standard`. */
static bool read_scale(table_import *w, ls_error *error)
{
    const char *text = w->import->scale;
    size_t length = strlen(text);
    w->scale = 1;
    w->standard = strcmp(text, "standard") == 0;
    w->like = length > 3 && strcmp(text + length - 3, ".h5") == 0 ? text : NULL;
    return w->standard || w->like || (ls_parse_double(text, &w->scale) && w->scale != 0) ||
           ls_error_set(error, LS_USAGE,
                        "--scale: expected a number other than 0, standard, or FILE.h5, found '%s'",
                        text);
}

static bool read_tables(table_import *w, ls_error *error)
{
    const ls_import *import = w->import;
    const char *const *path = import->file;
    return ls_csv_table_read(&w->table[TRAIN], path[0], import, error) &&
           (!path[1] || ls_csv_table_read(&w->table[TEST], path[1], import, error)) &&
           tables_fit(w, error) && (!w->like || read_like(w, error)) && number_classes(w, error);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    if (import->label && import->targets)
        return ls_error_set(error, LS_USAGE, "--label and --targets exclude each other");
    table_import w = {.import = import, .report = report};
    bool ok = read_scale(&w, error) &&
              (import->force || ls_atomic_file_absent(import->output, error)) &&
              read_tables(&w, error);
    if (ok)
        split_off_valid(&w);
    if (ok && w.standard)
        measure(&w, &w.table[TRAIN]);
    for (int i = 0; ok && w.mean && i < SPLITS; i++)
        standardize(&w, &w.table[i]);
    ok = ok && ls_output_make(import->output, fill_file, &w, error);
    for (int i = 0; i < SPLITS; i++)
        ls_csv_table_release(&w.table[i]);
    ls_free(w.names);
    ls_free(w.known);
    ls_free(w.mean);
    ls_free(w.deviation);
    return ok;
}

ls_import_run *const ls_import_csv = run;
