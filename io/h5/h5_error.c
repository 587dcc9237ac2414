/* h5_error: what HDF5 says of its last failure, in our messages. */
#include "io/h5/h5_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

void ls_h5_start(void)
{
    H5dont_atexit(); /* we close what we open, and HDF5 crashes at exit over what can't be closed */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void ls_h5_close(hid_t object)
{
    if (object >= 0)
        H5Idec_ref(object);
}

const char *ls_h5_file(hid_t object, char *text, size_t size)
{
    ls_h5_start();
    if (H5Fget_name(object, text, size) < 0)
        snprintf(text, size, "HDF5 file");
    size_t length = strlen(text), ending = strlen(LS_H5_IN_MEMORY);
    if (length > ending && strcmp(text + length - ending, LS_H5_IN_MEMORY) == 0)
        text[length - ending] = 0;
    return text;
}

/* The first entry of a walk upwards is the innermost one: what went wrong. */
static herr_t copy_innermost(unsigned n, const H5E_error2_t *entry, void *reason)
{
    if (n == 0 && entry->desc)
        snprintf(reason, TEXT_SIZE, " (HDF5: %s)", entry->desc);
    return 0;
}

bool ls_h5_fail(ls_error *error, int code, hid_t object, const char *format, ...)
{
    char reason[TEXT_SIZE] = "", file[TEXT_SIZE], text[2 * TEXT_SIZE];
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_innermost, reason);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ls_error_set(error, code, "%s: %s%s", ls_h5_file(object, file, sizeof file), text,
                        reason);
}

bool ls_h5_fail_path(ls_error *error, int code, const char *path, const char *message)
{
    char reason[TEXT_SIZE] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_innermost, reason);
    return ls_error_set(error, code, "%s: %s%s", path, message, reason);
}
