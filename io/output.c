/* output: a data set file made as PATH.tmp, its arrays written block by block. */
#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"

bool ls_output_allowed(const char *path, bool force, ls_error *error)
{
    return force || access(path, F_OK) != 0 ||
           ls_error_set(error, LS_USAGE, "%s: is there already; --force overwrites it", path);
}

static bool sync_file(const char *path, ls_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    bool ok =
        (descriptor >= 0 && fsync(descriptor) == 0) ||
        ls_error_set(error, LS_IO, "%s: can't sync it to the disk: %s", path, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return ok;
}

bool ls_output_make(const char *path, ls_output_fill *fill, void *context, ls_error *error)
{
    char *temporary = ls_format("%s.tmp", path);
    hid_t file = ls_h5_create(temporary, error);
    bool ok = file >= 0 && fill(context, file, error);
    if (file >= 0 && H5Fclose(file) < 0 && ok)
        ok = ls_error_set(error, LS_IO, "%s: can't be written whole; is the disk full?", temporary);
    ok = ok && sync_file(temporary, error);
    if (file >= 0 && !ok)
        unlink(temporary);
    ls_free(temporary);
    return ok && ls_atomic_file_rename(path, error);
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
