/* checks: what must hold between a job and its data before a run starts. */
#pragma once
#include "launch/session/session.h"

/* The rows to train and to judge by are there, and so are each stage's metric and average. */
bool ls_checks_pass(const ls_session *session, ls_error *error);
/* Whether a layer sums over the ranks within a pass (batchnorm sync=1). */
bool ls_checks_ranks_meet(const ls_session *session);
/* Such layers see the whole batch at once only where each rank has one shard of it. */
bool ls_checks_shards(const ls_session *session, int shards, ls_error *error);
