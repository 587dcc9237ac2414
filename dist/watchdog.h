/* watchdog: says which ranks a run waits for when none makes progress, and ends a run that has
 * halted.
 *
 * Each rank has a thread that calls no MPI. It looks at the board of its node (board.h) now and
 * then; where all ranks have stood still for a while it asks the other nodes (inquiry.h). A rank
 * makes progress when it publishes something, and, unless it waits for others, when its process
 * computes or moves bytes: so neither a long step nor a long evaluation, checkpoint or opening is a
 * halt. Time in which this process was stopped does not count. */
#pragma once
#include "dist/comm.h"

typedef struct ls_watchdog_plan {
    double warn, abort; /* seconds in which no rank made progress; 0: never */
} ls_watchdog_plan;

typedef struct ls_watchdog ls_watchdog;

/* **Collective.** To be called before ls_comm_regroup. After plan->warn one rank writes to stderr
 * which ranks are late, what they do and since when, and who waits for them. After plan->abort late
 * ranks write their backtraces, and all processes end with LS_STALLED at once, as nothing else ends
 * one that has halted; only a run whose reader of stdout has halted is left alone. SIGUSR2 to a
 * process makes it write its backtrace. NULL, and an error if the ranks of a node can't share a
 * board; NULL without one (code 0) if the plan is never to do anything. */
ls_watchdog *ls_watchdog_start(ls_comm *comm, const ls_watchdog_plan *plan, ls_error *error);
void ls_watchdog_stop(ls_watchdog *watchdog); /* **Collective** over the nodes of the start. */
