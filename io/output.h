/* output: an HDF5 file that is made block by block and appears whole and durable, or not at all. */
#pragma once
#include "io/h5/h5.h"

/* Creates PATH.tmp, which the caller fills. -1 and an LS_IO error. */
hid_t ls_output_open(const char *path, ls_error *error);
/* Ends it: the file is closed, synced to the disk and renamed to PATH. LS_IO errors; PATH is then
 * as it was, and PATH.tmp gone. */
bool ls_output_close(hid_t file, const char *path, ls_error *error);
/* Gives it up: PATH is as it was, and PATH.tmp gone. */
void ls_output_discard(hid_t file, const char *path);
/* All of it: opens, has `fill` write the contents, and closes; or discards where that fails. */
typedef bool ls_output_fill(void *context, hid_t file, ls_error *error);
bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error);

/* The attributes of x of a data set of pictures, uint8 [rows, height, width, 1] as bytes of grey:
 * scale 1/255, offset 0, layout NHWC. LS_IO errors. */
bool ls_output_pictures(hid_t x, ls_error *error);
