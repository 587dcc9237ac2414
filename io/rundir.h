/* rundir: the run directory: its lock, job.yaml, metrics.jsonl. Only rank 0 has one. */
#pragma once
#include "core/check.h"

enum { LS_RUNDIR_TEXT = 1 << 30 /* bytes; a text in a run directory that is larger is damaged */ };

typedef struct ls_rundir ls_rundir;
/* Makes the directory and its checkpoints/, and locks it with fcntl, so that kill -9 leaves no
 * lock. LS_IN_USE errors name the host and process that hold it; LS_IO if it can't be made, or the
 * lock fails. If the file system has no locks, says so on stderr and goes on. Close with
 * ls_rundir_close. */
ls_rundir *ls_rundir_open(const char *path, ls_error *error);
void ls_rundir_close(ls_rundir *run);
/* Whether the directory is still this job's; to be asked before something is written into it. A
 * lock file that somebody removed is made anew, with a notice on stderr. LS_IN_USE errors where
 * another job has taken the directory meanwhile, LS_IO where it was removed or replaced. */
bool ls_rundir_check(ls_rundir *run, ls_error *error);
/* Removes checkpoints, metrics and samples of an earlier run (--overwrite), by the names that runs
 * give their files: whatever else lies beside them stays. */
bool ls_rundir_clear(ls_rundir *run, ls_error *error);
/* Writes a small file that appears whole or not at all (io/atomic_file.h). */
bool ls_rundir_put(ls_rundir *run, const char *name, const char *text, ls_error *error);
/* Appends a line to metrics.jsonl; where that fails, no part of it stays there. `json` is one
 * object, without a newline. LS_IO errors, and those of ls_rundir_check. */
bool ls_rundir_metrics(ls_rundir *run, const char *json, ls_error *error);
/* Removes the records of steps after `step` (counted over all stages), which a resumed run writes
 * again, those of `step` itself without a member `needed` (NULL: none), and lines that are no JSON
 * objects, such as half a line at the end. LS_IO errors; LS_DATA where the file is larger than any
 * run's: then it stays as it is. */
bool ls_rundir_metrics_rewind(ls_rundir *run, long step, const char *needed, ls_error *error);
