/* h5_image: HDF5 files in memory. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

typedef struct ls_h5_image {
    void *bytes; /* the caller's: ls_free */
    size_t size;
} ls_h5_image;
/* Creates a file in memory, of about `expected` bytes (it grows where that is too little). */
hid_t ls_h5_create_image(const char *name, size_t expected, ls_h5_image *image, ls_error *error);
/* Closes such a file and leaves its bytes in *image, which must not have moved since it was
 * created; image->bytes is to be freed whether this succeeds or not. */
bool ls_h5_close_image(hid_t file, ls_h5_image *image, ls_error *error);
/* Opens `size` bytes of a file as it stands in memory, checked as ls_h5_open does, read only; they
 * are borrowed and must stay until the file is closed. `name` is for messages. */
hid_t ls_h5_open_image(const char *name, const void *bytes, size_t size, ls_error *error);
