/* h5_copy: copies data sets and attributes from one HDF5 file into another, so that every failure
 * is told: H5Ocopy crashes where a read or a write of it fails. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Copies the data set `path` of `source`, of at least one dimension, to `to`, below `target`, with
 * its attributes; it becomes contiguous. LS_IO errors; LS_DATA where stored bytes are damaged. */
bool ls_h5_copy_dataset(hid_t source, const char *path, hid_t target, const char *to,
                        ls_error *error);
/* Copies the attributes of an object to another that does not have them yet, but for references to
 * objects, as those of dimension scales. LS_IO errors. */
bool ls_h5_copy_attributes(hid_t from, hid_t to, ls_error *error);
