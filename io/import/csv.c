/* csv: import of text tables: numbers are scaled, labels numbered, rows split off for validation.
 * csv_table has read the tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/spec.h"
#include "io/atomic_file.h"
#include "io/import/csv_table.h"
#include "io/output.h"

enum { CLASSES_MAX = 1 << 24, CLASSES_SHOWN = 8 };

/* One import: the tables, and what becomes of their labels and numbers. */
typedef struct table_import {
    const ls_import *import;
    FILE *report;
    ls_csv_table train, test; /* test.path NULL: none */
    ls_random order;          /* decides which rows of train are for validation */
    long classes;
    /* [classes], sorted, borrowed from train.text or from `known`; NULL: the labels are numbers. */
    char **names;
    char *known;              /* the names of the file `like`, each ended by 0 */
    double scale;             /* attribute of x: 1 unless it is given as a number */
    bool standard;            /* x is brought to mean 0 and deviation 1 by the training rows */
    const char *like;         /* or by the mean and deviation of this file; NULL */
    double *mean, *deviation; /* [columns of x]; NULL: x stays as it is */
} table_import;

/* A whole number below CLASSES_MAX, or -1. */
static long class_number(const char *text)
{
    double value;
    bool whole =
        ls_parse_double(text, &value) && value >= 0 && value < CLASSES_MAX && value == floor(value);
    return whole ? (long)value : -1;
}

/* The largest label + 1; 0 where any of them is no number. */
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

static void collect_names(table_import *w)
{
    w->names = ls_alloc((size_t)w->train.rows, sizeof *w->names);
    memcpy(w->names, w->train.text, (size_t)w->train.rows * sizeof *w->names);
    qsort(w->names, (size_t)w->train.rows, sizeof *w->names, by_bytes);
    for (long i = 0; i < w->train.rows; i++)
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

/* Whether every label of a table is one of the classes, which `from`, a table or data set, has. */
static bool labels_known(const table_import *w, const ls_csv_table *t, const char *from,
                         ls_error *error)
{
    for (long i = 0; i < t->rows; i++) {
        long class = class_of(w, t->text[i]);
        if (class < 0 || class >= w->classes)
            return ls_error_set(error, LS_DATA,
                                "%s:%ld: label '%.60s' does not occur in %s; expected one of its "
                                "%ld labels",
                                t->path, t->line[i], t->text[i], from, w->classes);
    }
    return true;
}

static bool number_classes(table_import *w, ls_error *error)
{
    if (w->train.label == LS_CSV_NO_LABEL)
        return true;
    long train = count_numbers(&w->train), test = w->test.path ? count_numbers(&w->test) : 1;
    const char *from = w->classes ? w->like : w->train.path;
    if (!w->classes && train && test)
        w->classes = train > test ? train : test;
    else if (!w->classes)
        collect_names(w);
    return labels_known(w, &w->train, from, error) && labels_known(w, &w->test, from, error);
}

static bool is_chosen(const table_import *w, long row)
{
    return w->import->valid && ls_random_permute(w->order, (uint64_t)w->train.rows, (uint64_t)row) <
                                   (uint64_t)w->import->valid;
}

static long columns_of_x(const table_import *w)
{
    return w->train.width - w->import->targets;
}

/* The mean and deviation of w->like. */
static bool read_like_scale(table_import *w, hid_t x, ls_error *error)
{
    const char *path = w->like;
    long columns = columns_of_x(w);
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
                            path);
    for (long c = 0; c < columns; c++)
        if (!isfinite(w->mean[c]) || !isfinite(w->deviation[c]) || w->deviation[c] <= 0)
            return ls_error_set(error, LS_DATA,
                                "%s: train/x has mean %g and deviation %g for column %ld; expected "
                                "finite numbers, the deviation above 0",
                                path, w->mean[c], w->deviation[c], c + 1);
    return true;
}

/* The classes of w->like and their names, where they have any: sorted, as bsearch needs them. */
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

/* Takes mean, deviation and classes from w->like: new rows get the form that its rows have. */
static bool read_like(table_import *w, ls_error *error)
{
    hid_t file = ls_h5_open(w->like, error);
    if (file < 0)
        return false;
    hid_t x = ls_h5_dataset(file, "train/x", error);
    bool ok = x >= 0 && read_like_scale(w, x, error);
    if (ok && w->train.label != LS_CSV_NO_LABEL) {
        hid_t y = ls_h5_dataset(file, "train/y", error);
        ok = y >= 0 && read_like_classes(w, y, error);
    }
    H5Fclose(file); /* with all that is open in it */
    return ok;
}

