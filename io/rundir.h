/* rundir: the run directory: made, locked, job.yaml, metrics.jsonl. Only rank 0 calls these. */
#pragma once
#include "core/check.h"

typedef struct ls_rundir ls_rundir;
/* Makes the directory and its checkpoints/ and takes its lock (fcntl: kill -9 leaves none).
 * LS_IN_USE names the holder's host and process; LS_IO where it can't be made. On a file system
 * without locks it says so on stderr and goes on. Close with ls_rundir_close. */
ls_rundir *ls_rundir_open(const char *path, ls_error *error);
void ls_rundir_close(ls_rundir *run);
/* Removes checkpoints, metrics and samples of an earlier run (--overwrite). */
bool ls_rundir_clear(ls_rundir *run, ls_error *error);
/* Writes a small file whole: temporary file, fsync, rename. */
bool ls_rundir_put(ls_rundir *run, const char *name, const char *text, ls_error *error);
/* Appends a line to metrics.jsonl, at once. `json` is one object, without a newline. */
bool ls_rundir_metrics(ls_rundir *run, const char *json, ls_error *error);
/* Drops the records whose "step" (over all stages) comes after `step`, which a resumed run writes
 * anew, and lines that are not JSON objects, such as half a line at the end. */
bool ls_rundir_metrics_rewind(ls_rundir *run, long step, ls_error *error);
