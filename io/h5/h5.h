/* h5: opens, creates, reads and writes HDF5 files and data sets. hdf5.h is included in io only.
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
/* Creates an HDF5 file in the empty file that is open as `descriptor`, which stays the caller's.
 * `path` is what messages call it. */
hid_t ls_h5_create(const char *path, int descriptor, ls_error *error);
/* Closes it. False and an error where not all of it could be written. */
bool ls_h5_close_written(hid_t file, ls_error *error);

/* Opens `size` bytes of a file as it stands in memory, checked as ls_h5_open does, read only; they
 * are borrowed and must stay until the file is closed. `name` is for messages. */
hid_t ls_h5_open_image(const char *name, const void *bytes, size_t size, ls_error *error);

/* Creates a contiguous data set at `path` below `parent` and the groups on the way to it; the
 * caller writes its numbers and closes it (H5Dclose). `stored` is its HDF5 type; rank 0 is a
 * scalar. No times are kept, so that the same calls give the same bytes of file. */
hid_t ls_h5_create_dataset(hid_t parent, const char *path, hid_t stored, int rank,
                           const hsize_t *dims, ls_error *error);
/* Creates such a data set, writes it from `data` of the type `memory`, and closes it. */
bool ls_h5_write(hid_t parent, const char *path, hid_t stored, hid_t memory, int rank,
                 const hsize_t *dims, const void *data, ls_error *error);
/* Writes rows [first, first + n) of a data set from `rows`, whose HDF5 type is `memory`. */
bool ls_h5_write_rows(hid_t dataset, hid_t memory, long first, long n, const void *rows,
                      ls_error *error);
/* Reads rows in the same way. Where HDF5 can't, returns false but sets no error: HDF5's own error
 * stack says why, as ls_h5_fail expects. */
bool ls_h5_read_rows(hid_t dataset, hid_t memory, long first, long n, void *rows);
/* Opens the data set at `path`. It must be reached by hard links, and its numbers must lie in this
 * file: soft and external links, external storage and virtual data sets are errors. The caller
 * closes it (H5Dclose). */
hid_t ls_h5_dataset(hid_t parent, const char *path, ls_error *error);
/* Opens what is at `path`, a group or data set; soft links inside the file are followed, links out
 * of it are not. -1 where there is nothing. */
hid_t ls_h5_object_linked(hid_t parent, const char *path);
/* The same for a data set, whose numbers must lie in this file. */
hid_t ls_h5_dataset_linked(hid_t parent, const char *path, ls_error *error);
/* Whether an open data set has this shape; `path` names it in the message. */
bool ls_h5_shape_is(hid_t dataset, const char *path, int rank, const hsize_t *dims,
                    ls_error *error);
/* Reads the whole data set; its shape must be as given. */
bool ls_h5_read(hid_t parent, const char *path, hid_t memory, int rank, const hsize_t *dims,
                void *data, ls_error *error);
