/* timeline: what each rank did when, as a trace that chrome://tracing and Perfetto show: a JSON
 * array of complete events, a process for each machine, a thread for each rank.
 *
 * While the run goes on, each rank stores its spans in a ring in its memory: 32 bytes a span, no
 * file, no message. The ring holds the last 2^16 of them, fewer where there are many ranks: for a
 * million in all. At the end all ranks hand them to rank 0 block by block, which writes the file;
 * they are of whole steps, the last ones. */
#pragma once
#include "core/watch.h"
#include "launch/session/session.h"
#include "launch/train/listener.h"

typedef struct ls_timeline ls_timeline;

/* **Collective.** For a file PATH (borrowed, as is the session). NULL and an error, the same on all
 * ranks, where it can't be written, or something else than an earlier timeline is there. Free with
 * ls_timeline_destroy. */
ls_timeline *ls_timeline_create(const ls_session *session, const char *path, ls_error *error);
void ls_timeline_destroy(ls_timeline *timeline);
/* From now on the passes through each net that the objective, which is compiled, trains are stored.
 */
void ls_timeline_watch(ls_timeline *timeline, ls_objective *objective);
void ls_timeline_note(ls_timeline *timeline, const ls_span *span);
/* **Collective.** Writes the file; the listener gets a notice of how many steps are in it, or that
 * it could not be written. */
void ls_timeline_write(ls_timeline *timeline, const ls_listener *listener);
