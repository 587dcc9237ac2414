/* checkpoint_size: how large a checkpoint is, before it is written. */
#include "io/checkpoint/checkpoint_size.h"

size_t ls_checkpoint_largest(const ls_params *params)
{
    long largest = 0;
    for (int s = 0; s < params->count; s++) {
        long count = params->slots[s].layout.size ? ls_shape_count(&params->slots[s].shape) : 0;
        largest = count > largest ? count : largest;
    }
    return (size_t)largest;
}

size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states)
{
    enum { FILE_OVERHEAD = 1 << 16, SLOT_OVERHEAD = 1024 }; /* headers, names, attributes */
    size_t all = 0, arrays = 1 + (size_t)optimizer_states;
    for (int s = 0; s < params->count; s++)
        all += (size_t)ls_shape_count(&params->slots[s].shape);
    return arrays * (all * sizeof(real) + (size_t)params->count * SLOT_OVERHEAD) + FILE_OVERHEAD;
}

size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states)
{
    return ls_checkpoint_bytes(params, optimizer_states) +
           ls_checkpoint_largest(params) * sizeof(real);
}
