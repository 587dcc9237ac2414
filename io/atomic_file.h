/* atomic_file: files that appear whole or not at all, durably; and files read whole.
 *
 * What becomes PATH is written beside it under a name that no other writer has, PATH.RANDOM.tmp,
 * synced to the disk, then renamed to PATH, and the folder is synced: after a crash PATH is the old
 * file or the new one. The temporary file is a new one (O_EXCL): no link that somebody has put
 * there is followed. Of several writers of one PATH each writes a whole file, and the last to
 * finish gives PATH its contents.
 *
 * A writer that is killed leaves its temporary file. It held a lock on it, which ended with it: the
 * next writer of PATH removes such files when nobody has them locked; where the file system has no
 * locks, when they are older than a day.
 *
 * Errors name PATH and the system's reason; PATH is then as it was, and the temporary file gone. */
#pragma once
#include <stddef.h>
#include <stdio.h>

#include "core/check.h"

/* A file that is being written. Each is ended by one of ls_atomic_file_rename, _finish, _discard.
 */
typedef struct ls_atomic_file ls_atomic_file;

/* Begins PATH. LS_IO errors. */
ls_atomic_file *ls_atomic_file_create(const char *path, ls_error *error);
/* Its descriptor, open for reading and writing, for a library that fills it. */
int ls_atomic_file_descriptor(const ls_atomic_file *file);
/* Appends bytes. LS_IO errors. Megabytes that are whole pages of memory and of the file go to the
 * disk past the system's cache, where the file system can do that. */
bool ls_atomic_file_put(ls_atomic_file *file, const void *bytes, size_t size, ls_error *error);
/* A stream that appends to the file; it belongs to the file. */
FILE *ls_atomic_file_stream(ls_atomic_file *file);
/* Writes what the stream holds, and says whether all that was put into it was written. */
bool ls_atomic_file_flush(ls_atomic_file *file, ls_error *error);
/* Makes what was put so far durable. LS_IO errors. */
bool ls_atomic_file_sync(ls_atomic_file *file, ls_error *error);
/* A synced file becomes PATH, durable. */
bool ls_atomic_file_rename(ls_atomic_file *file, ls_error *error);
/* Flushes the stream, syncs the file to the disk and makes it PATH. */
bool ls_atomic_file_finish(ls_atomic_file *file, ls_error *error);
/* Gives the file up: nothing is left of it. NULL is allowed. */
void ls_atomic_file_discard(ls_atomic_file *file);

/* Writes PATH, whole and durable. */
bool ls_atomic_file_write(const char *path, const void *bytes, size_t size, ls_error *error);

/* The file's bytes and a 0 after them; the caller frees with ls_free. NULL and LS_DATA where there
 * is no such file, or one of more than `most` bytes, or of more than the machine's memory; LS_IO
 * where it can't be opened or read. */
void *ls_atomic_file_read(const char *path, size_t most, size_t *size, ls_error *error);
/* Makes a folder and those above it (mkdir -p). LS_IO errors. */
bool ls_atomic_file_folder(const char *path, ls_error *error);
/* Whether nothing is at `path`; else an LS_USAGE error, which names --force. */
bool ls_atomic_file_absent(const char *path, ls_error *error);
/* Whether `output` is none of the files that are read, input[count] (NULL: none, or absent); else
 * an LS_USAGE error: --force does not overwrite these. */
bool ls_atomic_file_apart(const char *output, const char *const *input, int count, ls_error *error);
/* Whether there is a folder at `path`. */
bool ls_atomic_file_is_folder(const char *path);
