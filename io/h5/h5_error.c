/* h5_error: what HDF5 says of its last failure, in our messages. */
#include "io/h5/h5_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"

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

/* Whether the file that `object` lives in is open for writing. */
static bool is_written(hid_t object)
{
    unsigned intent = H5F_ACC_RDONLY;
    hid_t file = H5Iget_file_id(object);
    if (file >= 0 && H5Fget_intent(file, &intent) < 0)
        intent = H5F_ACC_RDONLY;
    ls_h5_close(file);
    return intent & H5F_ACC_RDWR;
}

const char *ls_h5_file(hid_t object, char *text, size_t size)
{
    ls_h5_start();
    if (H5Fget_name(object, text, size) < 0)
        snprintf(text, size, "HDF5 file");
    size_t length = strlen(text), ending = strlen(LS_H5_IN_MEMORY);
    if (length > ending && strcmp(text + length - ending, LS_H5_IN_MEMORY) == 0)
        text[length - ending] = 0;
    if (is_written(object))
        text[ls_atomic_file_stem(text)] = 0;
    return text;
}

/* The first entry of a walk upwards is the innermost one: what went wrong. */
static herr_t copy_innermost(unsigned n, const H5E_error2_t *entry, void *reason)
{
    if (n == 0 && entry->desc)
        *(char **)reason = ls_copy_string(entry->desc);
    return 0;
}

/* HDF5's own words; NULL: it has none. The caller frees with ls_free. */
static char *innermost(void)
{
    char *words = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_innermost, &words);
    return words;
}

/* The number behind the last `key` in HDF5's words, which begin with the name of the file; 0: there
 * is none. */
static long number_after(const char *words, const char *key)
{
    long number = 0;
    for (const char *at = words; at && (at = strstr(at, key)); at++)
        number = strtol(at + strlen(key), NULL, 10);
    return number;
}

int ls_h5_errno(void)
{
    char *words = innermost();
    int reason = (int)number_after(words, "errno = ");
    ls_free(words);
    return reason;
}

/* What follows a message: ": No space left on device", with the bytes of a write before it. */
static char *reason_of_last(void)
{
    char *words = innermost(), *reason;
    int number = (int)number_after(words, "errno = ");
    long bytes = number_after(words, "total write size = ");
    if (number && bytes)
        reason = ls_format(" (%ld bytes): %s", bytes, strerror(number));
    else if (number)
        reason = ls_format(": %s", strerror(number));
    else
        reason = words ? ls_format(" (HDF5: %s)", words) : ls_copy_string("");
    ls_free(words);
    return reason;
}

bool ls_h5_fail_path(ls_error *error, int code, const char *path, const char *message)
{
    char *reason = reason_of_last();
    ls_error_set(error, code, "%s: %s%s", path, message, reason);
    ls_free(reason);
    return false;
}

bool ls_h5_fail(ls_error *error, int code, hid_t object, const char *format, ...)
{
    char file[TEXT_SIZE], text[2 * TEXT_SIZE], *reason = reason_of_last();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ls_error_set(error, code, "%s: %s%s", ls_h5_file(object, file, sizeof file), text, reason);
    ls_free(reason);
    return false;
}
