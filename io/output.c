/* output: an HDF5 file is filled as PATH.tmp, then given its name. */
#include "io/output.h"

#include "core/memory.h"
#include "io/atomic_file.h"

bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error)
{
    char *temporary = ls_atomic_file_temporary(path);
    hid_t file = ls_h5_create(temporary, error);
    ls_free(temporary);
    if (file < 0)
        return false;
    bool filled = fill(context, file, error), closed = H5Fclose(file) >= 0;
    if (filled && closed)
        return ls_atomic_file_finish(path, error);
    if (filled)
        return ls_atomic_file_fail(path, error);
    ls_atomic_file_discard(path);
    return false;
}

bool ls_output_pictures(hid_t x, ls_error *error)
{
    return ls_h5_put_double(x, "scale", 1.0 / 255, error) &&
           ls_h5_put_double(x, "offset", 0, error) && ls_h5_put_text(x, "layout", "NHWC", error);
}
