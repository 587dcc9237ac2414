/* rundir: the run directory: its lock, job.yaml, metrics.jsonl. */
#include "io/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "io/folder.h"

enum { HOLDER = 256 };

struct ls_rundir {
    char *path, *lock_path, *metrics_path; /* RUN, RUN/lock, RUN/metrics.jsonl */
    int folder;                            /* the folder RUN; -1: not open yet */
    int lock;                              /* RUN/lock; -1: not open yet */
    int metrics;                           /* RUN/metrics.jsonl, to append to; -1: not open */
    bool cut;                              /* it ends in a part of a line */
};

static char *inside(const ls_rundir *run, const char *name)
{
    return ls_format("%s/%s", run->path, name);
}

static bool fail(ls_error *error, const char *path, const char *doing)
{
    return ls_error_set(error, LS_IO, "%s: can't %s: %s", path, doing, strerror(errno));
}

/* Returns 0, or the errno. A lock of the open file description (F_OFD) is better where the system
 * has it: one of the process ends when the process closes any descriptor of the file. */
static int lock_file(int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result;
    do
        result = fcntl(file, F_OFD_SETLK, &lock);
    while (result != 0 && errno == EINTR);
    if (result == 0 || (errno == EINVAL && fcntl(file, F_SETLK, &lock) == 0))
        return 0;
    return errno == EACCES ? EAGAIN : errno;
}

/* Opens the file RUN/lock; -1 and an error where something else is there, for the holder's name is
 * written into it. */
static int open_lock(const char *path, ls_error *error)
{
    struct stat status;
    int file = ls_file_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (file < 0 && errno != ELOOP)
        fail(error, path, "open");
    else if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
             status.st_nlink > 1)
        ls_error_set(error, LS_IO,
                     "%s: is a link, or no file; expected the lock of a run directory: remove it",
                     path);
    else
        return file;
    if (file >= 0)
        ls_file_close(file);
    return -1;
}

static void write_holder(int file)
{
    char host[HOLDER / 2] = "unknown", text[HOLDER];
    gethostname(host, sizeof host - 1);
    int length = snprintf(text, sizeof text, "process %ld on host %s\n", (long)getpid(), host);
    if (ls_file_truncate(file, 0))
        ls_file_write_at(file, text, (size_t)length, 0); /* for a second job's message only */
}

/* Fills holder[HOLDER] with the name of the job that holds the lock. */
static const char *read_holder(int file, char *holder)
{
    ssize_t length = ls_file_read_at(file, holder, HOLDER - 1, 0);
    holder[length > 0 ? length : 0] = 0;
    holder[strcspn(holder, "\n")] = 0;
    return holder[0] ? holder : "another job";
}

static bool lock(ls_rundir *run, ls_error *error)
{
    char holder[HOLDER];
    run->lock = open_lock(run->lock_path, error);
    if (run->lock < 0)
        return false;
    int reason = lock_file(run->lock);
    if (reason == EAGAIN)
        return ls_error_set(error, LS_IN_USE,
                            "%s: is in use by %s; wait until that job ends, or give this one "
                            "another run=",
                            run->path, read_holder(run->lock, holder));
    if (reason && !ls_file_lacks_locks(reason))
        return ls_error_set(error, LS_IO, "%s: can't lock it: %s", run->lock_path,
                            strerror(reason));
    if (reason)
        ls_print(stderr,
                 "lockstep: %s: this file system gives no locks (%s); nothing keeps a second job "
                 "out of this run directory\n",
                 run->path, strerror(reason));
    write_holder(run->lock);
    return true;
}

/* Whether something else than the open file, or nothing, is at `path`. What can't be looked at is
 * not lost. */
static bool is_lost(int file, const char *path)
{
    struct stat opened, found;
    if (stat(path, &found) != 0)
        return errno == ENOENT || errno == ENOTDIR;
    return fstat(file, &opened) == 0 &&
           (opened.st_dev != found.st_dev || opened.st_ino != found.st_ino);
}

