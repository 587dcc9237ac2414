/* h5_image: HDF5 files in memory. HDF5 asks for the bytes of a file through callbacks: with ours
 * the bytes are counted by core/memory and never copied. */
#include "io/h5/h5_image.h"

#include "core/memory.h"
#include "io/h5/guard/h5_check.h"
#include "io/h5/h5.h"

/* Reading: HDF5 "allocates" the caller's bytes and "copies" them onto themselves. */
static void *borrow(size_t size, H5FD_file_image_op_t operation, void *bytes)
{
    return bytes;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t operation,
                          void *bytes)
{
    return to;
}

/* Writing: the file grows in image->bytes. */
static void *grow(void *bytes, size_t size, H5FD_file_image_op_t operation, void *context)
{
    ls_h5_image *image = context;
    image->bytes = ls_realloc(bytes, size, 1);
    return image->bytes;
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

/* Has a file of about `size` bytes stand in memory, with `callbacks` and those that leave bytes and
 * context to us. */
static bool keep_in_memory(hid_t access, H5FD_file_image_callbacks_t callbacks, size_t size)
{
    callbacks.image_free = keep_bytes;
    callbacks.udata_copy = same_context;
    callbacks.udata_free = keep_context;
    return H5Pset_fapl_core(access, size, false) >= 0 &&
           H5Pset_file_image_callbacks(access, &callbacks) >= 0;
}

hid_t ls_h5_create_image(const char *name, size_t expected, ls_h5_image *image, ls_error *error)
{
    *image = (ls_h5_image){0};
    H5FD_file_image_callbacks_t callbacks = {.image_realloc = grow, .udata = image};
    hid_t list = ls_h5_access(), file = -1;
    if (!keep_in_memory(list, callbacks, expected ? expected : 1) ||
        (file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, list)) < 0)
        ls_h5_fail_path(error, LS_IO, name, "can't create an HDF5 file in memory");
    H5Pclose(list);
    return file;
}

bool ls_h5_close_image(hid_t file, ls_h5_image *image, ls_error *error)
{
    ssize_t size = H5Fflush(file, H5F_SCOPE_LOCAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    bool ok = size > 0 || ls_h5_fail(error, LS_IO, file, "can't finish the file in memory");
    image->size = ok ? (size_t)size : 0;
    if (H5Fclose(file) < 0 && ok)
        ok = ls_error_set(error, LS_IO, "HDF5 can't close a file in memory");
    return ok;
}

hid_t ls_h5_open_image(const char *name, const void *bytes, size_t size, ls_error *error)
{
    void *image = (void *)bytes;
    H5FD_file_image_callbacks_t callbacks = {
        .image_malloc = borrow, .image_memcpy = copy_nothing, .udata = image};
    char *hidden = ls_format("%s" LS_H5_IN_MEMORY, name);
    hid_t list = ls_h5_access(), file = -1;
    if (!keep_in_memory(list, callbacks, size) || H5Pset_file_image(list, image, size) < 0)
        ls_h5_fail_path(error, LS_DATA, name, "is empty, or can't be taken from memory");
    else
        file = ls_h5_check_open(name, bytes, size, hidden, list, error);
    ls_free(hidden);
    H5Pclose(list);
    return file;
}
