/* report: the figures of a run while it trains, for the listener and for metrics.jsonl. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/rundir.h"
#include "launch/session/session.h"
#include "launch/train/listener.h"
#include "launch/train/timing.h"

typedef struct ls_report {
    const ls_listener *listener;
    const ls_session *session;   /* these three are borrowed */
    const ls_position *position; /* its stage is the one that runs */
    ls_rundir *run;              /* whose metrics.jsonl gets the records; NULL: none are written */
    /* The trainer fills in these two lines: the rate of each phase's last update; how long the
     * loader has waited (s), and what the last checkpoint cost, as ls_figures says. */
    double rate[LS_PHASES];
    double waited, held, written;
    double pace;   /* ls_pace_measure, for the listener and the records; 0: not known */
    double opened; /* when this start of the run began, by the clock, as all times here */
    /* When, and after how many rows and steps of the run, this start entered the stage. */
    double stage_start, stage_rows;
    long stage_first;
    ls_sums epoch[LS_PHASES];  /* since the epoch began */
    ls_sums record[LS_PHASES]; /* since the last record of metrics.jsonl */
    /* When that was; the run's rows and `waited` at that time. */
    double record_start, record_rows, record_waited;
    long lost; /* records that could not be written since one could */
    ls_timing timing;
} ls_report;

/* Hands a line to listener->notice, where there is one. */
void ls_report_notice(const ls_listener *listener, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The stage begins, or goes on, from position->stage_step. */
void ls_report_start(ls_report *report);
/* **Collective.** A step is done, with these sums[LS_PHASES] over the whole batch; a record about
 * 20 times an epoch. */
void ls_report_step(ls_report *report, const ls_sums *sums);
/* An evaluation is done, which took `seconds` and gave value[metrics]. */
void ls_report_evaluation(ls_report *report, const double *value, double seconds);
/* The numbers of the next update are broken: a record says why it is refused. */
void ls_report_failure(ls_report *report, const char *why);
/* The stage has ended: `how` is "done", "stopped early", or that with the reason. */
void ls_report_stage(ls_report *report, const char *how);
