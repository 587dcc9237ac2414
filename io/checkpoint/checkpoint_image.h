/* checkpoint_image: a checkpoint file built in memory. */
#pragma once
#include "io/checkpoint/checkpoint_items.h"
#include "io/h5/h5_image.h"

/* Copies the contents, or their weights alone, into *image, an HDF5 file in memory that is called
 * `name` in messages. image->bytes is the caller's (ls_free); NULL after an error (LS_IO). */
bool ls_checkpoint_image(const char *name, const ls_checkpoint_contents *contents,
                         ls_checkpoint_part part, ls_h5_image *image, ls_error *error);
