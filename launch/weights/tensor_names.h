/* tensor_names: which tensor of a file of weights holds which slot, and in what order of numbers:
 * by the names of lockstep's own slots, or by torchvision's. */
#pragma once
#include "core/params.h"

typedef enum ls_naming { LS_NAMING_LOCKSTEP, LS_NAMING_TORCHVISION } ls_naming;

/* The tensor of one slot, of the slot's shape. */
typedef struct ls_tensor_name {
    char text[LS_SLOT_NAME];
    /* {h, w, c}: a dense weight whose inputs are an image, in the file with its channels first: a
     * row of it is [c, h, w], and in the slot [h, w, c]. Rank 0: the orders are equal. */
    ls_shape image;
} ls_tensor_name;

/* The tensors of all slots, [params->count], which the caller frees with ls_free; `model` is the
 * job's text of it, or NULL. NULL and an LS_USAGE error: torchvision has no such net, or not this
 * line of it. */
ls_tensor_name *ls_tensor_names_list(const ls_params *params, ls_naming naming, const char *model,
                                     ls_error *error);
/* Copies numbers of a slot with this tensor: from the file's order to the slot's, and back. */
void ls_tensor_names_to_slot(const ls_tensor_name *tensor, const ls_slot *slot, const real *file,
                             real *numbers);
void ls_tensor_names_to_file(const ls_tensor_name *tensor, const ls_slot *slot, const real *numbers,
                             real *file);
