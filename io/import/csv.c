/* csv: import of text tables. csv_table reads them, csv_labels numbers the labels, csv_scale scales
 * the inputs; here rows are split off for validation, and the data set is written. */
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/dataset.h"
#include "io/import/csv_labels.h"
#include "io/import/csv_scale.h"
#include "io/output.h"

/* Columns whose mean and deviation fit into an attribute, which has at most 64 KiB. */
enum { CLASSES_SHOWN = 8, STANDARD_COLUMNS = 8000 };

enum { TRAIN, VALID, TEST, SPLITS };

/* One import: the tables, and what becomes of their labels and numbers. */
typedef struct table_import {
    const ls_import *import;
    FILE *report;
    ls_csv_table table[SPLITS]; /* path NULL: there is none */
    ls_csv_labels labels;
    ls_csv_scale scale;
} table_import;

/* Reads mean, deviation and classes of the data set by which the new rows are scaled and numbered.
 */
static bool read_like(table_import *w, ls_error *error)
{
    const ls_csv_table *train = &w->table[TRAIN];
    w->labels.like = w->scale.like;
    hid_t file = ls_h5_open(w->scale.like, error);
    if (file < 0)
        return false;
    hid_t x = ls_h5_dataset(file, "train/x", error);
    bool ok = x >= 0 && ls_csv_scale_read(&w->scale, x, train, error);
    if (ok && train->text) {
        hid_t y = ls_h5_dataset(file, "train/y", error);
        ok = y >= 0 && ls_csv_labels_read(&w->labels, y, error);
    }
    H5Fclose(file); /* with all that is open in it */
    return ok;
}

/* Moves the rows of train that are chosen for validation to a table of their own. */
static void split_off_valid(table_import *w)
{
    ls_csv_table *train = &w->table[TRAIN], *valid = &w->table[VALID];
    long rows = train->rows, width = train->width, targets = train->targets;
    size_t room = (size_t)w->import->valid;
    *valid = (ls_csv_table){.path = train->path,
                            .columns = train->columns,
                            .label = train->label,
                            .width = width,
                            .targets = targets};
    valid->x = ls_alloc(room * (size_t)width, sizeof *valid->x);
    valid->y = ls_alloc(room * (size_t)targets, sizeof *valid->y);
    valid->class = ls_alloc(room, sizeof *valid->class);
    valid->line = ls_alloc(room, sizeof *valid->line);
    train->rows = 0;
    for (long row = 0; row < rows; row++) {
        ls_csv_table *to = ls_import_in_valid(w->import, rows, row) ? valid : train;
        memmove(to->x + to->rows * width, train->x + row * width, (size_t)width * sizeof *to->x);
        memmove(to->y + to->rows * targets, train->y + row * targets,
                (size_t)targets * sizeof *to->y);
        if (train->class)
            to->class[to->rows] = train->class[row];
        to->line[to->rows] = train->line[row];
        to->rows++;
    }
}

static bool write_labels(const table_import *w, hid_t file, const char *path, const ls_csv_table *t,
                         ls_error *error)
{
    const hsize_t dims[] = {(hsize_t)t->rows};
    if (!ls_h5_write(file, path, H5T_STD_I32LE, H5T_NATIVE_INT, 1, dims, t->class, error))
        return false;
    hid_t y = ls_h5_dataset(file, path, error);
    bool ok = y >= 0 && ls_csv_labels_put(&w->labels, y, error);
    ls_h5_close(y);
    return ok;
}

static bool write_split(const table_import *w, hid_t file, const char *name, const ls_csv_table *t,
                        ls_error *error)
{
    const hsize_t inputs[] = {(hsize_t)t->rows, (hsize_t)t->width};
    const hsize_t targets[] = {(hsize_t)t->rows, (hsize_t)t->targets};
    char x_path[16], y_path[16];
    snprintf(x_path, sizeof x_path, "%s/x", name);
    snprintf(y_path, sizeof y_path, "%s/y", name);
    hid_t x = ls_h5_create_dataset(file, x_path, H5T_IEEE_F32LE, 2, inputs, error), y = -1;
    bool ok = x >= 0 && ls_csv_scale_put(&w->scale, x, &w->table[TRAIN], error);
    if (ok && t->targets) {
        y = ls_h5_create_dataset(file, y_path, H5T_IEEE_F32LE, 2, targets, error);
        ok = y >= 0;
    }
    ok = ok && ls_csv_scale_write(&w->scale, t, x, y, error);
    ls_h5_close(y);
    ls_h5_close(x);
    return ok && (!w->labels.classes || write_labels(w, file, y_path, t, error));
}

