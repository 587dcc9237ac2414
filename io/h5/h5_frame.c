/* h5_frame: an HDF5 file in memory without the numbers of its data sets.
 *
 * HDF5 gives a data set its place in the file when its first number is written: so one number of
 * each is, a zero. The file is laid out as HDF5 lays out one that it writes whole, but most of it
 * is holes, which take no memory. */
#include "io/h5/h5_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "io/file.h"
#include "io/h5/h5.h"
#include "io/h5/h5_driver.h"

static bool fail(const char *path, const char *doing, ls_error *error)
{
    return ls_error_set(error, LS_IO, "%s: can't %s its frame in memory: %s", path, doing,
                        strerror(errno));
}

hid_t ls_h5_frame_create(const char *path, ls_h5_frame *frame, ls_error *error)
{
    ls_h5_start();
    *frame = (ls_h5_frame){.file = memfd_create("frame", MFD_CLOEXEC)};
    if (frame->file < 0) {
        fail(path, "keep", error);
        return -1;
    }
    hid_t list = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    ls_h5_driver_use(list, frame->file, 0);
    /* Without this buffer a single number is written as such. */
    if (H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0 || H5Pset_sieve_buf_size(list, 0) < 0 ||
        (file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, list)) < 0)
        ls_h5_fail_path(error, LS_IO, path, "can't create an HDF5 file in memory");
    H5Pclose(list);
    return file;
}

/* Writes the first number of a data set. An error is told before the next call of HDF5, which
 * forgets the reason. */
static bool write_first(hid_t dataset, const char *path, int rank, ls_error *error)
{
    hsize_t start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK];
    const double zero = 0; /* its bits are 0, and so are those of a float */
    for (int i = 0; i < rank; i++)
        count[i] = 1;
    hid_t space = H5Dget_space(dataset), one = H5Screate(H5S_SCALAR);
    bool ok =
        ((rank == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0) &&
         H5Dwrite(dataset, ls_h5_real(), one, space, H5P_DEFAULT, &zero) >= 0) ||
        ls_h5_fail(error, LS_IO, dataset, "can't place %s", path);
    H5Sclose(one);
    H5Sclose(space);
    return ok;
}

bool ls_h5_frame_place(hid_t file, const char *path, int rank, const hsize_t *dims, size_t *offset,
                       ls_error *error)
{
    hid_t stored = sizeof(real) == sizeof(double) ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    hid_t dataset = ls_h5_create_dataset(file, path, stored, rank, dims, error);
    if (dataset < 0)
        return false;
    bool ok = write_first(dataset, path, rank, error);
    haddr_t at = ok ? H5Dget_offset(dataset) : HADDR_UNDEF;
    if (ok && at == HADDR_UNDEF)
        ok = ls_h5_fail(error, LS_IO, file, "can't place %s", path);
    if (H5Dclose(dataset) < 0 && ok)
        ok = ls_h5_fail(error, LS_IO, file, "can't place %s", path);
    *offset = (size_t)at;
    return ok;
}

bool ls_h5_frame_finish(hid_t file, ls_h5_frame *frame, ls_error *error)
{
    struct stat status = {0};
    bool ok = ls_h5_close_written(file, error) &&
              (fstat(frame->file, &status) == 0 ||
               ls_error_set(error, LS_IO, "a file in memory has no size: %s", strerror(errno)));
    frame->size = (size_t)status.st_size;
    return ok;
}

bool ls_h5_frame_read(const ls_h5_frame *frame, const char *path, size_t offset, size_t size,
                      void *bytes, ls_error *error)
{
    return ls_file_read_at(frame->file, bytes, size, (off_t)offset) == (ssize_t)size ||
           fail(path, "read", error);
}

void ls_h5_frame_release(ls_h5_frame *frame)
{
    if (frame->file >= 0)
        ls_file_close(frame->file);
    frame->file = -1;
}
