/* h5_targets: looks at all of y once to decide what it holds. */
#include "io/import/h5_targets.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"

/* The label of a row of y; -1: it has none. */
static double label_of(const ls_h5_targets *t, const ls_h5_rows *y, const double *row)
{
    if (t->meaning == LS_H5_LABELS) {
        double label = row[0] - (double)t->first;
        return label >= 0 && label < LS_CLASSES_MAX && label == floor(label) ? label : -1;
    }
    long found = -1;
    for (long i = 0; i < y->width; i++) {
        if (row[i] != 0 && (row[i] != 1 || found >= 0))
            return -1;
        found = row[i] == 1 ? i : found;
    }
    return (double)found;
}

/* Whether the number of one column stands for no label. */
static bool is_ignored(const ls_h5_targets *t, double number)
{
    return t->meaning == LS_H5_LABELS && t->ignores && number == (double)t->ignore;
}

/* Whether all rows have a label, as t->meaning says, or are to have none: *all. */
static bool scan(const ls_h5_targets *t, const ls_h5_rows *y, bool *all, ls_error *error)
{
    bool ok = true;
    ls_classes classes = {0};
    double *numbers = ls_alloc((size_t)(y->block * y->width), sizeof *numbers);
    *all = true;
    for (long first = 0, n; ok && *all && first < y->rows; first += n) {
        n = y->rows - first < y->block ? y->rows - first : y->block;
        ok = ls_h5_rows_read_doubles(y, first, n, numbers, error);
        for (long i = 0; ok && *all && i < n; i++) {
            bool ignored = is_ignored(t, numbers[i * y->width]);
            double label = label_of(t, y, numbers + i * y->width);
            *all = ignored || label >= 0;
            if (*all && !ignored)
                ls_classes_add(&classes, (long)label);
        }
    }
    *all = *all && !ls_classes_sparse(&classes);
    ls_free(classes.count);
    ls_free(numbers);
    return ok;
}

/* Whether y has a scale or an offset, as only targets have. */
static bool is_scaled(const ls_h5_rows *y, bool *scaled, ls_error *error)
{
    double scale = 1, offset = 0;
    bool present;
    if (!ls_h5_get_double(y->dataset, "scale", &scale, &present, error) ||
        !ls_h5_get_double(y->dataset, "offset", &offset, &present, error))
        return false;
    *scaled = scale != 1 || offset != 0;
    return true;
}

bool ls_h5_targets_decide(ls_h5_targets *t, const ls_h5_rows *y, const ls_import *import,
                          FILE *report, ls_error *error)
{
    bool labels = import->y && strcmp(import->y, "labels") == 0, scaled, all, given;
    *t = (ls_h5_targets){.meaning = LS_H5_TARGETS, .first = import->labels_from, .largest = -1};
    if (import->y && !labels && strcmp(import->y, "targets") != 0)
        return ls_error_set(error, LS_USAGE, "--y: expected labels or targets, found '%s'",
                            import->y);
    if (!ls_h5_get_long(y->dataset, "classes", &t->given, &given, error) ||
        !ls_h5_get_long(y->dataset, "ignore", &t->ignore, &t->ignores, error) ||
        !is_scaled(y, &scaled, error))
        return false;
    if (t->ignores && (t->ignore >= LS_CLASSES_MAX || t->ignore <= -LS_CLASSES_MAX))
        return ls_h5_fail(error, LS_DATA, y->dataset,
                          "%s has attribute ignore=%ld; expected more than %d and less than %d",
                          y->path, t->ignore, -(int)LS_CLASSES_MAX, (int)LS_CLASSES_MAX);
    if (given && (t->given < 1 || t->given > LS_CLASSES_MAX))
        return ls_h5_fail(error, LS_DATA, y->dataset,
                          "%s has attribute classes=%ld; expected 1 to %d", y->path, t->given,
                          (int)LS_CLASSES_MAX);
    if (labels && scaled)
        return ls_h5_fail(error, LS_DATA, y->dataset,
                          "%s has a scale or an offset: labels have none", y->path);
    bool floats = y->type == LS_F32 || y->type == LS_F64, single = y->width == 1;
    if (scaled || (import->y && !labels))
        return true;
    t->meaning = single ? LS_H5_LABELS : LS_H5_ONE_HOT;
    if (!single && !given) /* each column stands for a class, also one that no row is of */
        t->given = y->width;
    /* Labels of steps, unless each row turns out to be a single 1 among zeros. */
    const bool steps = given && !single && !floats;
    if ((labels && !steps) || (single && (!floats || given)))
        return true;
    if (!scan(t, y, &all, error))
        return false;
    if (!all || (steps && t->given != y->width))
        t->meaning = steps ? LS_H5_STEPS : LS_H5_TARGETS;
    else if (report && single)
        ls_print(report, "note: %s: %s whole numbers become labels; --y targets keeps numbers\n",
                 y->path, ls_dtype_name(y->type));
    else if (report)
        ls_print(report,
                 "note: %s: the place of the 1 among %ld columns becomes the label; --y "
                 "targets keeps the columns\n",
                 y->path, y->width);
    return true;
}

bool ls_h5_targets_numbered(const ls_h5_targets *t)
{
    return t->meaning == LS_H5_LABELS || t->meaning == LS_H5_STEPS;
}

bool ls_h5_targets_labels(ls_h5_targets *t, const ls_h5_rows *y, long first, long n,
                          double *numbers, int32_t *labels, ls_classes *classes, ls_error *error)
{
    if (!ls_h5_rows_read_doubles(y, first, n, numbers, error))
        return false;
    for (long i = 0; i < n; i++) {
        double label = label_of(t, y, numbers + i * y->width);
        if (is_ignored(t, numbers[i * y->width])) {
            labels[i] = (int32_t)(t->ignore - t->first);
            continue;
        }
        if (label < 0 && t->meaning == LS_H5_ONE_HOT)
            return ls_h5_fail(error, LS_DATA, y->dataset,
                              "%s: row %ld is not one 1 among zeros, as labels in %ld columns are; "
                              "--y targets takes them as targets",
                              y->path, first + i, y->width);
        if (label < 0 || (t->given && label >= (double)t->given))
            return ls_h5_fail(error, LS_DATA, y->dataset,
                              "%s holds label %.9g at row %ld; expected whole numbers from %ld to "
                              "%ld, or --y targets",
                              y->path, numbers[i * y->width], first + i, t->first,
                              t->first + (t->given ? t->given : LS_CLASSES_MAX) - 1);
        labels[i] = (int32_t)label;
        t->largest = labels[i] > t->largest ? labels[i] : t->largest;
        ls_classes_add(classes, labels[i]);
    }
    return true;
}
