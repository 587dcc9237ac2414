/* contents: what a data set, checkpoint or run directory holds, as JSON, for inspect and verify. */
#pragma once
#include <jansson.h>

#include "core/check.h"

/* The contents of an HDF5 file, with
 *   file, bytes, kind   "checkpoint", "data set" or "HDF5 file"
 *   digest              {state: "holds", "broken" or "none", xxh3_128, step, reason}
 *   attributes          of the file
 *   objects             [{path, kind: group, array, link or other, attributes, and of arrays: type,
 *                       storage, shape, least, largest, mean, not_finite, not_finite_row (the
 * first; -1)}] Where the digest is broken, kind is null and attributes and objects are left out,
 * because HDF5 is not safe with damaged files. The caller frees it with json_decref. NULL and an
 * LS_DATA error where the file can't be read. */
json_t *ls_contents_file(const char *path, ls_error *error);
/* The contents of a run directory, with
 *   run, job      its path, and the text of its job (ls_resolved_name says of which file), or null
 *   history       [a record for each stage: stage, first_step, step, epoch, the numbers of the last
 *                 training record (loss, accuracy, rate, samples_per_second), the last evaluation
 *                 under the name of its split, and final, seconds, best and best_step of the final
 *                 record; "unreadable" counts the lines after it that are no JSON objects]
 *   checkpoints   [{file, step, bytes, finished, holds, reason}], newest first, then best.h5, then
 *                 stage-0.h5, ...
 * The caller frees it with json_decref. NULL and an error where it is no run directory. */
json_t *ls_contents_run(const char *path, ls_error *error);
/* Gets a checkpoint's path; it is `finished` if it has its .ok. */
typedef void ls_contents_visit(void *context, const char *path, bool finished);
/* Calls `visit` for each checkpoint of a run directory, newest first, then for best.h5, then
 * for stage-0.h5, ... LS_IO errors. */
bool ls_contents_each(const char *run, ls_contents_visit *visit, void *context, ls_error *error);
