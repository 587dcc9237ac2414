/* h5_lock: flock, and what the variable HDF5_USE_FILE_LOCKING says of it. */
#include "io/h5/h5_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "core/print.h"
#include "io/file.h"
#include "io/h5/h5_driver.h"
#include "io/h5/h5_error.h"

#define VARIABLE "HDF5_USE_FILE_LOCKING"

enum { PATH_SIZE = 512 };

/* Whether the variable has this value, or that digit. */
static bool is_set(const char *value, const char *digit)
{
    const char *found = getenv(VARIABLE);
    return found && (strcmp(found, value) == 0 || strcmp(found, digit) == 0);
}

bool ls_h5_lock(const char *path, int file, int *lacking, ls_error *error)
{
    *lacking = 0;
    if (is_set("FALSE", "0"))
        return true;
    int reason = ls_file_lock(file, LOCK_SH);
    if (!reason)
        return true;
    if (reason == EWOULDBLOCK)
        return ls_error_set(error, LS_DATA,
                            "%s: is in use: another program holds a lock on it, to write it; wait "
                            "until it is done (" VARIABLE "=FALSE reads it all the same)",
                            path);
    if (!ls_file_lacks_locks(reason))
        return ls_error_set(error, LS_IO,
                            "%s: can't lock it: %s (" VARIABLE "=FALSE reads it without a lock)",
                            path, strerror(reason));
    if (is_set("TRUE", "1"))
        return ls_error_set(error, LS_IO,
                            "%s: this file system gives no locks (%s), and " VARIABLE
                            " asks for them: without it the file is read without a lock",
                            path, strerror(reason));
    *lacking = reason;
    return true;
}

void ls_h5_lock_notice(hid_t file)
{
    char path[PATH_SIZE];
    int lacking = ls_h5_driver_lacking(file);
    if (lacking)
        ls_print(stderr,
                 "lockstep: %s: this file system gives no locks (%s); nothing keeps other programs "
                 "from writing this file while it is read\n",
                 ls_h5_file(file, path, sizeof path), strerror(lacking));
}
