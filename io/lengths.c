/* lengths: reads and checks them when a data set is opened. */
#include "io/lengths.h"

#include <math.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/dataset_check.h"

enum { BLOCK_ROWS = 1024 };

static bool check_array(const ls_split *split, const ls_column *column, ls_error *error)
{
    const ls_array *array = column->array;
    char shape[96];
    const bool whole = array->type != LS_F32 && array->type != LS_F64;
    if (ls_shape_count(&array->shape) != 1 || !whole || array->scale != 1 || array->offset != 0)
        return ls_error_set(error, LS_DATA,
                            "%s: rows of %s are %s, %s; expected one whole number a row (int32), "
                            "without scale and offset: the steps of %s that count",
                            column->file, array->path,
                            ls_shape_text(&array->shape, shape, sizeof shape),
                            ls_dtype_name(array->type), split->x.path);
    return array->rows == split->x.rows ||
           ls_error_set(error, LS_DATA, "%s: %s has %ld rows, but %s has %ld; expected as many",
                        column->file, array->path, array->rows, split->x.path, split->x.rows);
}

/* Numbers that are no int32 become 0, which ls_lengths_check refuses. */
static bool read_all(const ls_column *column, int32_t *length, ls_error *error)
{
    int64_t rows[BLOCK_ROWS];
    real block[BLOCK_ROWS];
    const long all = column->array->rows;
    bool ok = true;
    for (long first = 0; ok && first < all; first += BLOCK_ROWS) {
        const long n = ls_min(all - first, BLOCK_ROWS);
        for (long i = 0; i < n; i++)
            rows[i] = first + i;
        ok = ls_column_read(column, rows, n, block, error);
        for (long i = 0; ok && i < n; i++)
            length[first + i] = fabs((double)block[i]) < INT32_MAX ? (int32_t)block[i] : 0;
    }
    return ok;
}

int32_t *ls_lengths_read(const ls_split *split, const ls_column *x, hid_t file, const char *path,
                         ls_error *error)
{
    ls_array array;
    ls_column column = {.file = x->file, .array = &array, .descriptor = x->descriptor};
    column.dataset = ls_dataset_check_open(file, path, &array, error);
    if (column.dataset < 0)
        return NULL;
    int32_t *length = ls_alloc((size_t)split->x.rows, sizeof *length);
    const bool ok = check_array(split, &column, error) && read_all(&column, length, error);
    H5Dclose(column.dataset);
    if (ok)
        return length;
    ls_free(length);
    return NULL;
}

bool ls_lengths_check(const ls_split *split, const char *name, ls_error *error)
{
    enum { MOST = 1 << 24 }; /* steps: a real holds all numbers up to it */
    const long steps = ls_min(split->x.shape.at[0], MOST);
    for (long r = 0; split->length && r < split->x.rows; r++)
        if (split->length[r] < 1 || split->length[r] > steps)
            return ls_error_set(error, LS_DATA,
                                "%s: the length of row %ld of %s is %ld; expected 1 to %ld, for a "
                                "row has %ld steps: leave empty rows out, and cut longer ones",
                                name, r, split->name, (long)split->length[r], steps, steps);
    return true;
}

bool ls_lengths_cut_y(const ls_split *split)
{
    const ls_shape *y = &split->y.shape;
    return split->length && y->rank > 0 && y->at[0] == split->x.shape.at[0];
}

bool ls_lengths_allow(const ls_transform_chain *chain, const char *name, ls_error *error)
{
    for (int i = 0; chain && i < chain->count; i++)
        if (chain->line[i].type->images)
            return ls_error_set(error, LS_USAGE,
                                "%s is for images, but rows of %s are sequences of unequal length",
                                chain->line[i].type->name, name);
    return true;
}

uint64_t ls_lengths_digest(const ls_split *split)
{
    return XXH3_64bits(split->length, (size_t)split->x.rows * sizeof *split->length);
}