/* Measures mean and deviation of each column of x over the rows that are trained on. A column that
 * is constant, up to the rounding of float32, keeps deviation 1. */
static void measure(table_import *w)
{
    long columns = columns_of_x(w), rows = w->train.rows - w->import->valid;
    w->mean = ls_alloc((size_t)columns, sizeof *w->mean);
    w->deviation = ls_alloc((size_t)columns, sizeof *w->deviation);
    for (long i = 0; i < w->train.rows; i++)
        for (long c = 0; !is_chosen(w, i) && c < columns; c++)
            w->mean[c] += (double)w->train.numbers[i * w->train.width + c];
    for (long c = 0; c < columns; c++)
        w->mean[c] /= (double)rows;
    for (long i = 0; i < w->train.rows; i++)
        for (long c = 0; !is_chosen(w, i) && c < columns; c++) {
            double off = (double)w->train.numbers[i * w->train.width + c] - w->mean[c];
            w->deviation[c] += off * off;
        }
    for (long c = 0; c < columns; c++) {
        w->deviation[c] = sqrt(w->deviation[c] / (double)rows);
        if (w->deviation[c] <= 1e-7 * fabs(w->mean[c]))
            w->deviation[c] = 1;
    }
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

/* The rows of a split, picked out of a table. */
typedef struct picked {
    const long *row; /* [rows] of the table */
    long rows;
    const ls_csv_table *from;
} picked;

static bool write_x(const table_import *w, hid_t file, const char *path, const picked *p,
                    ls_error *error)
{
    long columns = columns_of_x(w);
    hsize_t dims[2] = {(hsize_t)p->rows, (hsize_t)columns};
    const hid_t type = H5T_NATIVE_DOUBLE;
    float *x = ls_alloc((size_t)p->rows * (size_t)columns, sizeof *x);
    for (long i = 0; i < p->rows; i++)
        for (long c = 0; c < columns; c++) {
            float value = p->from->numbers[p->row[i] * p->from->width + c];
            x[i * columns + c] =
                w->mean ? (float)(((double)value - w->mean[c]) / w->deviation[c]) : value;
        }
    hid_t dataset = ls_h5_create_dataset(file, path, H5T_IEEE_F32LE, 2, dims, error);
    bool ok = dataset >= 0 && ls_h5_write_rows(dataset, H5T_NATIVE_FLOAT, 0, p->rows, x, error) &&
              ls_h5_put_double(dataset, "scale", w->scale, error) &&
              ls_h5_put_double(dataset, "offset", 0, error);
    if (ok && w->mean)
        ok = ls_h5_put_numbers(dataset, "column_mean", type, columns, w->mean, error) &&
             ls_h5_put_numbers(dataset, "column_deviation", type, columns, w->deviation, error);
    ls_h5_close(dataset);
    ls_free(x);
    return ok;
}

static bool write_labels(const table_import *w, hid_t file, const char *path, const picked *p,
                         ls_error *error)
{
    hsize_t dims[1] = {(hsize_t)p->rows};
    int32_t *y = ls_alloc((size_t)p->rows, sizeof *y);
    for (long i = 0; i < p->rows; i++)
        y[i] = (int32_t)class_of(w, p->from->text[p->row[i]]);
    hid_t dataset = ls_h5_create_dataset(file, path, H5T_STD_I32LE, 1, dims, error);
    bool ok = dataset >= 0 && ls_h5_write_rows(dataset, H5T_NATIVE_INT32, 0, p->rows, y, error) &&
              ls_h5_put_long(dataset, "classes", w->classes, error) &&
              (!w->names || put_names(dataset, w, error));
    ls_h5_close(dataset);
    ls_free(y);
    return ok;
}

static bool write_targets(const table_import *w, hid_t file, const char *path, const picked *p,
                          ls_error *error)
{
    long targets = w->import->targets;
    hsize_t dims[2] = {(hsize_t)p->rows, (hsize_t)targets};
    float *y = ls_alloc((size_t)p->rows * (size_t)targets, sizeof *y);
    for (long i = 0; i < p->rows; i++)
        memcpy(y + i * targets, p->from->numbers + (p->row[i] + 1) * p->from->width - targets,
               (size_t)targets * sizeof *y);
    bool ok = ls_h5_write(file, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, y, error);
    ls_free(y);
    return ok;
}

static void report_split(const table_import *w, const char *split, long rows)
{
    if (!w->report)
        return;
    fprintf(w->report, "%-5s  x float32 [%ld, %ld]", split, rows, columns_of_x(w));
    if (w->classes)
        fprintf(w->report, "  y int32 [%ld]  %ld classes", rows, w->classes);
    if (w->import->targets)
        fprintf(w->report, "  y float32 [%ld, %ld]", rows, w->import->targets);
    for (long i = 0; w->names && i < w->classes && i <= CLASSES_SHOWN; i++)
        fprintf(w->report, "%s%s", i ? ", " : ": ", i < CLASSES_SHOWN ? w->names[i] : "...");
    fprintf(w->report, "\n");
}

/* Writes the rows of a table that are chosen for validation, or those that are not. */
static bool write_split(const table_import *w, hid_t file, const char *split,
                        const ls_csv_table *from, bool chosen, ls_error *error)
{
    char path[16];
    long *row = ls_alloc((size_t)from->rows, sizeof *row);
    picked p = {.row = row, .from = from};
    for (long i = 0; i < from->rows; i++)
        if (from == &w->test || is_chosen(w, i) == chosen)
            row[p.rows++] = i;
    snprintf(path, sizeof path, "%s/x", split);
    bool ok = write_x(w, file, path, &p, error);
    snprintf(path, sizeof path, "%s/y", split);
    if (ok && w->classes)
        ok = write_labels(w, file, path, &p, error);
    else if (ok && w->import->targets)
        ok = write_targets(w, file, path, &p, error);
    if (ok)
        report_split(w, split, p.rows);
    ls_free(row);
    return ok;
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    const table_import *w = context;
    return write_split(w, file, "train", &w->train, false, error) &&
           (!w->import->valid || write_split(w, file, "valid", &w->train, true, error)) &&
           (!w->test.path || write_split(w, file, "test", &w->test, false, error));
}

static bool tables_fit(const table_import *w, ls_error *error)
{
    if (w->test.path && w->test.columns != w->train.columns)
        return ls_error_set(error, LS_DATA, "%s: has %d columns, but %s has %d; expected as many",
                            w->test.path, w->test.columns, w->train.path, w->train.columns);
    for (int i = 0; w->train.name && w->test.name && i < w->train.columns; i++)
        if (strcmp(w->train.name[i], w->test.name[i]) != 0)
            return ls_error_set(error, LS_DATA,
                                "%s: column %d is '%s', but '%s' in %s; expected the same "
                                "columns in the same order",
                                w->test.path, i + 1, w->test.name[i], w->train.name[i],
                                w->train.path);
    if (w->import->valid < w->train.rows)
        return true;
    return ls_error_set(error, LS_USAGE,
                        "%s: holds %ld rows, %ld can't be split off for validation; expected 0 to "
                        "%ld",
                        w->train.path, w->train.rows, w->import->valid, w->train.rows - 1);
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
    return ls_csv_table_read(&w->train, import->file[0], import, error) &&
           (!import->file[1] || ls_csv_table_read(&w->test, import->file[1], import, error)) &&
           tables_fit(w, error);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    if (import->label && import->targets)
        return ls_error_set(error, LS_USAGE, "--label and --targets exclude each other");
    table_import w = {.import = import,
                      .report = report,
                      .order = ls_random_stream((uint64_t)import->seed, LS_RANDOM_SPLIT, 0, 0, 0)};
    bool ok =
        read_scale(&w, error) && (import->force || ls_atomic_file_absent(import->output, error)) &&
        read_tables(&w, error) && (!w.like || read_like(&w, error)) && number_classes(&w, error);
    if (ok && w.standard)
        measure(&w);
    ok = ok && ls_output_make(import->output, fill_file, &w, error);
    ls_csv_table_release(&w.train);
    ls_csv_table_release(&w.test);
    ls_free(w.names);
    ls_free(w.known);
    ls_free(w.mean);
    ls_free(w.deviation);
    return ok;
}

ls_import_run *const ls_import_csv = run;