/* Takes the lock again after its file was removed. Where the file system has no locks, a file that
 * somebody has made meanwhile is another job's. */
static bool lock_again(ls_rundir *run, ls_error *error)
{
    char holder[HOLDER];
    bool made = access(run->lock_path, F_OK) == 0;
    int file = open_lock(run->lock_path, error);
    if (file < 0)
        return false;
    int reason = lock_file(file);
    if (reason == EAGAIN || (reason && made)) {
        ls_error_set(error, LS_IN_USE,
                     "%s: was removed while this job ran, and %s has taken the run directory: "
                     "this job ends, so that the two do not write over each other",
                     run->lock_path, read_holder(file, holder));
        ls_file_close(file);
        return false;
    }
    ls_file_close(run->lock);
    run->lock = file;
    write_holder(file);
    ls_print(stderr,
             "lockstep: %s: was removed while this job runs; it is made anew, for it keeps other "
             "jobs out\n",
             run->lock_path);
    return true;
}

bool ls_rundir_check(ls_rundir *run, ls_error *error)
{
    char *folder = inside(run, "."), *checkpoints = inside(run, "checkpoints");
    bool gone = is_lost(run->folder, folder) || (access(checkpoints, F_OK) != 0 && errno == ENOENT);
    ls_free(checkpoints);
    ls_free(folder);
    if (gone)
        return ls_error_set(error, LS_IO,
                            "%s: the run directory was removed or replaced while this job ran: the "
                            "job ends, for what it writes would be lost",
                            run->path);
    return !is_lost(run->lock, run->lock_path) || lock_again(run, error);
}

ls_rundir *ls_rundir_open(const char *path, ls_error *error)
{
    ls_rundir *run = ls_alloc(1, sizeof *run);
    *run = (ls_rundir){.path = ls_copy_string(path), .folder = -1, .lock = -1, .metrics = -1};
    run->lock_path = inside(run, "lock");
    run->metrics_path = inside(run, "metrics.jsonl");
    char *checkpoints = inside(run, "checkpoints");
    bool ok = ls_atomic_file_folder(checkpoints, error);
    ls_free(checkpoints);
    run->folder = ok ? ls_file_open(path, O_RDONLY | O_DIRECTORY, 0) : -1;
    ok = ok && (run->folder >= 0 || fail(error, path, "open the folder")) && lock(run, error);
    if (ok)
        return run;
    ls_rundir_close(run);
    return NULL;
}

static void close_metrics(ls_rundir *run)
{
    if (run->metrics >= 0)
        ls_file_close(run->metrics);
    run->metrics = -1;
}

void ls_rundir_close(ls_rundir *run)
{
    if (!run)
        return;
    close_metrics(run);
    if (run->lock >= 0)
        ls_file_close(run->lock);
    if (run->folder >= 0)
        ls_file_close(run->folder);
    ls_free(run->metrics_path);
    ls_free(run->lock_path);
    ls_free(run->path);
    ls_free(run);
}

/* How the files of a run are named (io/checkpoint/checkpoint_list.h, launch/train/samples.c), and
 * how a name goes on while its file is written (io/atomic_file.h). */
#define TEMPORARY "([.][0-9a-f]{16}[.]tmp)?$"
#define CHECKPOINTS "^(best|stage-[0-9]+|step-[0-9]{8,})[.](h5|ok)" TEMPORARY
#define SAMPLES "^step-[0-9]{8,}-(prior|rebuilt)[.]png" TEMPORARY

/* The files of a folder that may be removed. */
typedef struct removal {
    const char *path; /* of the folder */
    regex_t names;
} removal;

static bool remove_entry(void *context, int folder, const char *name, ls_error *error)
{
    const removal *r = context;
    return regexec(&r->names, name, 0, NULL, 0) != 0 || unlinkat(folder, name, 0) == 0 ||
           errno == EISDIR || fail(error, r->path, "remove the files of an earlier run");
}

