/* checks: what must hold between a job and its data before a run starts. */
#pragma once
#include "launch/session/session.h"

/* Whether a stage needs the targets of the data. */
bool ls_checks_takes_y(const ls_session *session);
/* The data has the rows to train on and to evaluate; each stage has the metric that the job judges
 * by, and, where the job evaluates it, an average of the weights. */
bool ls_checks_pass(const ls_session *session, ls_error *error);
/* **Collective.** Reads all rows that training will be judged by, spread over the ranks: what would
 * end the first evaluation ends the start. It takes as long as the reading of an evaluation. The
 * error is the same on all ranks. */
bool ls_checks_judged_rows(const ls_session *session, ls_error *error);
/* A layer that sums over the ranks within a pass (batchnorm sync=1); NULL: there is none. */
const ls_layer *ls_checks_synchronous(const ls_session *session);
/* With such a layer each rank must have one shard, so that each pass is of the whole batch. */
bool ls_checks_shards(const ls_session *session, int shards, ls_error *error);
/* Layers that take statistics over rows (batch norm) must get two numbers of a channel or more in
 * every step of the stages from `stage` on. *few says so where they get fewer than eight: the words
 * for a person, in few[size]; else it is "". */
bool ls_checks_statistics(const ls_session *session, long stage, int shards, char *few, size_t size,
                          ls_error *error);
/* A net that makes rows of noise, though its lines do not say of how many numbers. NULL: there is
 * none. */
const ls_net *ls_checks_noise(const ls_session *session);
/* A net that learns in no stage, though it has parameters: its name may be misspelt. NULL: there is
 * none. */
const ls_net *ls_checks_idle_net(const ls_session *session);
