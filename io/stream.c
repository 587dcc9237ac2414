/* stream: checks that a split is a stream of tokens, and says where its windows lie. */
#include "io/stream.h"

#include "core/memory.h"
#include "io/labels.h"

/* What can be no stream. */
static bool is_stream(const ls_split *split, const ls_column *x, long steps, ls_error *error)
{
    char text[96];
    const ls_array *array = &split->x;
    if (split->has_y)
        return ls_error_set(error, LS_USAGE,
                            "unroll=%ld makes labels of the tokens that follow, but %s has labels "
                            "or targets, %s: leave unroll out",
                            steps, x->file, split->y.path);
    if (split->length)
        return ls_error_set(error, LS_USAGE,
                            "unroll=%ld cuts a stream of tokens, but %s has `length`, the steps of "
                            "each row of %s: leave unroll out",
                            steps, x->file, array->path);
    if (ls_shape_count(&array->shape) != 1)
        return ls_error_set(error, LS_USAGE,
                            "unroll=%ld cuts a stream of tokens, x [tokens], but %s: %s has rows "
                            "of %s: leave unroll out",
                            steps, x->file, array->path,
                            ls_shape_text(&array->shape, text, sizeof text));
    if (array->scale != 1 || array->offset != 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s has attributes scale=%g, offset=%g, but tokens are the whole "
                            "numbers that are stored: remove them, or leave unroll out",
                            x->file, array->path, array->scale, array->offset);
    return array->rows > 1 ||
           ls_error_set(error, LS_DATA,
                        "%s: %s holds %ld token, but the first of two or more is what the next is "
                        "predicted from",
                        x->file, array->path, array->rows);
}

bool ls_stream_label(ls_split *split, const ls_column *x, ls_column *y, long steps, ls_error *error)
{
    if (!is_stream(split, x, steps, error))
        return false;
    split->y = split->x;
    y->descriptor = x->descriptor;
    y->dataset = x->dataset;
    y->memory = x->memory;
    split->has_y = true;
    if (x->dataset >= 0 && !ls_labels_recognise(split, y, error))
        return false;
    split->y.shape = (ls_shape){.rank = 0};
    split->ignores = false; /* every token follows another */
    return true;
}

void ls_stream_cut(ls_split *split, ls_column *x, ls_column *y, long steps)
{
    const size_t token = ls_dtype_size(split->x.type);
    split->tokens = split->x.rows;
    split->x.rows = split->y.rows = (split->tokens - 1) / steps;
    split->x.shape = split->y.shape = split->row = (ls_shape){1, {steps}};
    x->flat = y->flat = split->tokens;
    y->skip = 1;
    y->memory = y->memory ? (const char *)y->memory + token : NULL;
    split->y.start += split->y.start >= 0 ? (long)token : 0;
    split->y.unpacked = split->y.kept = 0; /* its chunks are those of x */
}

long ls_stream_tail(const ls_split *split)
{
    return split->tokens ? (split->tokens - 1) % ls_shape_count(&split->row) : 0;
}

int32_t *ls_stream_add_tail(ls_split *split, ls_column *x, ls_column *y)
{
    const long tail = ls_stream_tail(split);
    int32_t *length = ls_alloc((size_t)split->x.rows + 1, sizeof *length);
    for (long r = 0; r < split->x.rows; r++)
        length[r] = (int32_t)ls_shape_count(&split->row);
    if (tail > 0)
        length[split->x.rows++] = (int32_t)tail;
    split->y.rows = split->x.rows;
    split->length = x->length = y->length = length;
    return length;
}
