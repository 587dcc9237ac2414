/* h5_keep: copies the attributes of an HDF5 object. */
#pragma once
#include <stdio.h>

#include "io/h5/h5.h"

/* Copies all attributes of `from` to `to` but those of HDF5's dimension scales, which refer to
 * objects. Of those that are neither numbers nor texts, or larger than HDF5's 64 KiB, it says to
 * `report` (NULL: nobody) that they were left out of `where`. LS_DATA errors where one can't be
 * read, LS_IO where it can't be written. */
bool ls_h5_keep_attributes(hid_t from, hid_t to, const char *where, FILE *report, ls_error *error);
