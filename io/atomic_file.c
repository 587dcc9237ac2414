/* atomic_file: temporary files of their own names, made durable in the right order. */
#include "io/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/file.h"
#include "io/folder.h"

/* A temporary name ends in ".", RANDOM hex digits and ".tmp". */
enum { RANDOM = 16, ENDING = 1 + RANDOM + 4 };
enum { TRIES = 100, DAY = 86400 /* seconds */ };
enum { PAGE = 4096, DIRECT = 1 << 20 /* bytes that are worth going past the system's cache */ };

struct ls_atomic_file {
    char *path, *temporary;
    int file;     /* open and, where the file system can do that, locked until the file is PATH */
    FILE *stream; /* NULL: nobody asked for one */
    int reason;   /* errno of the stream's first write that failed; 0: none did */
};

static bool fail(ls_error *error, const char *path, const char *doing)
{
    return ls_error_set(error, LS_IO, "%s: can't %s: %s", path, doing, strerror(errno));
}

/* Whether `name` is `stem`, of `length` bytes, and the ending of a temporary name. */
static bool is_temporary(const char *name, const char *stem, size_t length)
{
    const char *ending = name + length;
    return strncmp(name, stem, length) == 0 && strlen(ending) == ENDING && ending[0] == '.' &&
           strspn(ending + 1, "0123456789abcdef") == RANDOM &&
           strcmp(ending + 1 + RANDOM, ".tmp") == 0;
}

/* Where the last part of a path begins. */
static size_t name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The length of `path` when its last part is cut so that the ending fits behind it. No character of
 * UTF-8 is cut in two. */
