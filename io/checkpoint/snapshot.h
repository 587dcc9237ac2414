/* snapshot: the contents of a checkpoint file: its attributes, and which data set holds what. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"

enum { LS_ITEM_PATH = LS_SLOT_NAME + 64 };

/* One data set of a checkpoint: the logical numbers of a slot, in one of the arrays. */
typedef struct ls_item {
    char path[LS_ITEM_PATH]; /* model/net/conv1/weight */
    int slot;
    real *array; /* with the params' offsets */
} ls_item;

/* Every data set of a checkpoint of `params` and `arrays` (0: weights only), model and state first,
 * in slot order. The caller frees with ls_free. */
ls_item *ls_snapshot_items(const ls_params *params, const ls_snapshot_array *array, int arrays,
                           int *count);
/* Shape and rank of an item's data set. */
int ls_item_dims(const ls_params *params, const ls_item *item, hsize_t dims[LS_MAX_RANK]);

/* Reals of the largest slot whose storage differs from its logical numbers. */
size_t ls_snapshot_largest(const ls_params *params);

/* Every field of a snapshot but params and arrays, as attributes of /. Reading: a format that this
 * program does not know, and a missing field, are LS_DATA errors. */
bool ls_snapshot_write_fields(hid_t file, const ls_snapshot *snapshot, ls_error *error);
bool ls_snapshot_read_fields(hid_t file, ls_snapshot *snapshot, ls_error *error);
