/* atomic_file: files that appear whole or not at all, durably; and files read whole.
 *
 * PATH.tmp is written, synced to the disk and closed, then renamed to PATH, and the folder is
 * synced: after a crash PATH is the old file or the new one. Errors name the file and the system's
 * reason. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "core/check.h"

/* Writes PATH: both halves below, one after the other. LS_IO errors; PATH is then as it was, and
 * PATH.tmp gone. */
bool ls_atomic_file_write(const char *path, const void *bytes, size_t size, ls_error *error);
/* The first half: PATH.tmp, durable. */
bool ls_atomic_file_stage(const char *path, const void *bytes, size_t size, ls_error *error);
/* The second half: PATH.tmp becomes PATH, durable. */
bool ls_atomic_file_rename(const char *path, ls_error *error);

/* For a file that another library writes (HDF5, stdio): the name PATH.tmp, under which it is to be
 * written; the caller frees it with ls_free. */
char *ls_atomic_file_temporary(const char *path);
/* PATH.tmp, written and closed, is synced to the disk and becomes PATH. Errors as above. */
bool ls_atomic_file_finish(const char *path, ls_error *error);
/* Removes PATH.tmp; PATH stays as it is. */
void ls_atomic_file_discard(const char *path);
/* The same where the other library could not write it all: an LS_IO error. Returns false. */
bool ls_atomic_file_fail(const char *path, ls_error *error);

/* The file's bytes and a 0 after them; the caller frees with ls_free. NULL and LS_DATA where it
 * can't be opened, LS_IO where it can't be read. */
void *ls_atomic_file_read(const char *path, size_t *size, ls_error *error);
/* Makes a folder and those above it (mkdir -p). LS_IO errors. */
bool ls_atomic_file_folder(const char *path, ls_error *error);
/* Whether nothing is at `path`; else an LS_USAGE error, which names --force. */
bool ls_atomic_file_absent(const char *path, ls_error *error);
/* Whether there is a folder at `path`. */
bool ls_atomic_file_is_folder(const char *path);

/* A hook for tests: the system calls of writing, so that tests can fail the n-th and see what is
 * left. Each member returns what its namesake in POSIX returns. NULL: the system's own. Not to be
 * set while a file is written. It is global because a thread writes checkpoints. */
typedef struct ls_atomic_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int file, const void *bytes, size_t size);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
} ls_atomic_file_calls;
void ls_atomic_file_set_calls(const ls_atomic_file_calls *calls);
