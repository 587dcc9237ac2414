/* sampling: the job's keys `sampling` and `bucket`. */
#pragma once
#include "launch/session/session.h"

/* **Collective.** Gives each stage of the session whose rows are not shuffled its sampler, which
 * ls_session_close frees. LS_DATA errors, the same on all ranks, where the data has no weights or
 * labels to sample by, or no lengths to make batches by. */
bool ls_sampling_open(ls_session *session, ls_error *error);
