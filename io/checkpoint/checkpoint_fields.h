/* checkpoint_fields: the attributes of a checkpoint file: its format, a position and a job. */
#pragma once
#include <hdf5.h>

#include "core/check.h"
#include "io/checkpoint/position.h"

enum { LS_CHECKPOINT_FORMAT = 1 };

bool ls_checkpoint_fields_write(hid_t file, const ls_position *position, const char *job,
                                bool weights_only, ls_error *error);
/* A format that this program does not know and a missing attribute are LS_DATA errors. The caller
 * frees *job with ls_free, after an error too. */
bool ls_checkpoint_fields_read(hid_t file, ls_position *position, char **job, bool *weights_only,
                               ls_error *error);
