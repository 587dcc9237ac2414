/* dataset_check: the checks that an array of a data file must pass before a row of it is read. */
#pragma once
#include "io/dataset.h"
#include "io/h5/h5.h"

/* Opens the data set at `path` ("train/x"), checks it and fills *array, whose shape is that of a
 * row as stored: {} for [rows]. Returns the open data set (the caller closes it with H5Dclose), or
 * -1 and an LS_DATA error that names file, data set, what was found and what was expected. */
hid_t ls_dataset_check_open(hid_t file, const char *path, ls_array *array, ls_error *error);
/* Sets *exists: whether there is anything at `path`. A soft or external link on the way counts as
 * something, and is not followed. An error where the file can't be read there. */
bool ls_dataset_check_exists(hid_t file, const char *path, bool *exists, ls_error *error);
/* Where an array ("x") of a split may stand: writes "train/x" or, at the root, "x_train" to
 * path[size]. */
enum { LS_DATASET_CHECK_PLACES = 2 };
void ls_dataset_check_place(int place, const char *split, const char *array, char *path,
                            size_t size);
/* Opens the data set that `array` describes once more, in place of *dataset, with memory for so
 * many bytes of unpacked chunks. */
bool ls_dataset_check_reopen(hid_t file, ls_array *array, double bytes, hid_t *dataset,
                             ls_error *error);
/* The names in a group, "a, b, c", in text[size]; or "nothing". For messages. */
const char *ls_dataset_check_names(hid_t group, char *text, size_t size);
/* Whether an open data set of numbers of any type has rows of a size that a machine can hold, and
 * was written to the last of them, by known filters and in chunks of a sane size. LS_DATA errors.
 */
bool ls_dataset_check_stored(hid_t dataset, const char *path, ls_error *error);
/* Whether these are numbers that import h5 takes, which has more types than a data set may have:
 * whole ones of 1, 2, 4 or 8 bytes, floats, enumerations of these, and bytes of bits. */
bool ls_dataset_check_is_number(hid_t type);
/* Whether these are numpy's booleans: the names FALSE and TRUE for a byte of 0 and 1. */
bool ls_dataset_check_is_boolean(hid_t type);
/* What a data set of this type holds: "16-bit unsigned integers", "records". For messages. */
void ls_dataset_check_describe_type(hid_t type, char *text, size_t size);
/* HDF5's name for `type` in memory, in native byte order; borrowed. */
hid_t ls_dataset_check_memory_type(ls_dtype type);
