/* h5_check: opens an HDF5 file after a look at its bytes, for HDF5 is not safe with damaged or
 * hostile ones: some make it crash, some never end. */
#pragma once
#include "io/h5/h5.h"

/* The bytes of the file `path` must be well-formed as far as HDF5 will rely on it: every header,
 * tree, heap and reference from the superblock on. Not the numbers, but of
 * gzip's chunks the first 16 MiB must unpack to their size; and what has checksums (chunk
 * indexes and names of libver='latest') is left to HDF5. Then HDF5 opens `name` with `access`. -1
 * and an LS_DATA error, which names the byte. */
hid_t ls_h5_check_open(const char *path, const void *bytes, size_t size, const char *name,
                       hid_t access, ls_error *error);
