/* job_compatible: may a run that was begun with one job go on with another? */
#pragma once
#include "launch/job/job.h"

/* May a run begun as `before` go on as `now`, in stage `stage`? The table of keys says which keys
 * may change: freely, with a line to `notice` (NULL: nobody listens), or not at all; nothing of the
 * stages that are done may change. Both jobs are completed by ls_job_defaults. LS_USAGE errors that
 * name the key, both values and what to do. */
bool ls_job_compatible(const ls_job *before, const ls_job *now, long stage,
                       void (*notice)(void *context, const char *text), void *context,
                       ls_error *error);
