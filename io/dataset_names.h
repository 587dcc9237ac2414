/* dataset_names: words about the names in a data file that mean nothing to a data set: what is left
 * out must not be left out in silence. */
#pragma once
#include <hdf5.h>
#include <stddef.h>

/* What stands at the root beside the names of splits: "val (for validation rows the name is valid),
 * notes", or "". Into text[size]; returns text. */
const char *ls_dataset_names_unused(hid_t file, char *text, size_t size);
/* What the file has in place of a split's x, and the command that gives it these names: "train
 * (data, label); ...". `path` is the file's. Into text[size]; returns text. */
const char *ls_dataset_names_found(hid_t file, const char *path, char *text, size_t size);
