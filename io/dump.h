/* dump: named arrays into an HDF5 file, so that another program can compare. LS_IO errors. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

typedef struct ls_dump ls_dump;
ls_dump *ls_dump_open(const char *path, ls_error *error); /* replaces the file */
/* `name` is a path: "output/net/conv1". [rows, shape] reals; rows < 0: no rows dimension. */
bool ls_dump_reals(ls_dump *dump, const char *name, long rows, const ls_shape *shape,
                   const real *values, ls_error *error);
/* Attributes of /. */
bool ls_dump_text(ls_dump *dump, const char *name, const char *value, ls_error *error);
bool ls_dump_number(ls_dump *dump, const char *name, double value, ls_error *error);
/* Frees the dump, whether that succeeds or not. */
bool ls_dump_close(ls_dump *dump, ls_error *error);
