/* changes: may a run go on with a job that differs from the one that it was begun with? */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"
#include "launch/train/listener.h"

/* Whether a run of the job `before` may go on with session->job; `where` is the checkpoint's path.
 * Then *position, as the checkpoint holds it, is converted to the new batch, shards and evaluation,
 * with a notice for each change that matters. LS_USAGE and LS_DATA errors. */
bool ls_changes_accept(const ls_session *session, const ls_job *before, const char *where,
                       const ls_listener *listener, ls_position *position, ls_error *error);
