/* lengths: how many steps of each row of a split count, where rows are sequences of unequal length;
 * and orders of rows that go by them. */
#pragma once
#include "core/random.h"
#include "io/column.h"
#include "io/transform.h"

/* Reads length [rows] of the split, whose x is open, from the data set `path` of a file. Returns it
 * (the caller frees it with ls_free); NULL and an LS_DATA or LS_IO error. */
int32_t *ls_lengths_read(const ls_split *split, const ls_column *x, hid_t file, const char *path,
                         ls_error *error);
/* Whether all of splits[LS_SPLITS] have them that are present, or none has: without them all steps
 * of all rows would count, those that are padding too. `name` is the file's. LS_DATA errors. */
bool ls_lengths_match(const ls_split *splits, const char *name, ls_error *error);
/* Whether they are from 1 to the steps of x; `name` is the file's. LS_DATA errors name row and
 * number. */
bool ls_lengths_check(const ls_split *split, const char *name, ls_error *error);
/* Whether rows of y have the steps of x: labels or targets [steps], or targets
 * [steps, ...]. */
bool ls_lengths_cut_y(const ls_split *split);
/* Whether the transforms leave each step where it is; `name` is the file's. LS_USAGE errors. */
bool ls_lengths_allow(const ls_transform_chain *chain, const char *name, ls_error *error);
/* Sorts n rows, and their places (NULL: they have none) with them: the longest first, those of one
 * length as they stood. length[row] is that of a row. */
void ls_lengths_sort(const int32_t *length, long n, int64_t *row, int64_t *place);

/* An epoch of batches of similar lengths. The rows are shuffled and cut into groups of `bucket`
 * batches; each group is sorted by length (those of one length as they were drawn) and cut into
 * batches, within which rows stand as they were drawn; then the batches of all groups change places
 * at random. What fills no batch was drawn last and stays there. */
typedef struct ls_lengths_epoch {
    const int32_t *length;            /* [rows] */
    long rows, batch, bucket;         /* bucket: 1 or more */
    ls_random row_order, batch_order; /* of this epoch, for ls_random_permute */
} ls_lengths_epoch;
/* Fills row[epoch->rows]. */
void ls_lengths_bucket(const ls_lengths_epoch *epoch, int64_t *row);
/* A digest of all of them. */
uint64_t ls_lengths_digest(const ls_split *split);
