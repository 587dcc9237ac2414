/* file: the system's calls on files, which go on after a signal (EINTR) and after a part of the
 * bytes. All files of io that no library opens are opened, written, synced and closed by these.
 *
 * They return what their namesakes in POSIX do: -1 or false, and errno, where they failed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* open, with O_CLOEXEC. */
int ls_file_open(const char *path, int flags, mode_t mode);
/* The code of the error for data that could not be opened, for this reason (an errno): LS_DATA
 * where it is not there or not for us, which is the user's to mend; else LS_IO. */
int ls_file_open_code(int reason);
/* Writes all bytes; ENOSPC where the system takes none of them and gives no reason. */
bool ls_file_write(int file, const void *bytes, size_t size);
/* The same for whole pages of memory; past the system's cache, which would copy them and throw out
 * what is read often, where the file system can do that and the file ends at a page. */
bool ls_file_write_pages(int file, const void *bytes, size_t size);
bool ls_file_write_at(int file, const void *bytes, size_t size, off_t offset);
/* Reads `size` bytes, fewer only at the end of the file; returns how many. */
ssize_t ls_file_read(int file, void *bytes, size_t size);
ssize_t ls_file_read_at(int file, void *bytes, size_t size, off_t offset);
bool ls_file_truncate(int file, off_t size);
/* Another descriptor of the same open file, with its locks; O_CLOEXEC. */
int ls_file_double(int file);
/* Locks the whole file by flock, without waiting: LOCK_SH or LOCK_EX. Returns 0 or the errno:
 * EWOULDBLOCK where another holds it. */
int ls_file_lock(int file, int kind);
bool ls_file_sync(int file);
/* A descriptor is free after close, whatever close returns: it is called once. */
bool ls_file_close(int file);
bool ls_file_rename(const char *from, const char *to);
/* Whether `path` itself, no link, is the file that is open as `file`. errno stays. */
bool ls_file_is_at(int file, const char *path);

/* Whether the reason (an errno) of a lock that could not be had is that the file system gives no
 * locks at all: ENOLCK, EOPNOTSUPP, EINVAL, ENOSYS. */
bool ls_file_lacks_locks(int reason);

/* A hook for tests: the system calls of writing, so that tests can fail the n-th and see what is
 * left. Each member returns what its namesake in POSIX returns. NULL: the system's own. Not to be
 * set while a file is written. It is global because a thread writes checkpoints. */
typedef struct ls_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int file, const void *bytes, size_t size);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
} ls_file_calls;
void ls_file_set_calls(const ls_file_calls *calls);
