/* dump: writes named arrays into an HDF5 file, for another program to compare with. All
 * errors are LS_IO. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

typedef struct ls_dump ls_dump;
ls_dump *ls_dump_open(const char *path, ls_error *error); /* replaces the file */
/* Writes an array of shape [rows, shape], or [shape] where rows < 0. `name` is a path:
 * "output/net/conv1". */
bool ls_dump_reals(ls_dump *dump, const char *name, long rows, const ls_shape *shape,
                   const real *values, ls_error *error);
/* Write attributes of the file. */
bool ls_dump_text(ls_dump *dump, const char *name, const char *value, ls_error *error);
bool ls_dump_number(ls_dump *dump, const char *name, double value, ls_error *error);
/* Frees the dump, whether closing succeeds or not. */
bool ls_dump_close(ls_dump *dump, ls_error *error);
