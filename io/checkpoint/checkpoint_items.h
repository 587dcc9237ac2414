/* checkpoint_items: which data set of a checkpoint file holds which numbers; loading them. */
#pragma once
#include <hdf5.h>

#include "io/checkpoint/checkpoint.h"

/* One data set of a checkpoint: the numbers of a slot, in their logical layout. */
typedef struct ls_checkpoint_item {
    char path[LS_SLOT_NAME + 64]; /* model/net/conv1/weight */
    int slot;
    real *array; /* that the slot is stored in, at its offset in the params */
    int rank;
    hsize_t dims[LS_MAX_RANK];
} ls_checkpoint_item;

/* Every data set for `values`, an array of `params`, and for `arrays` (NULL: none), the values
 * first, in the order of the slots. The caller frees with ls_free. */
ls_checkpoint_item *ls_checkpoint_items_list(const ls_params *params, real *values,
                                             const ls_checkpoint_arrays *arrays, int *count);
/* As ls_checkpoint_load (LS_CHECKPOINT_ALL) and ls_checkpoint_load_weights. */
bool ls_checkpoint_items_load(hid_t file, const ls_params *params,
                              const ls_checkpoint_arrays *arrays, ls_checkpoint_part part,
                              ls_error *error);
