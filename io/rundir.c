/* rundir: the run directory: its lock, job.yaml, metrics.jsonl. */
#include "io/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/folder.h"

enum { HOLDER = 256 };

struct ls_rundir {
    char *path, *metrics_path; /* RUN, RUN/metrics.jsonl */
    int lock;                  /* the file RUN/lock; -1: not open yet */
    int metrics;               /* RUN/metrics.jsonl, to append to; -1: not open */
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
    if (fcntl(file, F_OFD_SETLK, &lock) == 0 ||
        (errno == EINVAL && fcntl(file, F_SETLK, &lock) == 0))
        return 0;
    return errno;
}

static void write_holder(int file)
{
    char host[HOLDER / 2] = "unknown", text[HOLDER];
    gethostname(host, sizeof host - 1);
    int length = snprintf(text, sizeof text, "process %ld on host %s\n", (long)getpid(), host);
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length)
        return; /* no error: the text is for the message of a second job only */
}

static bool in_use(const ls_rundir *run, ls_error *error)
{
    char holder[HOLDER] = "";
    ssize_t length = pread(run->lock, holder, sizeof holder - 1, 0);
    holder[length > 0 ? strcspn(holder, "\n") : 0] = 0;
    return ls_error_set(error, LS_IN_USE,
                        "%s: is in use by %s; wait until that job ends, or give this one another "
                        "run=",
                        run->path, holder[0] ? holder : "another job");
}

static bool lock(ls_rundir *run, ls_error *error)
{
    char *path = inside(run, "lock");
    run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = run->lock >= 0 || fail(error, path, "open");
    int reason = ok ? lock_file(run->lock) : 0;
    if (reason == EAGAIN || reason == EACCES)
        ok = in_use(run, error);
    else if (reason)
        ls_print(stderr,
                 "lockstep: %s: this file system gives no locks (%s); nothing keeps a second job "
                 "out of this run directory\n",
                 run->path, strerror(reason));
    if (ok)
        write_holder(run->lock);
    ls_free(path);
    return ok;
}

ls_rundir *ls_rundir_open(const char *path, ls_error *error)
{
    ls_rundir *run = ls_alloc(1, sizeof *run);
    *run = (ls_rundir){.path = ls_copy_string(path), .lock = -1, .metrics = -1};
    run->metrics_path = inside(run, "metrics.jsonl");
    char *checkpoints = inside(run, "checkpoints");
    bool ok = ls_atomic_file_folder(checkpoints, error) && lock(run, error);
    ls_free(checkpoints);
    if (ok)
        return run;
    ls_rundir_close(run);
    return NULL;
}

static void close_metrics(ls_rundir *run)
{
    if (run->metrics >= 0)
        close(run->metrics);
    run->metrics = -1;
}

void ls_rundir_close(ls_rundir *run)
{
    if (!run)
        return;
    close_metrics(run);
    if (run->lock >= 0)
        close(run->lock);
    ls_free(run->metrics_path);
    ls_free(run->path);
    ls_free(run);
}

static bool remove_entry(void *path, int folder, const char *name, ls_error *error)
{
    return unlinkat(folder, name, 0) == 0 || errno == EISDIR || errno == EPERM ||
           fail(error, path, "remove the files of an earlier run");
}

/* Removes the files of a folder of the run, but no folders in it. */
static bool empty_folder(const ls_rundir *run, const char *name, ls_error *error)
{
    char *path = inside(run, name);
    bool ok = ls_folder_each(path, remove_entry, path, error);
    ls_free(path);
    return ok;
}

bool ls_rundir_clear(ls_rundir *run, ls_error *error)
{
    close_metrics(run);
    return empty_folder(run, "checkpoints", error) && empty_folder(run, "samples", error) &&
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

static bool append(int file, const char *line, size_t length)
{
    ssize_t done = write(file, line, length);
    if (done >= 0 && (size_t)done < length)
        errno = ENOSPC;
    return done == (ssize_t)length;
}

bool ls_rundir_metrics(ls_rundir *run, const char *json, ls_error *error)
{
    char *line = ls_format("%s\n", json);
    if (run->metrics < 0)
        run->metrics = open(run->metrics_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    bool ok = (run->metrics >= 0 && append(run->metrics, line, strlen(line))) ||
              fail(error, run->metrics_path, "write");
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
