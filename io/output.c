/* output: an HDF5 file is filled as PATH.tmp, then given its name. */
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

bool ls_output_pictures(hid_t x, ls_error *error)
{
    return ls_h5_put_double(x, "scale", 1.0 / 255, error) &&
           ls_h5_put_double(x, "offset", 0, error) && ls_h5_put_text(x, "layout", "NHWC", error);
}
