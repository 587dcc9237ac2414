/* checkpoint_size: how large a checkpoint is, before it is written. */
#include "io/checkpoint/checkpoint_size.h"

#include "core/minmax.h"

size_t ls_checkpoint_largest(const ls_params *params)
{
    long largest = 0;
    for (int s = 0; s < params->count; s++) {
        long count = params->slots[s].layout.size ? ls_shape_count(&params->slots[s].shape) : 0;
        largest = count > largest ? count : largest;
    }
    return (size_t)largest;
}

enum { FILE_OVERHEAD = 1 << 16, SLOT_OVERHEAD = 1024 }; /* headers, names, attributes */

/* Bytes of the file beside its numbers. */
static size_t overhead(const ls_params *params, size_t arrays)
{
    return arrays * (size_t)params->count * SLOT_OVERHEAD + FILE_OVERHEAD;
}

size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states)
{
    size_t all = 0, arrays = 1 + (size_t)optimizer_states;
    for (int s = 0; s < params->count; s++)
        all += (size_t)ls_shape_count(&params->slots[s].shape);
    return arrays * all * sizeof(real) + overhead(params, arrays);
}

size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states)
{
    return ls_checkpoint_buffer(params) + overhead(params, 1 + (size_t)optimizer_states);
}

static size_t row_bytes(const ls_params *params, int slot)
{
    long count = ls_shape_count(&params->slots[slot].shape);
    return (size_t)(count / ls_params_rows(params, slot)) * sizeof(real);
}

long ls_checkpoint_piece(const ls_params *params, int slot)
{
    enum { WHOLE = 32 }; /* rows of a panel */
    long rows = (long)(LS_CHECKPOINT_PIECE / row_bytes(params, slot)) / WHOLE * WHOLE;
    return ls_min(ls_max(rows, WHOLE), ls_params_rows(params, slot));
}

size_t ls_checkpoint_buffer(const ls_params *params)
{
    size_t largest = LS_CHECKPOINT_PIECE;
    for (int s = 0; s < params->count; s++) {
        size_t piece = (size_t)ls_checkpoint_piece(params, s) * row_bytes(params, s);
        largest = piece > largest ? piece : largest;
    }
    return LS_CHECKPOINT_CHUNK + largest;
}
