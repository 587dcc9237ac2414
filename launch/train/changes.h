/* changes: what is different between the job that a run was begun with and the job it goes on with,
 * and where the run stands for it. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"
#include "launch/train/listener.h"

/* Whether the run may go on with session->job; then changes *position, which a checkpoint written
 * with `before` held, to what it is for that job, with a notice for each thing that a person should
 * know. LS_USAGE and LS_DATA errors; `where` is the checkpoint's path. */
bool ls_changes_accept(const ls_session *session, const ls_job *before, const char *where,
                       const ls_listener *listener, ls_position *position, ls_error *error);
