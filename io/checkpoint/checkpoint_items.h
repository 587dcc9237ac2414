/* checkpoint_items: which data set of a checkpoint file holds which numbers; loading them. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"

enum { LS_CHECKPOINT_NAME = LS_SLOT_NAME + 64 };

/* One data set of a checkpoint: the numbers of a slot, in their logical layout. */
typedef struct ls_checkpoint_item {
    char path[LS_CHECKPOINT_NAME]; /* model/net/conv1/weight */
    int slot;
    real *array; /* that the slot is stored in, at its offset in the params */
} ls_checkpoint_item;

/* The part of a file that is written or loaded. */
typedef enum ls_checkpoint_part {
    LS_CHECKPOINT_ALL,    /* to go on from: the numbers must come back bit for bit */
    LS_CHECKPOINT_WEIGHTS /* parameters and state; what is below /optimizer does not matter */
} ls_checkpoint_part;

/* Every data set for the values of `params` and for `arrays` (NULL: none), the values first, in the
 * order of the slots. The caller frees with ls_free. */
ls_checkpoint_item *ls_checkpoint_items(const ls_params *params, const ls_checkpoint_arrays *arrays,
                                        int *count);
/* Shape and rank of an item's data set. */
int ls_checkpoint_items_dims(const ls_params *params, const ls_checkpoint_item *item,
                             hsize_t dims[LS_MAX_RANK]);
/* Reals of the largest slot that is stored in another layout than the logical one. */
size_t ls_checkpoint_items_largest(const ls_params *params);
/* As ls_checkpoint_load (LS_CHECKPOINT_ALL) and ls_checkpoint_load_weights. */
bool ls_checkpoint_items_load(hid_t file, const ls_params *params,
                              const ls_checkpoint_arrays *arrays, ls_checkpoint_part part,
                              ls_error *error);
