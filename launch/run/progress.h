/* progress: what a person sees while a net trains: a bar on a terminal, plain lines into a pipe.
 * Only rank 0 makes one. */
#pragma once
#include <stdbool.h>
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
/* A metric as lines have it: four digits behind the point, or where these are zeros "1.06e-05". */
void ls_progress_number(double value, char text[32]);
/* Writes what was printed to `out`. Where that fails, stderr hears of it once, and the program's
 * exit code does not: what the training did stands in the run directory. */
void ls_progress_flush(ls_progress *progress);
/* Whether that failed because nobody reads `out` any more: a pipe whose other end is closed. */
bool ls_progress_unread(const ls_progress *progress);
