/* lengths: how many steps of each row of a split count, where rows are sequences of unequal length.
 */
#pragma once
#include "io/column.h"
#include "io/transform.h"

/* Reads length [rows] of the split, whose x is open, from the data set `path` of a file. Returns it
 * (the caller frees it with ls_free); NULL and an LS_DATA or LS_IO error. */
int32_t *ls_lengths_read(const ls_split *split, const ls_column *x, hid_t file, const char *path,
                         ls_error *error);
/* Whether they are from 1 to the steps of x; `name` is the file's. LS_DATA errors name row and
 * number. */
bool ls_lengths_check(const ls_split *split, const char *name, ls_error *error);
/* Whether rows of y have the steps of x: labels or targets [steps], or targets
 * [steps, ...]. */
bool ls_lengths_cut_y(const ls_split *split);
/* Whether the transforms leave each step where it is; `name` is the file's. LS_USAGE errors. */
bool ls_lengths_allow(const ls_transform_chain *chain, const char *name, ls_error *error);
/* A digest of all of them. */
uint64_t ls_lengths_digest(const ls_split *split);
