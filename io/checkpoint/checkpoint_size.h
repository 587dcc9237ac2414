/* checkpoint_size: how large a checkpoint is, before it is written. */
#pragma once
#include "core/params.h"

/* Bytes of the file, about. */
size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states);
/* Memory that writing it takes, beside the arrays that it is written from. */
size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states);
/* Reals of the largest slot that is stored in another layout than the logical one. */
size_t ls_checkpoint_largest(const ls_params *params);

enum {
    LS_CHECKPOINT_CHUNK = 2 << 20, /* bytes that are written to the disk at a time */
    LS_CHECKPOINT_PIECE = 1 << 19  /* bytes that are gathered at a time, in a near cache */
};
/* Rows of a slot in a piece: whole panels, or all rows. */
long ls_checkpoint_piece(const ls_params *params, int slot);
/* Bytes of the buffer that pieces are gathered in. */
size_t ls_checkpoint_buffer(const ls_params *params);
