/* h5: checked HDF5 calls. hdf5.h is included in io only. Functions return false (or -1) with an
 * error that names file, object and HDF5's own reason; opening and reading fail with LS_DATA,
 * creating and writing with LS_IO. HDF5's own printing is switched off by ls_h5_start. */
#pragma once
#include <hdf5.h>

#include "core/check.h"
#include "core/tensor.h"

hid_t ls_h5_real(void); /* the native type of `real`; borrowed */

/* Switches HDF5's printing off; any number of times, from any thread (HDF5 keeps it by thread).
 * Every other function calls it. */
void ls_h5_start(void);
/* The name of the file that `object` lives in, for messages; returns text. */
const char *ls_h5_file(hid_t object, char *text, size_t size);
/* "FILE: message (HDF5: its innermost reason)". Call it right after the HDF5 call that failed, with
 * an object that is still open. Returns false. */
bool ls_h5_fail(ls_error *error, int code, hid_t object, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Closing the file closes every object in it too. Files are checked before HDF5 sees them. */
hid_t ls_h5_open(const char *path, ls_error *error);   /* read only */
hid_t ls_h5_create(const char *path, ls_error *error); /* truncates */
/* File access properties as all of our files have them; the caller closes the list (H5Pclose). */
hid_t ls_h5_access(void);
/* A file in memory, of about `expected` bytes (it grows where that is too little).
 * ls_h5_close_image closes it and leaves its bytes in *image, which must stay in place until then;
 * image->bytes is the caller's (ls_free), whether that succeeds or not. */
typedef struct ls_h5_image {
    void *bytes;
    size_t size;
} ls_h5_image;
hid_t ls_h5_create_image(const char *name, size_t expected, ls_h5_image *image, ls_error *error);
bool ls_h5_close_image(hid_t file, ls_h5_image *image, ls_error *error);
/* Opens `size` bytes of a file as it stands in memory, read only; they are borrowed and must stay
 * until the file is closed. `name` is for messages. */
hid_t ls_h5_open_image(const char *name, const void *bytes, size_t size, ls_error *error);
/* What HDF5 sees after such a name, for it refuses that of a file that exists. */
#define LS_H5_IN_MEMORY " (in memory)"
/* "PATH: message (HDF5: reason)", where no object is open yet. Returns -1. */
hid_t ls_h5_fail_path(ls_error *error, int code, const char *path, const char *message);

/* Creates a contiguous data set at `path` below `parent` (groups on the way are made) and writes
 * it. `stored` and `memory` are HDF5 types; rank 0 is a scalar. The same calls give the same bytes
 * of file: no times are kept. */
bool ls_h5_write(hid_t parent, const char *path, hid_t stored, hid_t memory, int rank,
                 const hsize_t *dims, const void *data, ls_error *error);
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
/* Attributes of the object; writing replaces. Reading: `present` false and the value untouched
 * where there is none. A text is the caller's: ls_free. */
bool ls_h5_put_text(hid_t object, const char *name, const char *value, ls_error *error);
bool ls_h5_put_long(hid_t object, const char *name, long value, ls_error *error);
bool ls_h5_put_longs(hid_t object, const char *name, const long *values, int count,
                     ls_error *error);
bool ls_h5_put_doubles(hid_t object, const char *name, const double *values, long count,
                       ls_error *error);
bool ls_h5_put_double(hid_t object, const char *name, double value, ls_error *error);
bool ls_h5_get_text(hid_t object, const char *name, char **value, bool *present, ls_error *error);
bool ls_h5_get_long(hid_t object, const char *name, long *value, bool *present, ls_error *error);
bool ls_h5_get_longs(hid_t object, const char *name, long *values, int count, bool *present,
                     ls_error *error);
bool ls_h5_get_doubles(hid_t object, const char *name, double *values, long count, bool *present,
                       ls_error *error);
bool ls_h5_get_double(hid_t object, const char *name, double *value, bool *present,
                      ls_error *error);
