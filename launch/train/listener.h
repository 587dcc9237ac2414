/* listener: callbacks by which a program follows a training run, and stops it. Training prints
 * nothing by itself. */
#pragma once
#include "core/objective.h"

/* What a rank spends a step on: the gradient of its shards; waiting for other ranks; waiting for
 * rows; the sum over the ranks; the update of its part of the parameters. */
typedef enum ls_time {
    LS_TIME_COMPUTE,
    LS_TIME_WAIT,
    LS_TIME_DATA,
    LS_TIME_SUM,
    LS_TIME_UPDATE,
    LS_TIMES
} ls_time;
/* Over the ranks. */
typedef struct ls_spread {
    double least, median, most;
} ls_spread;

/* What the steps take, on rank 0. */
typedef struct ls_work {
    int ranks;
    ls_spread spent[LS_TIMES]; /* seconds of a step, by the last steps that are known */
    /* Operations of products a second and rank, since the stage was entered; and what a product
     * reached before (pace.h; 0: not known). Products that Winograd's transforms shorten count as
     * if they were not, so the first may be larger. */
    double flops, pace;
} ls_work;

/* The state of training after a step or an evaluation. */
typedef struct ls_figures {
    int stage, stages;  /* the stage that runs, from 0; how many there are */
    long epoch, epochs; /* the epoch that runs, from 0; epochs 0: the stage is counted in steps */
    long step, steps;   /* steps of the stage: done so far, in all */
    double steps_per_epoch; /* a step may take several batches */
    bool epoch_end;         /* the last step took the last batch of an epoch */
    long run_step;          /* steps done since the run began */
    /* Of the epoch so far, or of an evaluation: the value of each metric of the stage's objective
     * (of an epoch, NaN for those that only evaluations have); and what they tell of a training
     * that goes wrong, or NULL. */
    double value[LS_METRICS];
    const ls_objective *objective;
    const char *trouble;
    double samples_per_second; /* of this stage since this start */
    double seconds;            /* spent in this stage since this start */
    double seconds_left;       /* of the stage; < 0: not known */
    double waiting;            /* share of the time spent waiting for data, 0 to 1 */
    ls_work work;
    double held, written; /* seconds that the last checkpoint held training up, and after which
                           * it was on the disk; 0: there was none */
} ls_figures;

/* Every rank calls its own listener; any member may be NULL. A program that prints fills the
 * listener of rank 0 only. */
typedef struct ls_listener {
    void *context;
    void (*notice)(void *context, const char *text); /* a line for a person; most on rank 0 only */
    void (*step)(void *context, const ls_figures *figures);
    /* `best`: no evaluation of the run was better. */
    void (*evaluation)(void *context, const ls_figures *figures, const char *split, bool best);
    void (*stage_end)(void *context, const ls_figures *figures, const char *how);
    /* Asked at every step: why the run should stop, NULL: it should go on. If any rank answers, all
     * stop after the step, with a checkpoint. */
    const char *(*stop)(void *context);
} ls_listener;
