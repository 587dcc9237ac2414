/* h5_check: judges the bytes of an HDF5 file before HDF5 sees them, for HDF5 is not safe with
 * damaged or hostile ones: some make it crash, others make it run for ever. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Checks the `size` bytes of the file `path`, then has HDF5 open it, read only, by `name` with the
 * properties `access`; the caller closes it (H5Fclose). The bytes must stay until it returns.
 * Checked is every header, tree, heap and address that HDF5 will rely on. Not checked: the numbers;
 * of gzip's chunks all after the first 16 MiB; and what has checksums (chunk indexes and names of
 * libver='latest'), which HDF5 checks itself. -1 and an LS_DATA error that names the byte where the
 * file is refused. */
hid_t ls_h5_check_open(const char *path, const void *bytes, size_t size, const char *name,
                       hid_t access, ls_error *error);
