/* checkpoint_writer: writes the checkpoints of a run while training goes on. On rank 0 only. */
#pragma once
#include "io/checkpoint/checkpoint.h"

typedef struct ls_checkpoint_writer ls_checkpoint_writer;

/* How arrays that several processes fill, each a part of them, are handed over to a writer and
 * back, without one waiting for another. It lies in memory that they share, and begins as zeros. */
typedef struct ls_checkpoint_handover {
    long filled;  /* how many parts were filled so far, of all writes */
    long written; /* how many writes have ended: who fills the arrays for the next waits for that */
} ls_checkpoint_handover;

/* Makes RUN/checkpoints where needed and removes what a killed writer left there; an error
 * counts as that of a write. Old checkpoints are removed but for the newest `keep` >= 1. Close with
 * ls_checkpoint_writer_close. */
ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep);
/* Starts a thread of low priority that writes the contents, as step-N.h5, or, of
 * LS_CHECKPOINT_WEIGHTS, as best.h5, or, of LS_CHECKPOINT_STAGE, as stage-N.h5 of the position's
 * stage. What they point to must stay as it is until the write has ended; with a handover the
 * thread waits until `parts` parts were filled. One write is under way at a time: a second call
 * waits for the first. If that failed and was of best.h5 or of a stage, nothing is written until
 * the error was told by ls_checkpoint_writer_wait: the contents speak of a best.h5 or of a stage's
 * end that is not there. If it was of a step, this one is under way all the same. */
void ls_checkpoint_writer_write(ls_checkpoint_writer *writer,
                                const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                                ls_checkpoint_handover *handover, long parts);
/* Nothing is written from here on, until this error was told as that of a write. */
void ls_checkpoint_writer_bar(ls_checkpoint_writer *writer, const ls_error *why);
/* Waits until the write has ended, and does itself what is left of it, at its own priority. */
void ls_checkpoint_writer_settle(ls_checkpoint_writer *writer);
/* The same. False with the first error since one was told. LS_IO errors name file and
 * reason; what was valid stays valid. */
bool ls_checkpoint_writer_wait(ls_checkpoint_writer *writer, ls_error *error);
/* Whether a write failed and the error was not told; does not wait. */
bool ls_checkpoint_writer_failed(const ls_checkpoint_writer *writer);
/* How many seconds after its call the last write was durable; 0 while it is under way, if it
 * failed, and before the first. Does not wait. */
double ls_checkpoint_writer_seconds(const ls_checkpoint_writer *writer);
/* Why the write that has ended could not remove old checkpoints (checkpoint_prune.h), which is no
 * error, as the new one is durable; NULL: it could, or the reason was told before. Borrowed. */
const char *ls_checkpoint_writer_warning(ls_checkpoint_writer *writer);
bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error);
