/* weights: by which rows of a split can be drawn: the data set train/weight, or weight_train at the
 * root. */
#pragma once
#include "io/dataset.h"
#include "io/h5/h5.h"

/* Opens the weights of a split in the open file `path`, and describes them in *array. Returns the
 * data set (the caller closes it); -1 and an LS_DATA error where there are none, or they are not
 * one number for each row. */
hid_t ls_weights_open(hid_t file, const ls_split *split, const char *path, ls_array *array,
                      ls_error *error);
/* Reads weights [first, first + n) of such a data set, scale and offset applied; false: they can't
 * be read. */
bool ls_weights_read(hid_t from, const ls_array *array, long first, long n, double *weight);
/* Whether the split has weights; then *digest is of all of them. */
bool ls_weights_digest(hid_t file, const ls_split *split, uint64_t *digest);
