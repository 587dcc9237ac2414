/* h5: opens and creates files on disk and in memory, reads and writes data sets. */
#include "io/h5/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/h5/guard/h5_check.h"
#include "io/h5/h5_driver.h"
#include "io/h5/h5_lock.h"

enum { PATH_SIZE = 512 };

hid_t ls_h5_real(void)
{
    ls_h5_start();
    return sizeof(real) == sizeof(double) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
}

/* Access properties of all our files: closing a file closes all in it. The caller closes the list
 * (H5Pclose). */
static hid_t file_access(void)
{
    ls_h5_start();
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    ls_check(list >= 0 && H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) >= 0,
             "HDF5 can't make a file access property list");
    return list;
}

/* Opens a regular file for reading; -1 and an error where there is none. */
static int open_regular(const char *path, struct stat *status, ls_error *error)
{
    int file = ls_file_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0)
        ls_error_set(error, ls_file_open_code(errno), "%s: can't open: %s", path, strerror(errno));
    else if (fstat(file, status) != 0)
        ls_error_set(error, LS_IO, "%s: can't read: %s", path, strerror(errno));
    else if (S_ISDIR(status->st_mode))
        ls_error_set(error, LS_DATA, "%s: is a directory; expected an HDF5 file", path);
    else if (!S_ISREG(status->st_mode))
        ls_error_set(error, LS_DATA, "%s: is not a regular file", path);
    else
        return file;
    if (file >= 0)
        ls_file_close(file);
    return -1;
}

/* Checks the bytes of the open file, and has HDF5 read it through that descriptor. `lacking`: why
 * it has no lock. */
static hid_t open_checked(const char *path, int file, size_t size, int lacking, ls_error *error)
{
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0) : NULL;
    if (bytes == MAP_FAILED) {
        ls_error_set(error, LS_IO, "%s: can't read: %s", path, strerror(errno));
        return -1;
    }
    hid_t list = file_access();
    ls_h5_driver_use(list, file, lacking);
    hid_t opened = ls_h5_check_open(path, bytes, size, path, list, error);
    H5Pclose(list);
    if (bytes)
        munmap(bytes, size);
    return opened;
}

hid_t ls_h5_open(const char *path, ls_error *error)
{
    struct stat status;
    int file = open_regular(path, &status, error), lacking;
    if (file < 0)
        return -1;
    hid_t opened = ls_h5_lock(path, file, &lacking, error)
                       ? open_checked(path, file, (size_t)status.st_size, lacking, error)
                       : -1;
    ls_file_close(file);
    return opened;
}

hid_t ls_h5_create(const char *path, int descriptor, ls_error *error)
{
    hid_t list = file_access();
    /* HDF5 would gather small writes, and forget them in silence where they fail as a data set is
     * closed. */
    H5Pset_sieve_buf_size(list, 0);
    ls_h5_driver_use(list, descriptor, 0);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, list);
    if (file < 0)
        ls_h5_fail_path(error, LS_IO, path, "can't create");
    H5Pclose(list);
    return file;
}

bool ls_h5_close_written(hid_t file, ls_error *error)
{
    char path[PATH_SIZE];
    int reason;
    size_t size;
    ls_h5_file(file, path, sizeof path);
    if (ls_h5_driver_close(file, &reason, &size))
        return true;
    return reason ? ls_error_set(error, LS_IO, "%s: can't write (%zu bytes): %s", path, size,
                                 strerror(reason))
                  : ls_h5_fail_path(error, LS_IO, path, "can't be finished");
}

/* Files in memory. HDF5 asks for their bytes through callbacks: with these they are never copied,
 * for HDF5 "allocates" the caller's bytes and "copies" them onto themselves. */
static void *borrow(size_t size, H5FD_file_image_op_t operation, void *bytes)
{
    return bytes;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t operation,
                          void *bytes)
{
    return to;
}

static herr_t keep_bytes(void *bytes, H5FD_file_image_op_t operation, void *context)
{
    return 0;
}

static void *same_context(void *context)
{
    return context;
}

static herr_t keep_context(void *context)
{
    return 0;
}

