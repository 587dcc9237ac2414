/* labels: reads the attribute `classes`, and all labels once before they are used. */
#include "io/labels.h"

#include <math.h>
#include <stdio.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { BLOCK_ROWS = 1024, BLOCK_NUMBERS = 1 << 16 };

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
                            y->file, array->path, (int)LS_CLASSES_MAX);
    if (given && (split->classes < 1 || split->classes > LS_CLASSES_MAX))
        return ls_error_set(error, LS_DATA,
                            "%s: %s has attribute classes=%ld; expected 1 to %d (labels count "
                            "from 0)",
                            y->file, array->path, split->classes, (int)LS_CLASSES_MAX);
    if (array->scale != 1 || array->offset != 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds labels, but has attributes scale=%g, offset=%g; remove "
                            "them, or store targets for regression as float32",
                            y->file, array->path, array->scale, array->offset);
    return true;
}

/* What all rows that were read have in common. */
typedef struct look {
    bool whole;   /* whole numbers from 0 on */
    bool one_hot; /* a single 1, else 0 */
    real largest;
} look;

static void look_at(const real *y, long rows, long width, look *l)
{
    for (long r = 0; r < rows; r++) {
        long ones = 0, others = 0;
        for (long i = 0; i < width; i++) {
            real v = y[r * width + i];
            l->whole = l->whole && v >= 0 && v < LS_CLASSES_MAX && v == (real)floor((double)v);
            l->largest = v > l->largest ? v : l->largest;
            ones += v == 1;
            others += v != 0 && v != 1;
        }
        l->one_hot = l->one_hot && ones == 1 && others == 0;
    }
}

void ls_labels_advise(const ls_split *split, const ls_column *y, char *text, size_t size)
{
    int64_t rows[BLOCK_ROWS];
    long width = ls_shape_count(&split->y.shape);
    look l = {.whole = width == 1, .one_hot = width > 1};
    text[0] = 0;
    if (!split->has_y || split->y.shape.rank == 0)
        return;
    long most = ls_max(1, ls_min(BLOCK_ROWS, BLOCK_NUMBERS / width));
    real *block = ls_alloc((size_t)(most * width), sizeof *block);
    for (long first = 0; (l.whole || l.one_hot) && first < split->y.rows; first += most) {
        long n = ls_min(split->y.rows - first, most);
        for (long i = 0; i < n; i++)
            rows[i] = first + i;
        if (!ls_column_read(y, rows, n, block, NULL))
            l = (look){.largest = 0};
        else
            look_at(block, n, width, &l);
    }
    ls_free(block);
    if (l.one_hot)
        snprintf(text, size,
                 "each row of %s has a single 1: store the classes, y.argmax(1), or let `lockstep "
                 "import h5 %s -o NEW.h5` do it",
                 split->y.path, y->file);
    else if (l.whole)
        snprintf(text, size,
                 "%s holds whole numbers: if they are classes, store them as integers, or set "
                 "y.attrs['classes'] = %ld, or let `lockstep import h5 %s -o NEW.h5` do it",
                 split->y.path, (long)l.largest + 1, y->file);
}

static bool check_label(const ls_split *split, const ls_column *y, double label, long row,
                        ls_error *error)
{
    long limit = split->classes ? split->classes : LS_CLASSES_MAX;
    if (label >= 0 && label < (double)limit && label == floor(label))
        return true;
    if (label >= 0 && label == floor(label) && split->classes)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds label %.0f at row %ld; expected 0 to %ld (attribute "
                            "classes=%ld)",
                            y->file, split->y.path, label, row, limit - 1, limit);
    return ls_error_set(
        error, LS_DATA,
        "%s: %s holds label %.9g at row %ld; expected whole numbers from 0 to %ld%s", y->file,
        split->y.path, label, row, limit - 1, label < 0 ? LS_LABELS_SOME : "");
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
