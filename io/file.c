/* file: the system's calls on files, called again after a signal and for the rest of the bytes. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"

enum { CHUNK = 1 << 26 /* bytes of one write or read */ };

static int open_file(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static const ls_file_calls system_calls = {
    .open = open_file, .write = write, .fsync = fsync, .close = close, .rename = rename};
static const ls_file_calls *calls = &system_calls; /* tests put theirs in */

void ls_file_set_calls(const ls_file_calls *replacement)
{
    calls = replacement ? replacement : &system_calls;
}

/* Whether a call that returned `result` was only interrupted by a signal. */
static bool is_interrupted(ssize_t result)
{
    return result < 0 && errno == EINTR;
}

int ls_file_open(const char *path, int flags, mode_t mode)
{
    int file;
    do
        file = calls->open(path, flags | O_CLOEXEC, mode);
    while (is_interrupted(file));
    return file;
}

int ls_file_open_code(int reason)
{
    bool theirs = reason == ENOENT || reason == ENOTDIR || reason == EACCES || reason == EPERM ||
                  reason == ELOOP || reason == ENAMETOOLONG;
    return theirs ? LS_DATA : LS_IO;
}

/* `offset` -1: where the file stands. */
static bool write_all(int file, const char *bytes, size_t size, off_t offset)
{
    for (size_t at = 0; at < size;) {
        size_t part = size - at < CHUNK ? size - at : CHUNK;
        ssize_t done = offset < 0 ? calls->write(file, bytes + at, part)
                                  : pwrite(file, bytes + at, part, offset + (off_t)at);
        if (is_interrupted(done))
            continue;
        if (done == 0)
            errno = ENOSPC;
        if (done <= 0)
            return false;
        at += (size_t)done;
    }
    return true;
}

bool ls_file_write(int file, const void *bytes, size_t size)
{
    return write_all(file, bytes, size, -1);
}

static bool set_direct(int file, int flag)
{
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && fcntl(file, F_SETFL, (flags & ~O_DIRECT) | flag) == 0;
}

bool ls_file_write_pages(int file, const void *bytes, size_t size)
{
    enum { PAGE = 4096 };
    off_t begin = lseek(file, 0, SEEK_CUR);
    if (begin < 0 || begin % PAGE != 0 || !set_direct(file, O_DIRECT))
        return ls_file_write(file, bytes, size);
    bool ok = ls_file_write(file, bytes, size);
    int reason = errno;
    set_direct(file, 0);
    errno = reason;
    if (ok || reason != EINVAL)
        return ok;
    size_t done = (size_t)(lseek(file, 0, SEEK_CUR) - begin); /* it wants larger pages */
    return ls_file_write(file, (const char *)bytes + done, size - done);
}

bool ls_file_write_at(int file, const void *bytes, size_t size, off_t offset)
{
    return write_all(file, bytes, size, offset);
}

/* `offset` -1: from where the file stands. */
static ssize_t read_all(int file, char *bytes, size_t size, off_t offset)
{
    size_t at = 0;
    while (at < size) {
        size_t part = size - at < CHUNK ? size - at : CHUNK;
        ssize_t done = offset < 0 ? read(file, bytes + at, part)
                                  : pread(file, bytes + at, part, offset + (off_t)at);
        if (is_interrupted(done))
            continue;
        if (done < 0)
            return -1;
        if (done == 0)
            break;
        at += (size_t)done;
    }
    return (ssize_t)at;
}

ssize_t ls_file_read(int file, void *bytes, size_t size)
{
    return read_all(file, bytes, size, -1);
}

ssize_t ls_file_read_at(int file, void *bytes, size_t size, off_t offset)
{
    return read_all(file, bytes, size, offset);
}

bool ls_file_truncate(int file, off_t size)
{
    int result;
    do
        result = ftruncate(file, size);
    while (is_interrupted(result));
    return result == 0;
}

int ls_file_double(int file)
{
    int result;
    do
        result = fcntl(file, F_DUPFD_CLOEXEC, 0);
    while (is_interrupted(result));
    return result;
}

int ls_file_lock(int file, int kind)
{
    int result;
    do
        result = flock(file, kind | LOCK_NB);
    while (is_interrupted(result));
    return result == 0 ? 0 : errno;
}

bool ls_file_sync(int file)
{
    int result;
    do
        result = calls->fsync(file);
    while (is_interrupted(result));
    return result == 0;
}

bool ls_file_close(int file)
{
    return calls->close(file) == 0 || errno == EINTR;
}

bool ls_file_rename(const char *from, const char *to)
{
    int result;
    do
        result = calls->rename(from, to);
    while (is_interrupted(result));
    return result == 0;
}

bool ls_file_is_at(int file, const char *path)
{
    struct stat opened, found;
    int reason = errno;
    bool same = fstat(file, &opened) == 0 && lstat(path, &found) == 0 &&
                opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
    errno = reason;
    return same;
}

bool ls_file_lacks_locks(int reason)
{
    return reason == ENOLCK || reason == EOPNOTSUPP || reason == EINVAL || reason == ENOSYS;
}
