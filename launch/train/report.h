/* report: the figures of a run while it trains, for the listener and for metrics.jsonl. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "io/rundir.h"
#include "launch/train/listener.h"
#include "launch/train/stage.h"

typedef struct ls_report {
    const ls_listener *listener;
    const ls_session *session; /* these three are borrowed */
    const ls_stage *stage;     /* the one that runs */
    const ls_position *position;
    ls_rundir *run; /* whose metrics.jsonl gets the records; NULL: none are written */
    double opened;  /* the time when this start of the run began, in seconds, as all times here */
    /* Since this start began the stage, or went on with it: the time, rows, and step at which. */
    double stage_start, stage_rows;
    long stage_first;
    ls_sums epoch; /* since the epoch began */
    /* Since the last record of metrics.jsonl: its time, rows, and what the loader had waited. */
    ls_sums record;
    double record_start, record_rows, record_waited;
} ls_report;

/* The stage begins, or goes on, from position->stage_step. */
void ls_report_start(ls_report *report);
/* A step is done, with these sums over the whole batch; a record about 20 times an epoch. */
void ls_report_step(ls_report *report, const ls_sums *sums);
/* An evaluation is done, which took `seconds` and gave these sums. */
void ls_report_evaluation(ls_report *report, const ls_sums *sums, double seconds);
/* The stage has ended: `how` is "done" or "stopped early". */
void ls_report_stage(ls_report *report, const char *how);
