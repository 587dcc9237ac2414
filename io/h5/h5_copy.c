/* h5_copy: data sets some MiB at a time, attributes one by one. */
#include "io/h5/h5_copy.h"

#include "core/memory.h"
#include "io/h5/h5.h"

enum { BLOCK = 1 << 22 /* bytes read and written at a time */ };

/* Frees what HDF5 allocated when it read `count` values of a type: texts and lists of varying
 * length. */
static void free_values(hid_t type, hsize_t count, void *values)
{
    if (H5Tdetect_class(type, H5T_VLEN) <= 0 && H5Tis_variable_str(type) <= 0)
        return;
    hid_t space = H5Screate_simple(1, &count, NULL);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    H5Sclose(space);
}

static bool copy_value(hid_t old, hid_t type, hid_t to, const char *name)
{
    hid_t space = H5Aget_space(old);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    void *values = ls_alloc((size_t)(points > 0 ? points : 0), H5Tget_size(type));
    hid_t copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool read = points > 0 && H5Aread(old, type, values) >= 0;
    bool ok = copy >= 0 && (points <= 0 || (read && H5Awrite(copy, type, values) >= 0));
    if (read)
        free_values(type, (hsize_t)points, values);
    ls_free(values);
    ls_h5_close(copy);
    ls_h5_close(space);
    return ok;
}

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *context)
{
    hid_t to = *(hid_t *)context;
    if (H5Aexists(to, name) > 0)
        return 0;
    hid_t old = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(old);
    /* A reference is the place of an object in the source: here something else is there. */
    bool ok = H5Tdetect_class(type, H5T_REFERENCE) > 0 || copy_value(old, type, to, name);
    ls_h5_close(type);
    ls_h5_close(old);
    return ok ? 0 : -1;
}

bool ls_h5_copy_attributes(hid_t from, hid_t to, ls_error *error)
{
    return H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &to) >= 0 ||
           ls_h5_fail(error, LS_IO, from, "can't copy attributes");
}

/* `path` is that of `from`; `row`: the values of a row. */
static bool copy_rows(hid_t from, const char *path, hid_t to, hid_t type, long rows, size_t row,
                      ls_error *error)
{
    size_t bytes = row * H5Tget_size(type);
    long most = bytes < BLOCK ? (long)(BLOCK / (bytes ? bytes : 1)) : 1;
    most = rows < most ? rows : most;
    void *values = ls_alloc((size_t)most, bytes);
    bool ok = true;
    for (long first = 0, n; ok && first < rows; first += n) {
        n = rows - first < most ? rows - first : most;
        if (!ls_h5_read_rows(from, type, first, n, values)) {
            ok = ls_h5_fail_read(error, from, path, first);
            break;
        }
        ok = ls_h5_write_rows(to, type, first, n, values, error);
        free_values(type, (hsize_t)n * row, values);
    }
    ls_free(values);
    return ok;
}

bool ls_h5_copy_dataset(hid_t source, const char *path, hid_t target, const char *to,
                        ls_error *error)
{
    hid_t from = ls_h5_dataset(source, path, error);
    if (from < 0)
        return false;
    hsize_t dims[H5S_MAX_RANK] = {1};
    hid_t stored = H5Dget_type(from), space = H5Dget_space(from);
    hid_t type = H5Tcopy(stored); /* which has no name in the source */
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    size_t row = 1;
    for (int i = 1; i < rank; i++)
        row *= dims[i];
    hid_t copy = ls_h5_create_dataset(target, to, type, rank, dims, error);
    bool ok = copy >= 0 && copy_rows(from, path, copy, type, (long)dims[0], row, error) &&
              ls_h5_copy_attributes(from, copy, error);
    ls_h5_close(copy);
    H5Tclose(type);
    H5Sclose(space);
    H5Tclose(stored);
    H5Dclose(from);
    return ok;
}
