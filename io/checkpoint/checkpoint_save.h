/* checkpoint_save: writes a checkpoint file piece by piece, from arrays as they are stored. */
#pragma once
#include "io/checkpoint/checkpoint.h"

typedef struct ls_checkpoint_save ls_checkpoint_save;

/* Begins the file PATH of that part of the contents, which are borrowed until the end. NULL and an
 * LS_IO error. To be ended by ls_checkpoint_save_end. */
ls_checkpoint_save *ls_checkpoint_save_begin(const char *path,
                                             const ls_checkpoint_contents *contents,
                                             ls_checkpoint_part part, ls_error *error);
/* Writes the next piece, of a few milliseconds; false where nothing is left to write, or one could
 * not be written: the end says so. */
bool ls_checkpoint_save_piece(ls_checkpoint_save *save);
/* Makes PATH and its .ok durable, if all pieces were written. LS_IO errors; what was valid before
 * stays valid. */
bool ls_checkpoint_save_end(ls_checkpoint_save *save, ls_error *error);
