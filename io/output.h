/* output: an HDF5 file that is made block by block and appears whole and durable, or not at all. */
#pragma once
#include "io/atomic_file.h"
#include "io/h5/h5.h"

typedef struct ls_output {
    ls_atomic_file *target;
    hid_t file; /* what is written into */
} ls_output;

/* Begins the HDF5 file PATH (io/atomic_file.h). LS_IO errors. */
bool ls_output_open(ls_output *output, const char *path, ls_error *error);
/* Finishes it, durably. LS_IO errors; PATH is then as it was, and nothing is left. */
bool ls_output_close(ls_output *output, ls_error *error);
/* Gives it up: nothing is left of it. */
void ls_output_discard(ls_output *output);

/* All of this, with the contents that `fill` writes. LS_IO errors, and those of `fill`. */
typedef bool ls_output_fill(void *context, hid_t file, ls_error *error);
bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error);

/* The attributes of x of a data set of pictures, uint8 [rows, height, width, channels]:
 * scale 1/255, offset 0, layout NHWC. LS_IO errors. */
bool ls_output_pictures(hid_t x, ls_error *error);