static void report_split(const table_import *w, const char *name, const ls_csv_table *t)
{
    const ls_csv_labels *labels = &w->labels;
    ls_print(w->report, "%-5s  x float32 [%ld, %ld]", name, t->rows, t->width);
    if (labels->classes)
        ls_print(w->report, "  y int32 [%ld]  %ld classes", t->rows, labels->classes);
    if (t->targets)
        ls_print(w->report, "  y float32 [%ld, %ld]", t->rows, t->targets);
    for (long i = 0; labels->names && i < labels->classes && i <= CLASSES_SHOWN; i++)
        ls_print(w->report, "%s%s", i ? ", " : ": ", i < CLASSES_SHOWN ? labels->names[i] : "...");
    ls_print(w->report, "\n");
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    const table_import *w = context;
    for (int i = 0; i < SPLITS; i++) {
        const ls_csv_table *t = &w->table[i];
        if (t->rows == 0)
            continue;
        if (!write_split(w, file, ls_split_names[i], t, error))
            return false;
        if (w->report)
            report_split(w, ls_split_names[i], t);
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
    if ((w->scale.standard || w->scale.like) && train->width > STANDARD_COLUMNS)
        return ls_error_set(error, LS_USAGE,
                            "%s: has %ld columns of inputs; --scale %s keeps mean and deviation of "
                            "%d at most: scale them by a factor, or before",
                            train->path, train->width, w->import->scale, (int)STANDARD_COLUMNS);
    return ls_import_check_valid(w->import, train->path, train->rows, error);
}

/* A table without labels has none that --labels-from could move. */
static bool labels_fit(const table_import *w, ls_error *error)
{
    const ls_csv_table *train = &w->table[TRAIN];
    return train->text || w->import->labels_from == 0 ||
           ls_error_set(error, LS_USAGE, "%s: has no column of labels; expected no --labels-from",
                        train->path);
}

static bool read_tables(table_import *w, ls_error *error)
{
    const ls_import *import = w->import;
    const char *const *path = import->file;
    ls_csv_table *train = &w->table[TRAIN], *test = &w->table[TEST];
    return ls_csv_table_read(train, path[0], import, error) &&
           (!path[1] || ls_csv_table_read(test, path[1], import, error)) && tables_fit(w, error) &&
           labels_fit(w, error) && (!w->scale.like || read_like(w, error)) &&
           (!train->text ||
            ls_csv_labels_number(&w->labels, import, train, test, w->report, error));
}

static void scale_tables(table_import *w)
{
    const ls_csv_table *train = &w->table[TRAIN];
    if (w->scale.standard)
        ls_csv_scale_measure(&w->scale, train);
    bool *named = ls_alloc((size_t)(train->width + train->targets), sizeof *named);
    for (int i = 0; i < SPLITS; i++)
        if (w->table[i].rows > 0)
            ls_csv_scale_report(&w->scale, &w->table[i], named, w->report);
    ls_free(named);
}

static bool run(const ls_import *import, FILE *report, ls_error *error)
{
    if (import->label && import->targets)
        return ls_error_set(error, LS_USAGE, "--label and --targets exclude each other");
    table_import w = {.import = import, .report = report};
    bool ok = ls_csv_scale_parse(&w.scale, import->scale, error) &&
              (import->force || ls_atomic_file_absent(import->output, error)) &&
              read_tables(&w, error);
    if (ok) {
        split_off_valid(&w);
        scale_tables(&w);
    }
    ok = ok && ls_output_make(import->output, fill_file, &w, error);
    for (int i = 0; i < SPLITS; i++)
        ls_csv_table_release(&w.table[i]);
    ls_csv_labels_release(&w.labels);
    ls_free(w.scale.mean);
    ls_free(w.scale.deviation);
    return ok;
}

ls_import_run *const ls_import_csv = run;
