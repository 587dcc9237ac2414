/* h5_error: what HDF5 says of its last failure, in our messages. */
#include "io/h5/h5_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

void ls_h5_start(void)
{
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
static herr_t copy_innermost(unsigned n, const H5E_error2_t *entry, void *words)
{
    if (n == 0 && entry->desc)
        snprintf(words, TEXT_SIZE, "%s", entry->desc);
    return 0;
}

/* The number behind `key` in the words that h5_driver puts onto the stack; 0: there is none. */
static long number_after(const char *words, const char *key)
{
    const char *at = strstr(words, key);
    return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

int ls_h5_errno(void)
{
    char words[TEXT_SIZE] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_innermost, words);
    return (int)number_after(words, "errno = ");
}

/* Fills text[TEXT_SIZE] with what follows a message: ": No space left on device", with the bytes of
 * a write before it; or HDF5's own words. */
static const char *reason_of_last(char *text)
{
    char words[TEXT_SIZE] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_innermost, words);
    int number = (int)number_after(words, "errno = ");
    long bytes = number_after(words, "bytes = ");
    text[0] = 0;
    if (number && bytes)
        snprintf(text, TEXT_SIZE, " (%ld bytes): %s", bytes, strerror(number));
    else if (number)
        snprintf(text, TEXT_SIZE, ": %s", strerror(number));
    else if (words[0])
        snprintf(text, TEXT_SIZE, " (HDF5: %.*s)", TEXT_SIZE - 10, words);
    return text;
}

bool ls_h5_fail_path(ls_error *error, int code, const char *path, const char *message)
{
    char reason[TEXT_SIZE];
    return ls_error_set(error, ls_h5_errno() ? LS_IO : code, "%s: %s%s", path, message,
                        reason_of_last(reason));
}

bool ls_h5_fail(ls_error *error, int code, hid_t object, const char *format, ...)
{
    char file[TEXT_SIZE], text[2 * TEXT_SIZE], reason[TEXT_SIZE];
    bool failed = ls_h5_errno() != 0;
    reason_of_last(reason);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ls_error_set(error, failed ? LS_IO : code, "%s: %s%s",
                        ls_h5_file(object, file, sizeof file), text, reason);
}

/* Sets *found if a filter failed, which means that the stored bytes are damaged. */
static herr_t find_filter_error(unsigned n, const H5E_error2_t *entry, void *found)
{
    *(bool *)found = *(bool *)found || entry->maj_num == H5E_PLINE;
    return 0;
}

bool ls_h5_fail_read(ls_error *error, hid_t dataset, const char *path, long row)
{
    bool damaged = false;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_filter_error, &damaged);
    return ls_h5_fail(error, damaged ? LS_DATA : LS_IO, dataset,
                      damaged ? "%s is damaged at row %ld or in the chunk it lies in"
                              : "can't read %s from row %ld",
                      path, row);
}
