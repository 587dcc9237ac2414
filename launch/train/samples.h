/* samples: pictures of what the objective makes while it trains, in RUN/samples. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/rundir.h"
#include "launch/session/session.h"
#include "launch/train/listener.h"

/* {0}: no pictures are wanted. */
typedef struct ls_samples {
    const ls_listener *listener; /* these three are borrowed */
    const ls_session *session;
    const ls_position *position; /* its stage is the one that runs */
    ls_rundir *run;              /* on rank 0; NULL on the others */
    bool wanted;                 /* the same on every rank */
    double taken;                /* when the last were, for a pace in minutes: ls_clock_now() */
    ls_split_id split;           /* whose first rows are rebuilt */
    /* On rank 0: the range of the split's first rows; of rows of one number the rows themselves. */
    double least, most;
    real *data;
    struct ls_samples_files *files; /* what the thread writes; NULL: it has written all */
} ls_samples;

/* Once the session's stages are parsed: looks whether the job wants pictures, and says so where no
 * objective makes any, or the rows of x are none. The first four members are set. Close with
 * ls_samples_close. */
void ls_samples_open(ls_samples *samples);
void ls_samples_close(ls_samples *samples);
/* Rows of the chunks in which a stage makes its pictures; 0: it makes none. For `compile`. */
long ls_samples_chunk(const ls_session *session, long stage);
/* Bytes that a stage's pictures take on rank 0, until they are written. */
double ls_samples_bytes(const ls_session *session, long stage);
/* **Collective.** Makes the rows by the parameters as they are: samples by the same noise each
 * time, and reconstructions of the same rows. A thread of rank 0 writes them as
 * RUN/samples/step-00001234-prior.png and -rebuilt.png while training goes on. It waits for the
 * pictures before. A failure is told by a notice, and training goes on. */
void ls_samples_take(ls_samples *samples);
/* Waits until all is written, and tells failures. */
void ls_samples_wait(ls_samples *samples);
