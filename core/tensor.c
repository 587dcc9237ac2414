/* tensor: shapes, number types, shards of a batch. */
#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

#include "core/spec.h"

long ls_shape_count(const ls_shape *shape)
{
    long count = 1;
    for (int i = 0; i < shape->rank; i++)
        ls_check(!__builtin_mul_overflow(count, shape->at[i], &count),
                 "a shape of more than 2^63 numbers");
    return count;
}

long ls_shape_last(const ls_shape *shape)
{
    return shape->rank ? shape->at[shape->rank - 1] : 1;
}

bool ls_shape_equal(const ls_shape *a, const ls_shape *b)
{
    return a->rank == b->rank && memcmp(a->at, b->at, (size_t)a->rank * sizeof *a->at) == 0;
}

bool ls_shape_fits(const ls_shape *made, const ls_shape *row)
{
    ls_shape a = *made, b = *row;
    if (a.rank == 1)
        return a.at[0] == ls_shape_count(row);
    a.rank -= made->rank > 0 && ls_shape_last(made) == 1;
    b.rank -= row->rank > 0 && ls_shape_last(row) == 1;
    return ls_shape_equal(&a, &b);
}

const char *ls_shape_text(const ls_shape *shape, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", shape->rank ? "" : "scalar");
    for (int i = 0; i < shape->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%ld", i ? "x" : "", shape->at[i]);
    return text;
}

bool ls_shape_parse(const char *key, const char *text, ls_shape *shape, ls_error *error)
{
    ls_list list;
    const ls_option option = {.key = key, .kind = LS_OPTION_LIST, .low = 1, .high = 1e9};
    if (!ls_option_set(&option, text, &list, error))
        return false;
    if (list.count > LS_MAX_RANK)
        return ls_error_set(error, LS_USAGE, "%s: at most %d numbers, found %d", key, LS_MAX_RANK,
                            list.count);
    shape->rank = list.count;
    memcpy(shape->at, list.at, (size_t)list.count * sizeof shape->at[0]);
    return true;
}

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [LS_U8] = {"uint8", 1},  [LS_I8] = {"int8", 1},     [LS_U16] = {"uint16", 2},
    [LS_I16] = {"int16", 2}, [LS_U32] = {"uint32", 4},  [LS_I32] = {"int32", 4},
    [LS_I64] = {"int64", 8}, [LS_F32] = {"float32", 4}, [LS_F64] = {"float64", 8},
};

size_t ls_dtype_size(ls_dtype type)
{
    return dtypes[type].size;
}

const char *ls_dtype_name(ls_dtype type)
{
    return dtypes[type].name;
}

ls_batch ls_batch_shard(const ls_batch *batch, int index, int shards)
{
    long begin = batch->total * index / shards, end = batch->total * (index + 1) / shards;
    long skip = begin - batch->first;
    ls_check(begin == end || (skip >= 0 && skip + end - begin <= batch->rows),
             "shard %d of %d holds rows [%ld, %ld) of the batch, but here are [%ld, %ld)", index,
             shards, begin, end, batch->first, batch->first + batch->rows);
    ls_batch shard = *batch;
    shard.rows = end - begin;
    shard.first = begin;
    if (shard.rows == 0)
        return shard;
    shard.x += skip * ls_shape_count(&batch->x_shape);
    if (batch->y)
        shard.y += skip * ls_shape_count(&batch->y_shape);
    if (batch->length)
        shard.length += skip;
    if (batch->row)
        shard.row += skip;
    return shard;
}
