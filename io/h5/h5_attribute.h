/* h5_attribute: the attributes of an HDF5 object: texts, whole numbers, reals. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Writes an attribute in place of one of this name. LS_IO errors. */
bool ls_h5_put_text(hid_t object, const char *name, const char *value, ls_error *error);
/* A text of several lines, a '\n' between each two. */
bool ls_h5_put_lines(hid_t object, const char *name, char *const *line, long count,
                     ls_error *error);
bool ls_h5_put_long(hid_t object, const char *name, long value, ls_error *error);
bool ls_h5_put_double(hid_t object, const char *name, double value, ls_error *error);
enum { LS_H5_SCALAR = -1 };
/* Writes values[count], or one value that is no list where `count` is LS_H5_SCALAR. They are of the
 * type `memory`: H5T_NATIVE_LONG or H5T_NATIVE_DOUBLE. */
bool ls_h5_put_numbers(hid_t object, const char *name, hid_t memory, long count, const void *values,
                       ls_error *error);
/* Reads an attribute. Where there is none, *present is false and the value untouched. LS_DATA
 * errors where it is of another type or count; a whole number is also a double. The caller frees a
 * text with ls_free. */
bool ls_h5_get_text(hid_t object, const char *name, char **value, bool *present, ls_error *error);
bool ls_h5_get_long(hid_t object, const char *name, long *value, bool *present, ls_error *error);
bool ls_h5_get_double(hid_t object, const char *name, double *value, bool *present,
                      ls_error *error);
bool ls_h5_get_numbers(hid_t object, const char *name, hid_t memory, long count, void *values,
                       bool *present, ls_error *error);
