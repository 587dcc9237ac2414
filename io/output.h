/* output: an HDF5 file that is made block by block and appears whole and durable, or not at all. */
#pragma once
#include "io/h5/h5.h"

/* Creates PATH.tmp, has `fill` write the contents, closes and syncs it, and renames it to PATH.
 * LS_IO errors, and those of `fill`; PATH is then as it was, and PATH.tmp gone. */
typedef bool ls_output_fill(void *context, hid_t file, ls_error *error);
bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error);

/* The attributes of x of a data set of pictures, uint8 [rows, height, width, 1] as bytes of grey:
 * scale 1/255, offset 0, layout NHWC. LS_IO errors. */
bool ls_output_pictures(hid_t x, ls_error *error);