/* Removes the files of these names from a folder of the run. */
static bool empty_folder(const ls_rundir *run, const char *name, const char *names, ls_error *error)
{
    char *path = inside(run, name);
    removal r = {.path = path};
    ls_check(regcomp(&r.names, names, REG_EXTENDED | REG_NOSUB) == 0, "bad pattern: %s", names);
    bool ok = ls_folder_each(path, remove_entry, &r, error);
    regfree(&r.names);
    ls_free(path);
    return ok;
}

bool ls_rundir_clear(ls_rundir *run, ls_error *error)
{
    close_metrics(run);
    return empty_folder(run, "checkpoints", CHECKPOINTS, error) &&
           empty_folder(run, "samples", SAMPLES, error) &&
           (unlink(run->metrics_path) == 0 || errno == ENOENT ||
            fail(error, run->metrics_path, "remove"));
}

bool ls_rundir_put(ls_rundir *run, const char *name, const char *text, ls_error *error)
{
    char *path = inside(run, name);
    bool ok = ls_atomic_file_write(path, text, strlen(text), error);
    ls_free(path);
    return ok;
}

/* Opens metrics.jsonl, if it is not open. */
static bool open_metrics(ls_rundir *run, ls_error *error)
{
    if (run->metrics < 0)
        run->metrics =
            ls_file_open(run->metrics_path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0666);
    return run->metrics >= 0 || fail(error, run->metrics_path, "open");
}

/* Appends text. What was written of it where that failed is taken back; or if that fails too, the
 * next record begins on a line of its own. */
static bool append(ls_rundir *run, const char *text, ls_error *error)
{
    struct stat before;
    bool known = fstat(run->metrics, &before) == 0;
    if (ls_file_write(run->metrics, text, strlen(text)))
        return true;
    fail(error, run->metrics_path, "write");
    run->cut = run->cut || !known || !ls_file_truncate(run->metrics, before.st_size);
    return false;
}

bool ls_rundir_metrics(ls_rundir *run, const char *json, ls_error *error)
{
    if (!ls_rundir_check(run, error) || !open_metrics(run, error))
        return false;
    char *line = ls_format("%s%s\n", run->cut ? "\n" : "", json);
    bool ok = append(run, line, error);
    run->cut = run->cut && !ok;
    ls_free(line);
    return ok;
}

/* Whether a run that resumes at `step` keeps this line. */
static bool is_kept(const char *line, size_t length, long step, const char *needed)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *number = json_object_get(record, "step");
    double at = json_is_number(number) ? json_number_value(number) : -1;
    bool kept = json_is_object(record) &&
                (at < step || (at == step && (!needed || json_object_get(record, needed))));
    json_decref(record);
    return kept;
}

/* Moves the lines that are kept to the front of `text`; returns their length. */
static size_t keep_lines(char *text, size_t size, long step, const char *needed)
{
    size_t kept = 0;
    char *line = text;
    for (char *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        size_t length = (size_t)(end - line) + 1;
        if (!is_kept(line, length, step, needed))
            continue;
        memmove(text + kept, line, length);
        kept += length;
    }
    return kept;
}

bool ls_rundir_metrics_rewind(ls_rundir *run, long step, const char *needed, ls_error *error)
{
    close_metrics(run);
    size_t size;
    bool there;
    if (!ls_folder_look(run->metrics_path, &there, error))
        return false;
    if (!there)
        return true;
    char *text = ls_atomic_file_read(run->metrics_path, LS_RUNDIR_TEXT, &size, error);
    size_t kept = text ? keep_lines(text, size, step, needed) : 0;
    bool ok = text && (kept == size || ls_atomic_file_write(run->metrics_path, text, kept, error));
    ls_free(text);
    return ok;
}
