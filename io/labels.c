/* labels: reads the attribute `classes`, and all labels once before they are used. */
#include "io/labels.h"

#include <math.h>
#include <xxhash.h>

enum {
    CLASSES_MAX = 1 << 24, /* labels become reals: float32 holds all whole numbers below it */
    BLOCK_ROWS = 1024
};

bool ls_labels_recognise(ls_split *split, const ls_column *y, ls_error *error)
{
    ls_array *array = &split->y;
    bool single = array->shape.rank == 0 || (array->shape.rank == 1 && array->shape.at[0] == 1);
    bool whole = array->type != LS_F32 && array->type != LS_F64;
    htri_t has = H5Aexists(y->dataset, "classes");
    bool given = has > 0;
    if (has < 0)
        return ls_h5_fail(error, LS_DATA, y->dataset, "attribute classes of %s can't be read",
                          array->path);
    if (!single || (!whole && !given)) {
        if (array->shape.rank == 0)
            array->shape = (ls_shape){.rank = 1, .at = {1}};
        return true;
    }
    array->shape.rank = 0;
    if (!ls_h5_get_long(y->dataset, "classes", &split->classes, &given, error))
        return ls_error_set(error, LS_DATA,
                            "%s: %s: attribute classes is not one whole number; expected 1 to %d",
                            y->file, array->path, (int)CLASSES_MAX);
    if (given && (split->classes < 1 || split->classes > CLASSES_MAX))
        return ls_error_set(error, LS_DATA,
                            "%s: %s has attribute classes=%ld; expected 1 to %d (labels count "
                            "from 0)",
                            y->file, array->path, split->classes, (int)CLASSES_MAX);
    if (array->scale != 1 || array->offset != 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds labels, but has attributes scale=%g, offset=%g; remove "
                            "them, or store targets for regression as float32",
                            y->file, array->path, array->scale, array->offset);
    return true;
}

static bool check_label(const ls_split *split, const ls_column *y, double label, long row,
                        ls_error *error)
{
    long limit = split->classes ? split->classes : CLASSES_MAX;
    if (label >= 0 && label < (double)limit && label == floor(label))
        return true;
    if (label >= 0 && label == floor(label) && split->classes)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds label %.0f at row %ld; expected 0 to %ld (attribute "
                            "classes=%ld)",
                            y->file, split->y.path, label, row, limit - 1, limit);
    return ls_error_set(error, LS_DATA,
                        "%s: %s holds label %.9g at row %ld; expected whole numbers from 0 to %ld",
                        y->file, split->y.path, label, row, limit - 1);
}

bool ls_labels_check(ls_split *split, const ls_column *y, long *largest, ls_error *error)
{
    int64_t rows[BLOCK_ROWS];
    int32_t whole[BLOCK_ROWS];
    real labels[BLOCK_ROWS];
    bool ok = true;
    split->labels = 0;
    for (long first = 0; ok && first < split->y.rows; first += BLOCK_ROWS) {
        long n = split->y.rows - first < BLOCK_ROWS ? split->y.rows - first : BLOCK_ROWS;
        for (long i = 0; i < n; i++)
            rows[i] = first + i;
        ok = ls_column_read(y, rows, n, labels, error);
        for (long i = 0; ok && i < n; i++) {
            ok = check_label(split, y, (double)labels[i], first + i, error);
            whole[i] = ok ? (int32_t)labels[i] : 0;
            *largest = whole[i] > *largest ? whole[i] : *largest;
        }
        split->labels = XXH3_64bits_withSeed(whole, (size_t)n * sizeof *whole, split->labels);
    }
    return ok;
}

bool ls_labels_check_again(const ls_split *split, const ls_column *y, const int64_t *rows, long n,
                           const real *labels, ls_error *error)
{
    for (long i = 0; i < n; i++)
        if (!check_label(split, y, (double)labels[i], (long)rows[i], error))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds label %.9g at row %ld, but all were from 0 to %ld "
                                "when the file was opened: it was written to while in use",
                                y->file, split->y.path, (double)labels[i], (long)rows[i],
                                split->classes - 1);
    return true;
}
