/* h5: HDF5 files and data sets by checked calls. hdf5.h is included in io only.
 *
 * Functions return false (or -1) with an error that names file, object and HDF5's own reason:
 * LS_DATA where they open and read, LS_IO where they create and write. */
#pragma once
#include "core/tensor.h"
#include "io/h5/h5_attribute.h"
#include "io/h5/h5_error.h"

hid_t ls_h5_real(void); /* the native type of `real`; borrowed */

/* Opens a file, read only, after its bytes have been checked (h5_check). Closing the file
 * (H5Fclose) closes every object in it too. */
hid_t ls_h5_open(const char *path, ls_error *error);
hid_t ls_h5_create(const char *path, ls_error *error); /* truncates */
/* File access properties as all of our files have them; the caller closes the list (H5Pclose). */
hid_t ls_h5_access(void);

/* Creates a contiguous data set at `path` below `parent` (groups on the way are made), its numbers
 * still to be written, and returns it; the caller closes it (H5Dclose). `stored` is its HDF5 type;
 * rank 0 is a scalar. The same calls give the same bytes of file: no times are kept. */
hid_t ls_h5_create_dataset(hid_t parent, const char *path, hid_t stored, int rank,
                           const hsize_t *dims, ls_error *error);
/* The same, written from `data` of the type `memory`, and closed. */
bool ls_h5_write(hid_t parent, const char *path, hid_t stored, hid_t memory, int rank,
                 const hsize_t *dims, const void *data, ls_error *error);
/* Writes rows [first, first + n) of a data set from `rows`, whose HDF5 type is `memory`. */
bool ls_h5_write_rows(hid_t dataset, hid_t memory, long first, long n, const void *rows,
                      ls_error *error);
/* Reads such rows. False where HDF5 can't, without an error: its own error stack says why. */
bool ls_h5_read_rows(hid_t dataset, hid_t memory, long first, long n, void *rows);
/* Opens the data set at `path`, the way to which must be hard links of this file and whose numbers
 * must lie in this file: external and soft links, external storage and virtual data sets are
 * errors. The caller closes it (H5Dclose). */
hid_t ls_h5_dataset(hid_t parent, const char *path, ls_error *error);
/* Whether an open data set has this shape; `path` names it in the message. */
bool ls_h5_shape_is(hid_t dataset, const char *path, int rank, const hsize_t *dims,
                    ls_error *error);
/* Reads the whole data set; its shape must be as given. */
bool ls_h5_read(hid_t parent, const char *path, hid_t memory, int rank, const hsize_t *dims,
                void *data, ls_error *error);
