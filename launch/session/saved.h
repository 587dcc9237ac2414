/* saved: a session over what a run has saved: for the commands that look at a trained net. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"

typedef struct ls_saved {
    char path[4096]; /* of the file that was loaded */
    long step;
    ls_job *job;
    ls_session session;
    ls_checkpoint *checkpoint; /* on rank 0, until it is loaded */
} ls_saved;

/* **Collective.** `from` is a run directory (its best.h5, else its newest valid checkpoint) or a
 * file. `average`: the moving average of a checkpoint's weights in their place, and of a directory
 * the newest checkpoint. `data`: in place of the job's data set; NULL: the job's. `objectives` as
 * for ls_session_open. The error is the same on all ranks. Close with ls_saved_close in either
 * case. */
bool ls_saved_open(ls_saved *saved, ls_comm *comm, const char *from, const char *data, bool average,
                   bool objectives, ls_error *error);
void ls_saved_close(ls_saved *saved); /* **Collective.** */
