/* contents: what one of our files, or a run directory, holds, as JSON: for inspect and verify. */
#pragma once
#include <jansson.h>

#include "core/check.h"

/* Of an HDF5 file, with
 *   file, bytes, kind   "checkpoint", "data set" or "HDF5 file"
 *   digest              {state: "holds", "broken" or "none", xxh3_128, step, reason}
 *   attributes          of the file
 *   objects             [{path, kind: group, array, link or other, attributes, and of arrays: type,
 *                       storage, shape, least, largest, mean, not_finite}]
 * Where the digest is broken, kind is null and the rest left out: HDF5 is not safe with damaged
 * files. The caller gives it back with json_decref. NULL and an LS_DATA error where it can't be
 * read. */
json_t *ls_contents_file(const char *path, ls_error *error);
/* Of a run directory, with run, job (its text, or null), history [a record a stage] and checkpoints
 * [{file, step, bytes, holds, reason}], newest first, then best.h5. */
json_t *ls_contents_run(const char *path, ls_error *error);
/* Calls `visit` for each checkpoint of a run directory, newest first, then for best.h5 with step
 * -1. LS_IO errors. */
bool ls_contents_each(const char *run, void (*visit)(void *context, const char *path, long step),
                      void *context, ls_error *error);
/* The digest alone, as above: a file that has no .ok is not read. */
json_t *ls_contents_digest(const char *path, ls_error *error);