static size_t stem_of(const char *path)
{
    size_t length = strlen(path), most = name_of(path) + NAME_MAX - ENDING;
    if (length <= most)
        return length;
    while (((unsigned char)path[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* The folder of `path`, ending in a slash; the caller frees it with ls_free. */
static char *folder_of(const char *path)
{
    size_t length = name_of(path);
    return length ? ls_format("%.*s", (int)length, path) : ls_copy_string("./");
}

/* A name beside `path` that no other writer thinks of; the caller frees it with ls_free. */
static char *temporary_name(const char *path)
{
    unsigned long long random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
        struct timespec now; /* O_EXCL keeps writers apart; the name is only less secret */
        clock_gettime(CLOCK_REALTIME, &now);
        random = ((unsigned long long)getpid() << 32) ^ (unsigned long long)now.tv_nsec;
    }
    return ls_format("%.*s.%0*llx.tmp", (int)stem_of(path), path, RANDOM, random);
}

/* Whether a temporary file, open for writing as `file`, was left by a writer that has ended. If so
 * it is locked from now on. */
static bool is_left(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    int reason = ls_file_lock(file, LOCK_EX);
    return !reason || (ls_file_lacks_locks(reason) && status.st_mtime < time(NULL) - DAY);
}

/* Removes a file of the folder if it was left by a killed writer of the path `context`. */
static bool remove_left(void *context, int folder, const char *name, ls_error *error)
{
    const char *path = context;
    size_t start = name_of(path);
    if (!is_temporary(name, path + start, stem_of(path) - start))
        return true;
    int file = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file >= 0 && is_left(file))
        unlinkat(folder, name, 0);
    if (file >= 0)
        ls_file_close(file);
    return true;
}

/* Removes the temporary files that killed writers of `path` left. What can't be removed stays: it
 * is in nobody's way. */
static void sweep(char *path)
{
    char *folder = folder_of(path);
    ls_folder_each(folder, remove_left, path, NULL);
    ls_free(folder);
}

/* Locks a new temporary file, so that no other writer takes it for one that was left. False where
 * one did so, between its creation and the lock, and removes it. */
static bool hold(const ls_atomic_file *f)
{
    return ls_file_lock(f->file, LOCK_EX) != EWOULDBLOCK && ls_file_is_at(f->file, f->temporary);
}

/* Creates and locks the temporary file; false and errno where that failed. */
static bool create_temporary(ls_atomic_file *f)
{
    for (int i = 0; i < TRIES; i++) {
        ls_free(f->temporary);
        f->temporary = temporary_name(f->path);
        f->file = ls_file_open(f->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        if (f->file >= 0 ? hold(f) : errno != EEXIST)
            return f->file >= 0;
        if (f->file >= 0) {
            unlink(f->temporary); /* unless it is gone */
            ls_file_close(f->file);
        }
        f->file = -1;
        errno = EEXIST;
    }
    return false;
}

/* Whether the finished file can take this place: nothing or a file is there. */
static bool check_place(const char *path, ls_error *error)
{
    struct stat status;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) ||
           ls_error_set(error, LS_IO, "%s: is a %s; expected a file, or nothing there", path,
                        S_ISDIR(status.st_mode) ? "directory" : "device or pipe");
}

static void release(ls_atomic_file *f)
{
    if (f->stream)
        fclose(f->stream);
    if (f->file >= 0)
        ls_file_close(f->file);
    ls_free(f->temporary);
    ls_free(f->path);
    ls_free(f);
}

ls_atomic_file *ls_atomic_file_create(const char *path, ls_error *error)
{
    if (!check_place(path, error))
        return NULL;
    ls_atomic_file *f = ls_alloc(1, sizeof *f);
    *f = (ls_atomic_file){.path = ls_copy_string(path), .file = -1};
    sweep(f->path);
    if (create_temporary(f))
        return f;
    if (errno == ENOENT)
        ls_error_set(error, LS_IO, "%s: can't create: its folder is not there: mkdir -p %.*s", path,
                     (int)ls_max(1, (long)name_of(path) - 1), path);
    else
        fail(error, path, "create");
    release(f);
    return NULL;
}

int ls_atomic_file_descriptor(const ls_atomic_file *f)
{
    return f->file;
}

void ls_atomic_file_discard(ls_atomic_file *f)
{
    if (!f)
        return;
    unlink(f->temporary);
    release(f);
}

bool ls_atomic_file_put(ls_atomic_file *f, const void *bytes, size_t size, ls_error *error)
{
    bool pages = size >= DIRECT && (uintptr_t)bytes % PAGE == 0 && size % PAGE == 0;
    return (pages ? ls_file_write_pages : ls_file_write)(f->file, bytes, size) ||
           ls_error_set(error, LS_IO, "%s: can't write (%zu bytes): %s", f->path, size,
                        strerror(errno));
}

static ssize_t write_stream(void *context, const char *bytes, size_t size)
{
    ls_atomic_file *f = context;
    if (ls_file_write(f->file, bytes, size))
        return (ssize_t)size;
    f->reason = f->reason ? f->reason : errno;
    return 0;
}

FILE *ls_atomic_file_stream(ls_atomic_file *f)
{
    if (!f->stream)
        f->stream = fopencookie(f, "w", (cookie_io_functions_t){.write = write_stream});
    ls_check(f->stream, "%s: no memory for a stream", f->path);
    return f->stream;
}

bool ls_atomic_file_flush(ls_atomic_file *f, ls_error *error)
{
    if (f->stream && fflush(f->stream) != 0 && !f->reason)
        f->reason = errno;
    return !f->reason ||
           ls_error_set(error, LS_IO, "%s: can't write: %s", f->path, strerror(f->reason));
}

bool ls_atomic_file_sync(ls_atomic_file *f, ls_error *error)
{
    return ls_file_sync(f->file) || fail(error, f->path, "sync it to the disk");
}

/* Makes a rename in the folder of `path` durable. Some file systems can't sync folders (EINVAL),
 * and keep the order themselves. */
static bool sync_folder(const char *path, ls_error *error)
{
    char *folder = folder_of(path);
    int file = ls_file_open(folder, O_RDONLY | O_DIRECTORY, 0);
    bool ok = (file >= 0 && (ls_file_sync(file) || errno == EINVAL)) ||
              fail(error, folder, "sync the folder to the disk");
    if (file >= 0)
        ls_file_close(file);
    ls_free(folder);
    return ok;
}

/* The file is closed, and with that its lock ends, when it has its name; as it is synced, an error
 * of the close says nothing new. Where the answer to a rename was lost (NFS), the name tells that
 * it was done. */
bool ls_atomic_file_rename(ls_atomic_file *f, ls_error *error)
{
    bool named = ls_file_rename(f->temporary, f->path) || ls_file_is_at(f->file, f->path);
    if (!named) {
        fail(error, f->path, "give the finished file its name");
        ls_atomic_file_discard(f);
        return false;
    }
    bool ok = sync_folder(f->path, error);
    release(f);
    return ok;
}

bool ls_atomic_file_finish(ls_atomic_file *f, ls_error *error)
{
    if (ls_atomic_file_flush(f, error) && ls_atomic_file_sync(f, error))
        return ls_atomic_file_rename(f, error);
    ls_atomic_file_discard(f);
    return false;
}

bool ls_atomic_file_write(const char *path, const void *bytes, size_t size, ls_error *error)
{
    ls_atomic_file *f = ls_atomic_file_create(path, error);
    if (f && ls_atomic_file_put(f, bytes, size, error))
        return ls_atomic_file_finish(f, error);
    ls_atomic_file_discard(f);
    return false;
}

static bool read_all(const char *path, int file, char *bytes, size_t size, ls_error *error)
{
    ssize_t done = ls_file_read_at(file, bytes, size, 0);
    if (done < 0)
        return fail(error, path, "read");
    return (size_t)done == size ||
           ls_error_set(error, LS_DATA, "%s: became shorter while it was read", path);
}

/* Whether a file of `size` bytes may be read whole: a damaged one can claim any size. */
static bool check_size(const char *path, size_t size, size_t most, ls_error *error)
{
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (size <= most && size < memory)
        return true;
    return ls_error_set(error, LS_DATA, "%s: has %zu bytes; expected at most %zu%s", path, size,
                        most < memory ? most : memory, most < memory ? "" : ", the memory here");
}

void *ls_atomic_file_read(const char *path, size_t most, size_t *size, ls_error *error)
{
    struct stat status;
    char *bytes = NULL;
    int file = ls_file_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        ls_error_set(error, absent ? LS_DATA : LS_IO, "%s: can't open: %s", path, strerror(errno));
    } else if (fstat(file, &status) != 0) {
        fail(error, path, "read");
    } else if (!S_ISREG(status.st_mode)) {
        ls_error_set(error, LS_DATA, "%s: is a %s; expected a file", path,
                     S_ISDIR(status.st_mode) ? "directory" : "device or pipe");
    } else if (check_size(path, (size_t)status.st_size, most, error)) {
        *size = (size_t)status.st_size;
        bytes = ls_alloc(*size + 1, 1);
        if (!read_all(path, file, bytes, *size, error)) {
            ls_free(bytes);
            bytes = NULL;
        }
    }
    if (file >= 0)
        ls_file_close(file);
    return bytes;
}

bool ls_atomic_file_folder(const char *path, ls_error *error)
{
    struct stat status;
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return ls_error_set(error, LS_IO, "\"%s\" can't be the path of a folder", path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        int made;
        do
            made = mkdir(part, 0777);
        while (made != 0 && errno == EINTR);
        if (made != 0 && errno != EEXIST)
            return fail(error, part, "make the folder");
        if (stat(part, &status) != 0)
            return errno == ENOENT
                       ? ls_error_set(error, LS_IO,
                                      "%s: is a link that leads nowhere; expected a folder", part)
                       : fail(error, part, "look at the folder");
        if (!S_ISDIR(status.st_mode))
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

bool ls_atomic_file_apart(const char *output, const char *const *input, int count, ls_error *error)
{
    for (int i = 0; i < count; i++)
        if (input[i] && ls_folder_same(output, input[i]))
            return ls_error_set(error, LS_USAGE,
                                "%s: the output would replace %s, which is read: give another -o",
                                output, input[i]);
    return true;
}
