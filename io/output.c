/* output: HDF5 files made as PATH.tmp. */
#include "io/output.h"

#include "core/memory.h"
#include "io/atomic_file.h"

hid_t ls_output_open(const char *path, ls_error *error)
{
    char *temporary = ls_atomic_file_temporary(path);
    hid_t file = ls_h5_create(temporary, error);
    ls_free(temporary);
    return file;
}

void ls_output_discard(hid_t file, const char *path)
{
    H5Fclose(file);
    ls_atomic_file_discard(path);
}

bool ls_output_close(hid_t file, const char *path, ls_error *error)
{
    if (H5Fclose(file) >= 0)
        return ls_atomic_file_finish(path, error);
    ls_atomic_file_discard(path);
    return ls_error_set(error, LS_IO, "%s: can't be written whole; is the disk full?", path);
}

bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error)
{
    hid_t file = ls_output_open(path, error);
    if (file < 0)
        return false;
    if (fill(context, file, error))
        return ls_output_close(file, path, error);
    ls_output_discard(file, path);
    return false;
}

bool ls_output_rows(hid_t dataset, hid_t memory, long first, long n, const void *rows,
                    ls_error *error)
{
    hsize_t start[H5S_MAX_RANK] = {(hsize_t)first}, count[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_dims(space, count, NULL);
    count[0] = (hsize_t)n;
    hid_t block = H5Screate_simple(rank, count, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dwrite(dataset, memory, block, space, H5P_DEFAULT, rows) >= 0;
    if (!ok)
        ls_h5_fail(error, LS_IO, dataset, "can't write rows from %ld", first);
    H5Sclose(block);
    H5Sclose(space);
    return ok;
}

bool ls_output_pictures(hid_t x, ls_error *error)
{
    return ls_h5_put_double(x, "scale", 1.0 / 255, error) &&
           ls_h5_put_double(x, "offset", 0, error) && ls_h5_put_text(x, "layout", "NHWC", error);
}
