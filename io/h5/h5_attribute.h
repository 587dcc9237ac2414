/* h5_attribute: the attributes of an HDF5 object: texts, whole numbers, reals. */
#pragma once
#include <hdf5.h>

#include "core/check.h"

/* Writes an attribute in place of one of this name. LS_IO errors. */
bool ls_h5_put_text(hid_t object, const char *name, const char *value, ls_error *error);
bool ls_h5_put_long(hid_t object, const char *name, long value, ls_error *error);
bool ls_h5_put_longs(hid_t object, const char *name, const long *values, int count,
                     ls_error *error);
bool ls_h5_put_double(hid_t object, const char *name, double value, ls_error *error);
bool ls_h5_put_doubles(hid_t object, const char *name, const double *values, long count,
                       ls_error *error);
/* Reads an attribute. Where there is none, *present is false and the value untouched. LS_DATA
 * errors where it is of another type or count. */
bool ls_h5_get_text(hid_t object, const char *name, char **value, bool *present,
                    ls_error *error); /* the caller frees *value with ls_free */
bool ls_h5_get_long(hid_t object, const char *name, long *value, bool *present, ls_error *error);
bool ls_h5_get_longs(hid_t object, const char *name, long *values, int count, bool *present,
                     ls_error *error);
bool ls_h5_get_double(hid_t object, const char *name, double *value, bool *present,
                      ls_error *error);
bool ls_h5_get_doubles(hid_t object, const char *name, double *values, long count, bool *present,
                       ls_error *error);