hid_t ls_h5_open_image(const char *name, const void *bytes, size_t size, ls_error *error)
{
    void *image = (void *)bytes;
    H5FD_file_image_callbacks_t callbacks = {.image_malloc = borrow,
                                             .image_memcpy = copy_nothing,
                                             .image_free = keep_bytes,
                                             .udata_copy = same_context,
                                             .udata_free = keep_context,
                                             .udata = image};
    char *hidden = ls_format("%s" LS_H5_IN_MEMORY, name);
    hid_t list = file_access(), file = -1;
    if (H5Pset_fapl_core(list, size, false) < 0 ||
        H5Pset_file_image_callbacks(list, &callbacks) < 0 ||
        H5Pset_file_image(list, image, size) < 0)
        ls_h5_fail_path(error, LS_DATA, name, "is empty, or can't be taken from memory");
    else
        file = ls_h5_check_open(name, bytes, size, hidden, list, error);
    ls_free(hidden);
    H5Pclose(list);
    return file;
}

hid_t ls_h5_create_dataset(hid_t parent, const char *path, hid_t stored, int rank,
                           const hsize_t *dims, ls_error *error)
{
    ls_h5_start();
    hid_t links = H5Pcreate(H5P_LINK_CREATE), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(links, 1);
    if (H5Tdetect_class(stored, H5T_VLEN) <= 0 && H5Tis_variable_str(stored) <= 0)
        H5Pset_fill_time(list, H5D_FILL_TIME_NEVER); /* all of it will be written */
    H5Pset_obj_track_times(list, false);
    hid_t dataset = H5Dcreate2(parent, path, stored, space, links, list, H5P_DEFAULT);
    if (dataset < 0)
        ls_h5_fail(error, LS_IO, parent, "can't make %s", path);
    H5Sclose(space);
    H5Pclose(list);
    H5Pclose(links);
    return dataset;
}

bool ls_h5_write(hid_t parent, const char *path, hid_t stored, hid_t memory, int rank,
                 const hsize_t *dims, const void *data, ls_error *error)
{
    hid_t dataset = ls_h5_create_dataset(parent, path, stored, rank, dims, error);
    if (dataset < 0)
        return false;
    bool written = H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0 ||
                   ls_h5_fail(error, LS_IO, parent, "can't write %s", path);
    if (H5Dclose(dataset) < 0 && written)
        written = ls_h5_fail(error, LS_IO, parent, "can't write %s", path);
    return written;
}

/* Reads rows [first, first + n) of a data set into `to`, or where that is NULL writes them from
 * `from`. If HDF5 can't, its error stack says why. */
static bool transfer_rows(hid_t dataset, hid_t memory, long first, long n, const void *from,
                          void *to)
{
    hsize_t start[H5S_MAX_RANK] = {(hsize_t)first}, count[H5S_MAX_RANK];
    ls_h5_start();
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_dims(space, count, NULL);
    count[0] = (hsize_t)n;
    hid_t block = H5Screate_simple(rank, count, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              (to ? H5Dread(dataset, memory, block, space, H5P_DEFAULT, to)
                  : H5Dwrite(dataset, memory, block, space, H5P_DEFAULT, from)) >= 0;
    hid_t reasons = ok ? -1 : H5Eget_current_stack(); /* the next calls would clear them */
    H5Sclose(block);
    H5Sclose(space);
    if (!ok)
        H5Eset_current_stack(reasons);
    return ok;
}

bool ls_h5_write_rows(hid_t dataset, hid_t memory, long first, long n, const void *rows,
                      ls_error *error)
{
    return transfer_rows(dataset, memory, first, n, rows, NULL) ||
           ls_h5_fail(error, LS_IO, dataset, "can't write rows from %ld", first);
}

bool ls_h5_read_rows(hid_t dataset, hid_t memory, long first, long n, void *rows)
{
    return transfer_rows(dataset, memory, first, n, NULL, rows);
}

/* Checks that every group on the way to `path`, and `path` itself, exists and is a hard link. */
static bool check_links(hid_t parent, const char *path, ls_error *error)
{
    char part[PATH_SIZE];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return ls_error_set(error, LS_DATA, "a name of %zu characters inside an HDF5 file", length);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        H5L_info_t info;
        htri_t exists = H5Lexists(parent, part, H5P_DEFAULT);
        if (exists < 0 || (exists && H5Lget_info(parent, part, &info, H5P_DEFAULT) < 0))
            return ls_h5_fail(error, LS_DATA, parent, "can't look for %s", part);
        if (!exists)
            return ls_h5_fail(error, LS_DATA, parent, "has no %s", part);
        if (info.type != H5L_TYPE_HARD)
            return ls_h5_fail(error, LS_DATA, parent,
                              "%s is a soft or external link; expected the data itself", part);
    }
    return true;
}

