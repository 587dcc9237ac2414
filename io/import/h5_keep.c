/* h5_keep: copies attributes by type: numbers, truth values and texts. */
#include "io/import/h5_keep.h"

#include <string.h>

#include "core/memory.h"
#include "core/print.h"

enum { BYTES_MAX = 60000 }; /* HDF5 keeps at most 64 KiB in an object header */

typedef struct keeper {
    hid_t to;
    const char *where;
    FILE *report;
    ls_error *error;
} keeper;

/* What HDF5 itself writes for dimension scales. */
static bool is_of_scales(const char *name)
{
    static const char *const names[] = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST",
                                        "DIMENSION_LABELS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Copies the values of an open attribute to a new one of the type `stored`. */
static bool copy_values(const keeper *k, hid_t from, const char *name, hid_t stored, hid_t memory,
                        hid_t space)
{
    size_t size = H5Tget_size(memory), points = (size_t)H5Sget_simple_extent_npoints(space);
    void *values = ls_alloc(points + 1, size);
    bool read = points == 0 || H5Aread(from, memory, values) >= 0;
    if (!read)
        ls_h5_fail(k->error, LS_DATA, from, "attribute %s of %s can't be read", name, k->where);
    if (read && H5Aexists(k->to, name) > 0)
        H5Adelete(k->to, name);
    hid_t copy = read ? H5Acreate2(k->to, name, stored, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    bool ok = copy >= 0 && (points == 0 || H5Awrite(copy, memory, values) >= 0);
    if (read && !ok)
        ls_h5_fail(k->error, LS_IO, k->to, "can't write attribute %s", name);
    ls_h5_close(copy);
    if (read && H5Tis_variable_str(memory) > 0)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, values);
    ls_free(values);
    return ok;
}

/* HDF5 calls it for each attribute. */
static herr_t keep(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    const keeper *k = context;
    if (is_of_scales(name))
        return 0;
    hid_t from = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(from);
    hid_t space = H5Aget_space(from), memory = -1, stored = H5Tcopy(type); /* which has no name */
    H5T_class_t class = H5Tget_class(type);
    bool kept =
        class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM || class == H5T_STRING;
    hssize_t points = H5Sget_simple_extent_npoints(space);
    kept = kept && points >= 0 && H5Tget_size(type) <= BYTES_MAX &&
           (size_t)points <= BYTES_MAX / H5Tget_size(type);
    if (kept)
        memory = class == H5T_STRING ? H5Tcopy(type) : H5Tget_native_type(type, H5T_DIR_ASCEND);
    bool ok = !kept || copy_values(k, from, name, stored, memory, space);
    if (!kept && k->report)
        ls_print(k->report,
                 "note: attribute %s of %s is left out; it holds no numbers or text, or "
                 "too many\n",
                 name, k->where);
    ls_h5_close(memory);
    ls_h5_close(stored);
    ls_h5_close(space);
    ls_h5_close(type);
    ls_h5_close(from);
    return ok ? 0 : -1;
}

bool ls_h5_keep_attributes(hid_t from, hid_t to, const char *where, FILE *report, ls_error *error)
{
    ls_error own = {0};
    keeper k = {.to = to, .where = where, .report = report, .error = &own};
    ls_h5_start();
    if (H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, keep, &k) >= 0)
        return true;
    if (!own.text[0])
        return ls_h5_fail(error, LS_DATA, from, "the attributes of %s can't be listed", where);
    return ls_error_set(error, own.code, "%s", own.text);
}
