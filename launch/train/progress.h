/* progress: what a person sees while a net trains: a bar on a terminal, plain lines into a pipe.
 * Only rank 0 makes one. */
#pragma once
#include <stdio.h>

#include "core/objective.h"

typedef struct ls_progress ls_progress;
/* `terminal`: a bar redrawn in place at most ten times a second, where `out` is a terminal that a
 * person sees (under Open MPI each rank's output is one, even into a file: then mpirun's own output
 * decides); else a plain line about every ten seconds. A plain line stays of each epoch, at most
 * one a second, and of the stage's end. */
ls_progress *ls_progress_open(FILE *out, bool terminal);
void ls_progress_close(ls_progress *progress);

typedef struct ls_progress_state {
    int stage, stages;
    long epoch, epochs; /* from 0; epochs 0: counted in steps */
    long step, steps;   /* of the stage: done so far, in all */
    long steps_per_epoch;
    double loss;                /* mean over the steps since the last epoch began */
    const char *const *metrics; /* names, NULL-terminated */
    const double *metric;       /* means, in their order */
    double samples_per_second;
    double seconds_left; /* of the stage; < 0: not known */
    double waiting;      /* share of the time spent waiting for data, 0 to 1 */
} ls_progress_state;
void ls_progress_step(ls_progress *progress, const ls_progress_state *state);
/* A line of its own above the bar: "epoch 3/12: loss ..., valid accuracy ...", notices. */
void ls_progress_line(ls_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
