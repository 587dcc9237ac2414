/* checkpoint_size: how large a checkpoint is, before it is written. */
#pragma once
#include "core/params.h"

/* Bytes of the file, about. */
size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states);
/* Memory that writing it takes: the file, and one parameter in its logical layout. */
size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states);
/* Reals of the largest slot that is stored in another layout than the logical one. */
size_t ls_checkpoint_largest(const ls_params *params);