/* Whether the numbers lie in this file: no virtual data set, no external storage. */
static bool is_stored_here(hid_t dataset)
{
    hid_t list = H5Dget_create_plist(dataset);
    bool here = list >= 0 && H5Pget_layout(list) != H5D_VIRTUAL && H5Pget_external_count(list) == 0;
    H5Pclose(list);
    return here;
}

hid_t ls_h5_dataset(hid_t parent, const char *path, ls_error *error)
{
    ls_h5_start();
    if (!check_links(parent, path, error))
        return -1;
    return ls_h5_dataset_linked(parent, path, error);
}

/* HDF5 calls it for a link to another file, and does not follow that where it fails. */
static herr_t refuse_link(const char *from, const char *group, const char *file, const char *object,
                          unsigned *flags, hid_t access, void *context)
{
    return -1;
}

hid_t ls_h5_object_linked(hid_t parent, const char *path)
{
    ls_h5_start();
    hid_t access = H5Pcreate(H5P_LINK_ACCESS);
    H5Pset_elink_cb(access, refuse_link, NULL);
    hid_t object = H5Oopen(parent, path, access);
    hid_t reasons = object < 0 ? H5Eget_current_stack() : -1; /* the next call would clear them */
    H5Pclose(access);
    if (object < 0)
        H5Eset_current_stack(reasons);
    return object;
}

hid_t ls_h5_dataset_linked(hid_t parent, const char *path, ls_error *error)
{
    hid_t dataset = ls_h5_object_linked(parent, path);
    if (dataset < 0 || H5Iget_type(dataset) != H5I_DATASET) {
        ls_h5_fail(error, LS_DATA, parent, "%s is not a data set", path);
        ls_h5_close(dataset);
        return -1;
    }
    if (is_stored_here(dataset))
        return dataset;
    ls_h5_fail(error, LS_DATA, parent, "%s keeps its numbers in another file; expected them here",
               path);
    H5Dclose(dataset);
    return -1;
}

/* Writes a shape: "[2, 3]", or "[]" for a scalar. Returns text. */
static const char *dims_text(int rank, const hsize_t *dims, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%llu", i ? ", " : "",
                               (unsigned long long)dims[i]);
    if (at < size)
        snprintf(text + at, size - at, "]");
    return text;
}

bool ls_h5_shape_is(hid_t dataset, const char *path, int rank, const hsize_t *dims, ls_error *error)
{
    hsize_t found[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    int found_rank = H5Sget_simple_extent_dims(space, found, NULL);
    H5S_class_t kind = H5Sget_simple_extent_type(space);
    H5Sclose(space);
    if (found_rank == rank && kind != H5S_NULL &&
        (!rank || memcmp(found, dims, (size_t)rank * sizeof *dims) == 0))
        return true;
    char have[PATH_SIZE], want[PATH_SIZE];
    return ls_h5_fail(error, LS_DATA, dataset, "%s has shape %s; expected %s", path,
                      dims_text(found_rank, found, have, sizeof have),
                      dims_text(rank, dims, want, sizeof want));
}

bool ls_h5_read(hid_t parent, const char *path, hid_t memory, int rank, const hsize_t *dims,
                void *data, ls_error *error)
{
    hid_t dataset = ls_h5_dataset(parent, path, error);
    if (dataset < 0)
        return false;
    bool ok = ls_h5_shape_is(dataset, path, rank, dims, error);
    if (ok && H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        ok = ls_h5_fail(error, LS_DATA, parent, "can't read %s", path);
    H5Dclose(dataset);
    return ok;
}
