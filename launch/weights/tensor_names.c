/* tensor_names: names and orders of the tensors of a file of weights. */
#include "launch/weights/tensor_names.h"

#include <string.h>

#include "core/memory.h"
#include "core/net.h"
#include "launch/weights/torchvision.h"

/* The line that claimed the slot. */
static const ls_layer *find_line(const ls_params *params, int slot)
{
    for (int n = 0; n < params->nets; n++)
        for (int i = 0; params->net[n] && i < params->net[n]->count; i++) {
            const ls_layer *layer = params->net[n]->layers[i];
            for (int k = 0; k < layer->slots; k++)
                if (layer->slot[k] == slot)
                    return layer;
        }
    return NULL;
}

static bool name_torchvision(const ls_params *params, int slot, const ls_torchvision *model,
                             ls_tensor_name *tensor, ls_error *error)
{
    const char *name = params->slots[slot].name, *parameter = strrchr(name, '/') + 1;
    const ls_layer *layer = find_line(params, slot);
    if (!layer || !ls_torchvision_name(model, layer, parameter, tensor->text))
        return ls_error_set(error, LS_USAGE,
                            "torchvision's model has no counterpart of %s: expected the lines of "
                            "the model alone, without lrn",
                            name);
    const ls_shape *x = &layer->x[0];
    if (strcmp(layer->type->name, "dense") != 0 || strcmp(parameter, "weight") != 0 || x->rank != 3)
        return true;
    tensor->image = *x;
    const long side = ls_torchvision_side(model);
    return side == 0 || (x->at[0] == side && x->at[1] == side) ||
           ls_error_set(error, LS_USAGE,
                        "torchvision's model pools its maps to %ldx%ld before %s, but here they "
                        "are %ldx%ld: it would compute another function; train on pictures of "
                        "224x224",
                        side, side, layer->name, x->at[0], x->at[1]);
}

ls_tensor_name *ls_tensor_names_list(const ls_params *params, ls_naming naming, const char *model,
                                     ls_error *error)
{
    const ls_torchvision *theirs = ls_torchvision_find(model);
    if (naming == LS_NAMING_TORCHVISION && !theirs) {
        ls_error_set(error, LS_USAGE,
                     "torchvision has names for the models " LS_TORCHVISION_MODELS
                     " alone, but the job has %s%s",
                     model ? "model: " : "a net of its own", model ? model : "");
        return NULL;
    }
    ls_tensor_name *list = ls_alloc((size_t)params->count, sizeof *list);
    bool ok = true;
    for (int s = 0; ok && s < params->count; s++) {
        if (naming == LS_NAMING_TORCHVISION)
            ok = name_torchvision(params, s, theirs, &list[s], error);
        else
            strcpy(list[s].text, params->slots[s].name);
    }
    if (ok)
        return list;
    ls_free(list);
    return NULL;
}

/* Goes through a dense weight [out, pixels, channels] and its counterpart [out, channels, pixels]:
 * `last` is the second dimension of what is written. */
static void transpose_rows(const real *from, long rows, long first, long last, real *to)
{
    for (long r = 0; r < rows; r++, from += first * last, to += first * last)
        for (long i = 0; i < first; i++)
            for (long k = 0; k < last; k++)
                to[i * last + k] = from[k * first + i];
}

static void copy(const ls_tensor_name *tensor, const ls_slot *slot, bool to_slot, const real *from,
                 real *to)
{
    const long all = ls_shape_count(&slot->shape), columns = ls_shape_count(&tensor->image);
    if (tensor->image.rank == 0) {
        memcpy(to, from, (size_t)all * sizeof *to);
        return;
    }
    const long channels = ls_shape_last(&tensor->image), pixels = columns / channels;
    transpose_rows(from, all / columns, to_slot ? pixels : channels, to_slot ? channels : pixels,
                   to);
}

void ls_tensor_names_to_slot(const ls_tensor_name *tensor, const ls_slot *slot, const real *file,
                             real *numbers)
{
    copy(tensor, slot, true, file, numbers);
}

void ls_tensor_names_to_file(const ls_tensor_name *tensor, const ls_slot *slot, const real *numbers,
                             real *file)
{
    copy(tensor, slot, false, numbers, file);
}
