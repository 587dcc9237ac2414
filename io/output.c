/* output: HDF5 creates the temporary file of an atomic_file, and fills it. */
#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* The descriptor is HDF5's own, doubled: it outlives HDF5's and shares its lock. */
static int create_file(void *context, const char *temporary)
{
    ls_output *output = context;
    output->file = ls_h5_create(temporary);
    if (output->file < 0)
        return -1;
    int file = fcntl(ls_h5_descriptor(output->file), F_DUPFD_CLOEXEC, 0), reason = errno;
    if (file < 0) {
        H5Fclose(output->file);
        unlink(temporary);
        errno = reason;
    }
    return file;
}

bool ls_output_open(ls_output *output, const char *path, ls_error *error)
{
    output->target = ls_atomic_file_create_by(path, create_file, output, error);
    return output->target != NULL;
}

bool ls_output_close(ls_output *output, ls_error *error)
{
    char path[PATH_MAX];
    ls_h5_file(output->file, path, sizeof path);
    if (H5Fclose(output->file) >= 0)
        return ls_atomic_file_finish(output->target, error);
    ls_h5_fail_path(error, LS_IO, path, "can't write");
    ls_atomic_file_discard(output->target);
    return false;
}

void ls_output_discard(ls_output *output)
{
    H5Fclose(output->file);
    ls_atomic_file_discard(output->target);
}

bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error)
{
    ls_output output;
    if (!ls_output_open(&output, path, error))
        return false;
    if (fill(context, output.file, error))
        return ls_output_close(&output, error);
    ls_output_discard(&output);
    return false;
}

bool ls_output_pictures(hid_t x, ls_error *error)
{
    return ls_h5_put_double(x, "scale", 1.0 / 255, error) &&
           ls_h5_put_double(x, "offset", 0, error) && ls_h5_put_text(x, "layout", "NHWC", error);
}
