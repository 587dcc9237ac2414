/* checkpoint_writer: writes the checkpoints of a run while training goes on. On rank 0 only. */
#pragma once
#include "io/checkpoint/checkpoint.h"

typedef struct ls_checkpoint_writer ls_checkpoint_writer;

/* Makes RUN/checkpoints where needed and removes what a killed writer left there; an error is
 * reported by the first write. Old checkpoints are removed but for the newest `keep` >= 1. Close
 * with ls_checkpoint_writer_close. */
ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep);
/* Copies the contents into a file in memory, and starts a thread that writes it to the disk: as
 * step-N.h5, or, of LS_CHECKPOINT_WEIGHTS, as best.h5. One write is under way at a time: a second
 * call waits for the first. False with the error of the *previous* write where that failed. If that
 * was of best.h5, nothing is written: the contents speak of a best.h5 that is not there. If it was
 * of a step, this one is under way all the same. LS_IO errors name file and reason; what was valid
 * stays valid. */
bool ls_checkpoint_writer_write(ls_checkpoint_writer *writer,
                                const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                                ls_error *error);
/* Waits until the write is durable and old checkpoints are removed (checkpoint_prune.h). False with
 * the error of the last write, which is reported once. */
bool ls_checkpoint_writer_wait(ls_checkpoint_writer *writer, ls_error *error);
/* After a write or a wait: why old checkpoints could not be removed, which is no error, as the new
 * one is durable; NULL: they were, or the reason was told before. Borrowed. */
const char *ls_checkpoint_writer_warning(ls_checkpoint_writer *writer);
bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error);
