/* atomic_file: files that are written whole or not at all, durably, and read whole.
 *
 * PATH.tmp is written, synced to the disk and closed, then renamed to PATH, and the folder is
 * synced: after a crash PATH is the old file or the new one. Errors name the file and the system's
 * reason. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "core/check.h"

/* Both halves below, one after the other. LS_IO errors; PATH is then as it was, and PATH.tmp gone.
 */
bool ls_atomic_file_write(const char *path, const void *bytes, size_t size, ls_error *error);
/* PATH.tmp, durable. */
bool ls_atomic_file_stage(const char *path, const void *bytes, size_t size, ls_error *error);
/* PATH.tmp becomes PATH, durable. */
bool ls_atomic_file_rename(const char *path, ls_error *error);
/* The file's bytes and a 0 after them; the caller frees with ls_free. NULL and LS_DATA where it
 * can't be opened, LS_IO where it can't be read. */
void *ls_atomic_file_read(const char *path, size_t *size, ls_error *error);
/* mkdir -p. LS_IO errors. */
bool ls_atomic_file_folder(const char *path, ls_error *error);

/* What the writing half asks of the system, so that tests can fail the n-th call. Each returns as
 * its namesake in POSIX does. NULL: the system's. Not while a write is under way. */
typedef struct ls_atomic_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int file, const void *bytes, size_t size);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
} ls_atomic_file_calls;
void ls_atomic_file_set_calls(const ls_atomic_file_calls *calls);
