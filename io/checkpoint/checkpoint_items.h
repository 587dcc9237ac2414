/* checkpoint_items: which data set of a checkpoint file holds which numbers; loading them. */
#pragma once
#include <hdf5.h>

#include "io/checkpoint/checkpoint.h"

/* One data set of a checkpoint: the numbers of a slot, in their logical layout, or of rows. */
typedef struct ls_checkpoint_item {
    char path[LS_SLOT_NAME + 64]; /* model/net/conv1/weight */
    int slot;                     /* LS_CHECKPOINT_ROWS: it is a row state */
    real *array; /* that the slot is stored in, at its offset in the params; or the rows' numbers */
    int rank;
    hsize_t dims[LS_MAX_RANK];
} ls_checkpoint_item;
enum { LS_CHECKPOINT_ROWS = -1 };

/* Every data set for `values`, an array of `params`, for `arrays` and for `rows` (NULL: none), the
 * values first, in the order of the slots. The caller frees with ls_free. */
ls_checkpoint_item *ls_checkpoint_items_list(const ls_params *params, real *values,
                                             const ls_checkpoint_arrays *arrays,
                                             const ls_checkpoint_rows *rows, int *count);
/* Whether an open data set holds numbers of a type that this part is loaded from; `path` names it
 * in the message. */
bool ls_checkpoint_items_type(hid_t dataset, const char *path, ls_checkpoint_part part,
                              ls_error *error);
/* What is loaded: the values and the arrays (NULL: none), but for the slots `except` (NULL: none).
 */
typedef struct ls_checkpoint_loaded {
    ls_checkpoint_part part;
    const ls_checkpoint_arrays *arrays;
    const ls_slots *except;
} ls_checkpoint_loaded;

/* As ls_checkpoint_load (LS_CHECKPOINT_ALL) and ls_checkpoint_load_weights. */
bool ls_checkpoint_items_load(hid_t file, const ls_params *params, const ls_checkpoint_loaded *what,
                              ls_error *error);
