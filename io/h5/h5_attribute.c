/* h5_attribute: HDF5's calls for one attribute, behind functions for each type of value. */
#include "io/h5/h5_attribute.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/h5/h5_error.h"

/* Writes `count` values, or a scalar, of the type `memory`; `stored` is their type in the file. */
static bool put(hid_t object, const char *name, hid_t stored, hid_t memory, long count,
                const void *values, ls_error *error)
{
    ls_h5_start();
    const hsize_t dims[1] = {(hsize_t)count};
    hid_t space = count == LS_H5_SCALAR ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, dims, NULL);
    if (H5Aexists(object, name) > 0)
        H5Adelete(object, name);
    hid_t attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, memory, values) >= 0;
    if (!ok)
        ls_h5_fail(error, LS_IO, object, "can't write attribute %s", name);
    H5Aclose(attribute);
    H5Sclose(space);
    return ok;
}

/* The text has any length, as where h5py writes a `str`. */
bool ls_h5_put_text(hid_t object, const char *name, const char *value, ls_error *error)
{
    ls_h5_start();
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    bool ok = put(object, name, type, type, LS_H5_SCALAR, &value, error);
    H5Tclose(type);
    return ok;
}

bool ls_h5_put_lines(hid_t object, const char *name, char *const *line, long count, ls_error *error)
{
    size_t size = 1, used = 0;
    for (long i = 0; i < count; i++)
        size += strlen(line[i]) + 1;
    char *text = ls_alloc(size, 1);
    for (long i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "\n" : "", line[i]);
    bool ok = ls_h5_put_text(object, name, text, error);
    ls_free(text);
    return ok;
}

bool ls_h5_put_numbers(hid_t object, const char *name, hid_t memory, long count, const void *values,
                       ls_error *error)
{
    hid_t stored = H5Tget_class(memory) == H5T_FLOAT ? H5T_IEEE_F64LE : H5T_STD_I64LE;
    return put(object, name, stored, memory, count, values, error);
}

bool ls_h5_put_long(hid_t object, const char *name, long value, ls_error *error)
{
    return ls_h5_put_numbers(object, name, H5T_NATIVE_LONG, LS_H5_SCALAR, &value, error);
}

bool ls_h5_put_double(hid_t object, const char *name, double value, ls_error *error)
{
    return ls_h5_put_numbers(object, name, H5T_NATIVE_DOUBLE, LS_H5_SCALAR, &value, error);
}

/* An open attribute, with its type; both -1 where there is none. */
typedef struct found {
    bool failed; /* HDF5 can't look for it, or open it */
    hid_t attribute, type;
    H5T_class_t class;
    hssize_t points;
} found;

static found find(hid_t object, const char *name)
{
    ls_h5_start();
    found it = {.attribute = -1, .type = -1, .class = H5T_NO_CLASS};
    htri_t exists = H5Aexists(object, name);
    if (exists > 0)
        it.attribute = H5Aopen(object, name, H5P_DEFAULT);
    it.failed = exists < 0 || (exists && it.attribute < 0);
    if (it.attribute < 0)
        return it;
    it.type = H5Aget_type(it.attribute);
    it.class = H5Tget_class(it.type);
    hid_t space = H5Aget_space(it.attribute);
    it.points = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    return it;
}

static void finish(const found *it)
{
    H5Tclose(it->type);
    H5Aclose(it->attribute);
}

bool ls_h5_get_numbers(hid_t object, const char *name, hid_t memory, long count, void *values,
                       bool *present, ls_error *error)
{
    found it = find(object, name);
    *present = it.attribute >= 0;
    if (!*present)
        return !it.failed || ls_h5_fail(error, LS_DATA, object, "attribute %s can't be read", name);
    bool reals = H5Tget_class(memory) == H5T_FLOAT;
    bool fits = (it.class == H5T_INTEGER || (reals && it.class == H5T_FLOAT)) && it.points == count;
    bool ok = fits && H5Aread(it.attribute, memory, values) >= 0;
    if (!ok)
        ls_h5_fail(error, LS_DATA, object, "attribute %s: expected %ld %s", name, count,
                   reals ? "number(s)" : "whole number(s)");
    finish(&it);
    return ok;
}

bool ls_h5_get_long(hid_t object, const char *name, long *value, bool *present, ls_error *error)
{
    return ls_h5_get_numbers(object, name, H5T_NATIVE_LONG, 1, value, present, error);
}

bool ls_h5_get_double(hid_t object, const char *name, double *value, bool *present, ls_error *error)
{
    return ls_h5_get_numbers(object, name, H5T_NATIVE_DOUBLE, 1, value, present, error);
}

/* A text of varying length: HDF5 allocates it, and takes it back. */
static char *read_variable(const found *it)
{
    char *theirs = NULL;
    if (H5Aread(it->attribute, it->type, &theirs) < 0)
        return NULL;
    char *text = ls_copy_string(theirs ? theirs : "");
    H5free_memory(theirs);
    return text;
}

static char *read_fixed(const found *it)
{
    char *text = ls_alloc(H5Tget_size(it->type) + 1, 1);
    if (H5Aread(it->attribute, it->type, text) >= 0)
        return text;
    ls_free(text);
    return NULL;
}

bool ls_h5_get_text(hid_t object, const char *name, char **value, bool *present, ls_error *error)
{
    found it = find(object, name);
    *present = it.attribute >= 0;
    if (!*present)
        return !it.failed || ls_h5_fail(error, LS_DATA, object, "attribute %s can't be read", name);
    char *text = NULL;
    if (it.class == H5T_STRING && it.points == 1)
        text = H5Tis_variable_str(it.type) > 0 ? read_variable(&it) : read_fixed(&it);
    if (text)
        *value = text;
    else
        ls_h5_fail(error, LS_DATA, object, "attribute %s: expected a text", name);
    finish(&it);
    return text != NULL;
}
