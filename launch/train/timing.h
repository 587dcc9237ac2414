/* timing: what each rank spends a step on, measured in every step; the least, the median and the
 * largest of it over the ranks, gathered every few steps; and which machine is slower than the
 * others.
 *
 * All ranks end a step together, so what a step takes says nothing of a single rank. Its own share
 * is what it computes until its gradient is done; what it waits for others comes after. */
#pragma once
#include "core/watch.h"
#include "dist/comm.h"
#include "launch/train/listener.h"
#include "launch/train/slow.h"
#include "launch/train/timeline.h"

enum { LS_TIMING_EVERY = 5 }; /* steps, after which the ranks are compared */

typedef struct ls_timing {
    ls_comm *comm;
    const ls_listener *listener;
    ls_watch watch;        /* for all that time is spent on */
    ls_timeline *timeline; /* owned, stores it; NULL: none is wanted */
    double inner;          /* sums and waits since ls_timing_begin */
    /* Seconds: of the step that runs, and of `steps` since ls_timing_clear. */
    double step[LS_TIMES], total[LS_TIMES];
    long steps;
    /* The last steps' computing, step i at i % LS_SLOW_STEPS: seconds, and seconds a row. */
    double recent[LS_SLOW_STEPS], recent_row[LS_SLOW_STEPS];
    long recents;
    /* On rank 0, as last gathered. */
    ls_spread spread[LS_TIMES];
    struct ls_timing_place *place; /* [size] where each rank runs */
    int machines, *machine_sizes; /* [machines] ranks of each; of one machine, those of its nodes */
    int slow;                     /* the machine that was last called slow; -1: none is */
    double told;                  /* when that was said; 0: never */
} ls_timing;

extern const char *const ls_timing_names[LS_TIMES]; /* "compute", ... */

/* **Collective.** For ranks that no longer change nodes; `listener` is borrowed. `timing` stays
 * where it is. Release with ls_timing_release. */
void ls_timing_open(ls_timing *timing, ls_comm *comm, const ls_listener *listener);
void ls_timing_release(ls_timing *timing);
/* A stage begins: earlier steps do not count. */
void ls_timing_start(ls_timing *timing);
/* The training loop begins to spend time on one thing; returns when. It ends with ls_watch_end on
 * timing->watch; sums and waits in it are then not counted twice. */
double ls_timing_begin(ls_timing *timing);
/* A step over so many rows of this rank is done. */
void ls_timing_step(ls_timing *timing, long rows);
/* **Collective.** After step `step` of the run: on rank 0 finds the spread over the ranks of the
 * steps since ls_timing_clear, and a notice says which machine is slow, once, and when it is no
 * longer, at most once a minute. */
void ls_timing_gather(ls_timing *timing, long step);
void ls_timing_clear(ls_timing *timing);
