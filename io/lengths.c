/* lengths: reads and checks them when a data set is opened, and sorts rows by them. */
#include "io/lengths.h"

#include <math.h>
#include <stdlib.h>
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

static bool refuse(const char *file, const ls_split *split, long row, double length,
                   ls_error *error)
{
    const long steps = split->x.shape.at[0];
    return ls_error_set(error, LS_DATA,
                        "%s: the length of row %ld of %s is %.9g; expected 1 to %ld, for a row has "
                        "%ld steps: leave empty rows out, and cut longer ones",
                        file, row, split->name, length, steps, steps);
}

/* ls_lengths_check refuses what is an int32 and no length. */
static bool read_all(const ls_split *split, const ls_column *column, int32_t *length,
                     ls_error *error)
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
        for (long i = 0; ok && i < n; i++) {
            ok = fabs((double)block[i]) < INT32_MAX ||
                 refuse(column->file, split, first + i, (double)block[i], error);
            length[first + i] = ok ? (int32_t)block[i] : 0;
        }
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
    const bool ok = check_array(split, &column, error) && read_all(split, &column, length, error);
    H5Dclose(column.dataset);
    if (ok)
        return length;
    ls_free(length);
    return NULL;
}

bool ls_lengths_match(const ls_split *splits, const char *name, ls_error *error)
{
    const ls_split *with = NULL, *without = NULL;
    for (int id = 0; id < LS_SPLITS; id++) {
        const ls_split *split = &splits[id];
        with = split->length ? split : with;
        without = split->present && !split->length ? split : without;
    }
    return !with || !without ||
           ls_error_set(error, LS_DATA,
                        "%s: %s has `length`, the steps of each row that count, but %s has none: "
                        "give it to all splits, or to none (where all steps of a row count, its "
                        "length is their number)",
                        name, with->name, without->name);
}

bool ls_lengths_check(const ls_split *split, const char *name, ls_error *error)
{
    enum { MOST = 1 << 24 }; /* steps: a real holds all numbers up to it */
    const long steps = ls_min(split->x.shape.at[0], MOST);
    for (long r = 0; split->length && r < split->x.rows; r++)
        if (split->length[r] < 1 || split->length[r] > steps)
            return refuse(name, split, r, split->length[r], error);
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

typedef struct entry {
    int32_t length;
    long at; /* where it stood */
    int64_t row, place;
} entry;

static int longest_first(const void *a, const void *b)
{
    const entry *const one = a, *const other = b;
    return one->length != other->length
               ? (one->length < other->length) - (one->length > other->length)
               : (one->at > other->at) - (one->at < other->at);
}

static int as_they_stood(const void *a, const void *b)
{
    const entry *const one = a, *const other = b;
    return (one->at > other->at) - (one->at < other->at);
}

void ls_lengths_sort(const int32_t *length, long n, int64_t *row, int64_t *place)
{
    entry *list = ls_alloc((size_t)n, sizeof *list);
    for (long i = 0; i < n; i++)
        list[i] = (entry){length[row[i]], i, row[i], place ? place[i] : 0};
    qsort(list, (size_t)n, sizeof *list, longest_first);
    for (long i = 0; i < n; i++) {
        row[i] = list[i].row;
        if (place)
            place[i] = list[i].place;
    }
    ls_free(list);
}

/* Puts the sorted rows of a batch where its number has drawn it to be. */
static void place_batch(const ls_lengths_epoch *epoch, long number, entry *list, int64_t *row)
{
    const long full = epoch->rows / epoch->batch;
    const long to = (long)ls_random_permute(epoch->batch_order, (uint64_t)full, (uint64_t)number);
    qsort(list, (size_t)epoch->batch, sizeof *list, as_they_stood);
    for (long i = 0; i < epoch->batch; i++)
        row[to * epoch->batch + i] = list[i].row;
}

static int64_t draw(const ls_lengths_epoch *epoch, long at)
{
    return (int64_t)ls_random_permute(epoch->row_order, (uint64_t)epoch->rows, (uint64_t)at);
}

void ls_lengths_bucket(const ls_lengths_epoch *epoch, int64_t *row)
{
    const long batch = epoch->batch, full = epoch->rows / batch;
    const long group = ls_min(epoch->bucket, full); /* batches */
    entry *list = ls_alloc((size_t)(group * batch), sizeof *list);
    for (long first = 0, count; first < full; first += count) {
        count = ls_min(group, full - first);
        for (long i = 0; i < count * batch; i++) {
            const int64_t drawn = draw(epoch, first * batch + i);
            list[i] = (entry){epoch->length[drawn], i, drawn, 0};
        }
        qsort(list, (size_t)(count * batch), sizeof *list, longest_first);
        for (long k = 0; k < count; k++)
            place_batch(epoch, first + k, list + k * batch, row);
    }
    for (long i = full * batch; i < epoch->rows; i++)
        row[i] = draw(epoch, i);
    ls_free(list);
}
