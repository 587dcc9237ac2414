/* output: the data set file that an import makes: it appears whole and durable, or not at all. */
#pragma once
#include "io/h5/h5.h"

/* Writes the contents of an open file; what it is about is in `context`. */
typedef bool ls_output_fill(void *context, hid_t file, ls_error *error);

/* Whether `path` may be made: LS_USAGE where it is there already and not `force`. */
bool ls_output_allowed(const char *path, bool force, ls_error *error);
/* PATH.tmp is filled, synced to the disk and renamed to PATH; where something fails, PATH is as it
 * was and PATH.tmp gone. LS_IO errors, and those of `fill`. */
bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error);
/* Rows [first, first + n) of it, from `rows` in memory of type `memory`. LS_IO errors. */
bool ls_output_rows(hid_t dataset, hid_t memory, long first, long n, const void *rows,
                    ls_error *error);
