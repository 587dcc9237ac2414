/* atomic_file: the system calls of writing a file, in the order that makes it durable. */
#include "io/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { CHUNK = 1 << 26 /* bytes of one write or read */ };

static int open_file(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static const ls_atomic_file_calls system_calls = {
    .open = open_file, .write = write, .fsync = fsync, .close = close, .rename = rename};
static const ls_atomic_file_calls *calls = &system_calls; /* tests put theirs in */

void ls_atomic_file_set_calls(const ls_atomic_file_calls *replacement)
{
    calls = replacement ? replacement : &system_calls;
}

static bool fail(ls_error *error, const char *path, const char *doing)
{
    return ls_error_set(error, LS_IO, "%s: can't %s: %s", path, doing, strerror(errno));
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = calls->write(file, bytes, size < CHUNK ? size : CHUNK);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

char *ls_atomic_file_temporary(const char *path)
{
    return ls_format("%s.tmp", path);
}

void ls_atomic_file_discard(const char *path)
{
    char *temporary = ls_atomic_file_temporary(path);
    unlink(temporary);
    ls_free(temporary);
}

bool ls_atomic_file_fail(const char *path, ls_error *error)
{
    ls_atomic_file_discard(path);
    return ls_error_set(error, LS_IO, "%s: can't be written whole; is the disk full?", path);
}

bool ls_atomic_file_stage(const char *path, const void *bytes, size_t size, ls_error *error)
{
    char *temporary = ls_atomic_file_temporary(path);
    errno = 0;
    int file = calls->open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const char *failed = file < 0                        ? "create"
                         : !write_all(file, bytes, size) ? "write"
                         : calls->fsync(file) != 0       ? "sync to the disk"
                                                         : NULL;
    int reason = errno;
    if (file >= 0 && calls->close(file) != 0 && !failed) {
        failed = "close";
        reason = errno;
    }
    if (failed)
        ls_error_set(error, LS_IO, "%s: can't %s (%zu bytes): %s", temporary, failed, size,
                     strerror(reason));
    if (failed && file >= 0)
        ls_atomic_file_discard(path);
    ls_free(temporary);
    return !failed;
}

/* Syncs the file or folder `path`. Some file systems can't sync folders (EINVAL), and keep the
 * order themselves. */
static bool sync_path(const char *path, int flags, const char *doing, ls_error *error)
{
    int file = calls->open(path, O_RDONLY | O_CLOEXEC | flags, 0);
    bool ok = (file >= 0 && (calls->fsync(file) == 0 || (flags && errno == EINVAL))) ||
              fail(error, path, doing);
    if (file >= 0)
        calls->close(file);
    return ok;
}

/* Makes a rename in the folder of `path` durable. */
static bool sync_folder(const char *path, ls_error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? ls_format("%.*s/", (int)(slash - path), path) : ls_copy_string("./");
    bool ok = sync_path(folder, O_DIRECTORY, "sync the folder to the disk", error);
    ls_free(folder);
    return ok;
}

bool ls_atomic_file_rename(const char *path, ls_error *error)
{
    char *temporary = ls_atomic_file_temporary(path);
    bool ok = calls->rename(temporary, path) == 0;
    if (!ok) {
        fail(error, path, "give the finished file its name");
        ls_atomic_file_discard(path);
    }
    ls_free(temporary);
    return ok && sync_folder(path, error);
}

bool ls_atomic_file_finish(const char *path, ls_error *error)
{
    char *temporary = ls_atomic_file_temporary(path);
    bool ok = sync_path(temporary, 0, "sync it to the disk", error);
    ls_free(temporary);
    if (!ok)
        ls_atomic_file_discard(path);
    return ok && ls_atomic_file_rename(path, error);
}

bool ls_atomic_file_write(const char *path, const void *bytes, size_t size, ls_error *error)
{
    return ls_atomic_file_stage(path, bytes, size, error) && ls_atomic_file_rename(path, error);
}

static bool read_all(const char *path, int file, char *bytes, size_t size, ls_error *error)
{
    for (size_t at = 0; at < size;) {
        size_t left = size - at;
        ssize_t done = read(file, bytes + at, left < CHUNK ? left : CHUNK);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(error, path, "read");
        if (done == 0)
            return ls_error_set(error, LS_DATA, "%s: became shorter while it was read", path);
        at += (size_t)done;
    }
    return true;
}

void *ls_atomic_file_read(const char *path, size_t *size, ls_error *error)
{
    struct stat status;
    char *bytes = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        ls_error_set(error, LS_DATA, "%s: can't open: %s", path, strerror(errno));
    } else if (fstat(file, &status) != 0) {
        fail(error, path, "read");
    } else if (!S_ISREG(status.st_mode)) {
        ls_error_set(error, LS_DATA, "%s: is a %s; expected a file", path,
                     S_ISDIR(status.st_mode) ? "directory" : "device or pipe");
    } else {
        *size = (size_t)status.st_size;
        bytes = ls_alloc(*size + 1, 1);
        if (!read_all(path, file, bytes, *size, error)) {
            ls_free(bytes);
            bytes = NULL;
        }
    }
    if (file >= 0)
        close(file);
    return bytes;
}

bool ls_atomic_file_folder(const char *path, ls_error *error)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return ls_error_set(error, LS_IO, "\"%s\" can't be the path of a folder", path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return fail(error, part, "make the folder");
        if (!ls_atomic_file_is_folder(part))
            return ls_error_set(error, LS_IO, "%s: expected a folder, found something else", part);
    }
    return true;
}

bool ls_atomic_file_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool ls_atomic_file_absent(const char *path, ls_error *error)
{
    return access(path, F_OK) != 0 ||
           ls_error_set(error, LS_USAGE, "%s: is there already; --force overwrites it", path);
}
