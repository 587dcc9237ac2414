/* progress: what a person sees while a net trains: a bar on a terminal, plain lines into a pipe.
 * Only rank 0 makes one. */
#pragma once
#include <stdio.h>

#include "launch/train/listener.h"

typedef struct ls_progress ls_progress;
/* Where `out` is a terminal that a person sees, a bar is redrawn in place at most ten times a
 * second; elsewhere a plain line is written about every ten seconds. Both also get a plain line at
 * the end of each epoch, at most one a second, and at the end of the stage. */
ls_progress *ls_progress_open(FILE *out);
void ls_progress_close(ls_progress *progress);

void ls_progress_step(ls_progress *progress, const ls_figures *figures);
/* A line of its own above the bar: "epoch 3/12: loss ..., valid accuracy ...", notices. */
void ls_progress_line(ls_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
