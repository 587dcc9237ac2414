/* checks: what must hold between a job and its data before a run starts. */
#pragma once
#include "launch/session/session.h"

/* The rows to train and to judge by are there, and so are each stage's metric and average. */
bool ls_checks_pass(const ls_session *session, ls_error *error);
/* A layer that sums over the ranks within a pass (batchnorm sync=1); NULL: there is none. */
const ls_layer *ls_checks_meeting(const ls_session *session);
/* Such a layer sees the whole batch at once only where each rank has one shard of it. */
bool ls_checks_shards(const ls_session *session, int shards, ls_error *error);
