/* weights: files of parameters alone: NAME.h5 with its NAME.ok. */
#pragma once
#include "core/params.h"

/* Writes the parameters and state. The file is durable when this returns; what stood there before
 * stays where it fails. LS_IO errors. */
bool ls_weights_save(const char *path, const ls_params *params, ls_error *error);
/* Fills params->values from a weights file, best.h5 or a checkpoint: opens it, loads it as
 * ls_checkpoint_load_weights does, and closes it. A file without .ok is taken too (one that another
 * program wrote). */
bool ls_weights_load(const char *path, const ls_params *params, ls_error *error);
