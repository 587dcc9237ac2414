/* h5_frame: an HDF5 file in memory without the numbers of its data sets, of which it tells the
 * places. Whoever writes the file puts them there: so they are not copied once more. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

typedef struct ls_h5_frame {
    int file;    /* a descriptor of the file in memory; pages of numbers alone are not in memory */
    size_t size; /* of the finished file */
} ls_h5_frame;

/* Creates the file, which is called `path` in messages. -1 and an LS_IO error. */
hid_t ls_h5_frame_create(const char *path, ls_h5_frame *frame, ls_error *error);
/* Creates a contiguous data set of reals as ls_h5_create_dataset does; its numbers belong at
 * *offset of the file. LS_IO errors. */
bool ls_h5_frame_place(hid_t file, const char *path, int rank, const hsize_t *dims, size_t *offset,
                       ls_error *error);
/* Closes the file; the frame is complete then. False with an LS_IO error where it is not. */
bool ls_h5_frame_finish(hid_t file, ls_h5_frame *frame, ls_error *error);
/* Reads bytes of a finished frame. LS_IO errors, which name `path`. */
bool ls_h5_frame_read(const ls_h5_frame *frame, const char *path, size_t offset, size_t size,
                      void *bytes, ls_error *error);
/* To be called whether the steps above succeeded or not. */
void ls_h5_frame_release(ls_h5_frame *frame);
