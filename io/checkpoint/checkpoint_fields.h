/* checkpoint_fields: the attributes of a checkpoint file: its format, a position and a job. */
#pragma once
#include <hdf5.h>

#include "io/checkpoint/checkpoint.h"

enum { LS_CHECKPOINT_FORMAT = 1 };

bool ls_checkpoint_fields_write(hid_t file, const ls_checkpoint_contents *contents,
                                bool weights_only, ls_error *error);
/* Fills position, job, data and weights_only from checkpoint->file. A format that this program does
 * not know, a missing attribute, and a position that no run can have are LS_DATA errors. */
bool ls_checkpoint_fields_read(ls_checkpoint *checkpoint, ls_error *error);
