/* checkpoint_items: which data set of a checkpoint file holds which numbers: writing, loading. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"

/* Copies that part of the contents, with the attributes, into an HDF5 file in memory, which is
 * called `name` in messages. image->bytes is the caller's (ls_free); NULL after an LS_IO error. */
bool ls_checkpoint_items_write(const char *name, const ls_checkpoint_contents *contents,
                               ls_checkpoint_part part, ls_h5_image *image, ls_error *error);
/* As ls_checkpoint_load (LS_CHECKPOINT_ALL) and ls_checkpoint_load_weights. */
bool ls_checkpoint_items_load(hid_t file, const ls_params *params,
                              const ls_checkpoint_arrays *arrays, ls_checkpoint_part part,
                              ls_error *error);
