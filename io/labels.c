/* labels: reads the attribute `classes`, and all labels once before they are used. */
#include "io/labels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/minmax.h"

enum { BLOCK_ROWS = 8192, BLOCK_NUMBERS = 1 << 16 };

/* The attribute `ignore`. */
static bool read_ignore(ls_split *split, const ls_column *y, ls_error *error)
{
    const long limit = LS_CLASSES_MAX;
    return ls_h5_get_long(y->dataset, "ignore", &split->ignore, &split->ignores, error) &&
           (!split->ignores || (split->ignore > -limit && split->ignore < limit) ||
            ls_error_set(error, LS_DATA, "%s: %s has attribute ignore=%ld; expected %ld to %ld",
                         y->file, split->y.path, split->ignore, -limit + 1, limit - 1));
}

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
    if (!given && (!single || !whole) && H5Aexists(y->dataset, "ignore") > 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s has an attribute ignore, but holds no labels: these are whole "
                            "numbers, or have the attribute classes",
                            y->file, array->path);
    if (!given && (!single || !whole)) {
        if (array->shape.rank == 0)
            array->shape = (ls_shape){.rank = 1, .at = {1}};
        return true;
    }
    array->shape.rank = single ? 0 : array->shape.rank;
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
    return read_ignore(split, y, error);
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
    if (!split->has_y || split->labelled)
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

/* Whether the labels are the tokens of a stream. */
static bool is_stream(const ls_split *split)
{
    return strcmp(split->x.path, split->y.path) == 0;
}

/* "row 3", or "row 3, step 5" where each step has a label, or "token 3": of the i-th label. */
static const char *place_of(const ls_split *split, const int64_t *rows, long i, char text[64])
{
    const long steps = ls_shape_count(&split->y.shape);
    if (is_stream(split))
        snprintf(text, 64, "token %ld",
                 (long)rows[i / steps] * steps + i % steps + (split->y.shape.rank > 0));
    else if (split->y.shape.rank == 0)
        snprintf(text, 64, "row %ld", (long)rows[i]);
    else
        snprintf(text, 64, "row %ld, step %ld", (long)rows[i / steps], i % steps);
    return text;
}

static bool is_label(const ls_split *split, double label)
{
    const long limit = split->classes ? split->classes : LS_CLASSES_MAX;
    return label >= 0 && label < (double)limit && label == floor(label);
}

static bool is_ignored(const ls_split *split, double label)
{
    return split->ignores && label == (double)split->ignore;
}

static bool refuse_label(const ls_split *split, const ls_column *y, double label, const char *place,
                         ls_error *error)
{
    const long limit = split->classes ? split->classes : LS_CLASSES_MAX;
    if (is_stream(split))
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds %.9g at %s; expected tokens: whole numbers from 0 to %ld",
                            y->file, split->y.path, label, place, limit - 1);
    if (label >= 0 && label == floor(label) && split->classes)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds label %.0f at %s; expected 0 to %ld (attribute "
                            "classes=%ld)",
                            y->file, split->y.path, label, place, limit - 1, limit);
    const char *none = "";
    if (label < 0)
        none = split->y.shape.rank == 0
                   ? LS_LABELS_SOME "; or y.attrs['ignore'] names the number that stands for none"
                   : ". If it stands for no label, let y.attrs['ignore'] be this number";
    return ls_error_set(error, LS_DATA,
                        "%s: %s holds label %.9g at %s; expected whole numbers from 0 to %ld%s",
                        y->file, split->y.path, label, place, limit - 1, none);
}

/* Checks the labels of these rows, and adds them to digest and *largest. */
static bool check_block(ls_split *split, const ls_column *y, const int64_t *rows, long count,
                        const real *labels, long *largest, ls_error *error)
{
    char place[64];
    int32_t *whole = ls_alloc((size_t)count, sizeof *whole);
    bool ok = true;
    for (long i = 0; ok && i < count; i++) {
        const bool ignored = is_ignored(split, (double)labels[i]);
        ok = ignored || is_label(split, (double)labels[i]) ||
             refuse_label(split, y, (double)labels[i], place_of(split, rows, i, place), error);
        whole[i] = !ok ? 0 : ignored ? -1 : (int32_t)labels[i];
        *largest = ls_max(*largest, whole[i]);
    }
    split->labels = XXH3_64bits_withSeed(whole, (size_t)count * sizeof *whole, split->labels);
    ls_free(whole);
    return ok;
}

bool ls_labels_check(ls_split *split, const ls_column *y, long *largest, ls_error *error)
{
    int64_t rows[BLOCK_ROWS];
    const long steps = ls_shape_count(&split->y.shape);
    const long most = ls_max(1, ls_min(BLOCK_ROWS, BLOCK_NUMBERS / steps));
    real *labels = ls_alloc((size_t)(most * steps), sizeof *labels);
    bool ok = true;
    split->labels = 0;
    for (long first = 0; ok && first < split->y.rows; first += most) {
        const long n = ls_min(split->y.rows - first, most);
        for (long i = 0; i < n; i++)
            rows[i] = first + i;
        ok = ls_column_read(y, rows, n, labels, error) &&
             check_block(split, y, rows, n * steps, labels, largest, error);
    }
    ls_free(labels);
    return ok;
}

bool ls_labels_take(const ls_split *split, const ls_column *y, const int64_t *rows, long n,
                    real *labels, ls_error *error)
{
    char place[64];
    for (long i = 0; i < n * ls_shape_count(&split->y.shape); i++)
        if (is_ignored(split, (double)labels[i]))
            labels[i] = -1;
        else if (!is_label(split, (double)labels[i]))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds label %.9g at %s, but all were from 0 to %ld when "
                                "the file was opened: it was written to while in use",
                                y->file, split->y.path, (double)labels[i],
                                place_of(split, rows, i, place), split->classes - 1);
    return true;
}

/* In a file of MATLAB, where the rows come last, the last dimensions are as many. */
bool ls_labels_refuse_rows(const ls_split *split, const char *path, ls_error *error)
{
    long last = ls_shape_last(&split->x.shape);
    bool turned = last > 1 && last == ls_shape_last(&split->y.shape);
    return ls_error_set(error, LS_DATA,
                        "%s: %s has %ld rows, but %s has %ld; expected as many%s%s%s%s", path,
                        split->x.path, split->x.rows, split->y.path, split->y.rows,
                        turned ? ". If MATLAB wrote the file, its dimensions are in reverse order: "
                                 "`lockstep import h5 "
                               : "",
                        turned ? path : "", turned ? " -o NEW.h5 --matlab` turns them" : "",
                        !turned && split->y.rows < split->x.rows ? LS_LABELS_SOME : "");
}
