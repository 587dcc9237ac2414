/* choose: the newest checkpoint of the run, or what --resume=PATH names. */
#include "launch/train/choose.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_find.h"

/* Whether both paths lead to the same file or folder. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool ls_choose_is_own(const ls_checkpoint *checkpoint, const ls_job *job)
{
    const char *path = checkpoint->path, *slash = strrchr(path, '/');
    char *own = ls_format("%s/checkpoints/%s", job->run, slash ? slash + 1 : path);
    bool same = same_file(path, own);
    ls_free(own);
    return same;
}

/* Opens the newest valid checkpoint of `run`; *found is NULL where it has none at all. */
static bool find_newest(const ls_train_options *options, const char *run, ls_checkpoint **found,
                        ls_error *error)
{
    return ls_checkpoint_find(run, found, options->listener.notice, options->listener.context,
                              error) != LS_CHECKPOINT_BROKEN;
}

/* Opens the checkpoint that --resume=PATH names. */
static bool open_path(const ls_train_options *options, ls_checkpoint **found, ls_error *error)
{
    const char *path = options->resume;
    if (access(path, F_OK) != 0)
        return ls_error_set(error, LS_DATA,
                            "--resume=%s: there is no such file; write auto, required, never, a "
                            "checkpoint or a run directory",
                            path);
    if (!ls_atomic_file_is_folder(path))
        *found = ls_checkpoint_open(path, error);
    else if (find_newest(options, path, found, error) && !*found)
        ls_error_set(error, LS_DATA, "--resume=%s holds no checkpoint", path);
    return *found != NULL;
}

/* --resume=PATH names *chosen; *own is the newest checkpoint of the run itself. Leaves in *chosen
 * the one to go on from, and in *own the other. */
static bool choose_own(const ls_job *job, const ls_train_options *options, ls_rundir *run,
                       ls_checkpoint **chosen, ls_checkpoint **own, ls_error *error)
{
    const char *path = options->resume, *newest = (*own)->path;
    ls_checkpoint *named = *chosen;
    if (same_file(newest, named->path))
        return true;
    if (ls_choose_is_own(named, job))
        return options->overwrite ||
               ls_error_set(error, LS_USAGE,
                            "--resume=%s goes back, but the run has gone on to %s: leave --resume "
                            "out to go on from there, or add --overwrite to drop what came after",
                            path, newest);
    if (options->overwrite)
        return !run || ls_rundir_clear(run, error);
    ls_listener_notice(&options->listener, "--resume=%s is where the run began: it goes on from %s",
                       path, newest);
    *chosen = *own;
    *own = named;
    return true;
}

static bool check_progress(const ls_checkpoint *checkpoint, ls_error *error)
{
    const char *path = checkpoint->path;
    return !checkpoint->weights_only ||
           ls_error_set(error, LS_DATA,
                        "%s holds parameters only (no optimizer state, no step), so a run cannot "
                        "go on from it: start a new run from it with --weights %s",
                        path, path);
}

/* --resume=PATH begins a run from another run's checkpoint, or goes back within this one. Where the
 * run has a checkpoint of its own since, it goes on from that: the command can be repeated. */
static bool choose_path(const ls_job *job, const ls_train_options *options, ls_rundir *run,
                        ls_checkpoint **chosen, ls_error *error)
{
    ls_checkpoint *own;
    if (!find_newest(options, job->run, &own, error))
        return false;
    if (own && (same_file(own->path, options->resume) || same_file(job->run, options->resume))) {
        *chosen = own;
        return true;
    }
    bool ok = open_path(options, chosen, error) && check_progress(*chosen, error) &&
              (!own || choose_own(job, options, run, chosen, &own, error));
    ls_checkpoint_close(own);
    return ok;
}

bool ls_choose_checkpoint(const ls_job *job, const ls_train_options *options, ls_rundir *run,
                          ls_checkpoint **chosen, ls_error *error)
{
    const char *resume = options->resume ? options->resume : "auto";
    bool never = strcmp(resume, "never") == 0, required = strcmp(resume, "required") == 0;
    if (never && options->overwrite)
        return !run || ls_rundir_clear(run, error);
    if (strcmp(resume, "auto") != 0 && !never && !required)
        return choose_path(job, options, run, chosen, error);
    if (!find_newest(options, job->run, chosen, error))
        return false;
    if (never && *chosen)
        return ls_error_set(error, LS_USAGE,
                            "--resume=never, but %s holds the checkpoint %s: give another run=, or "
                            "--overwrite to remove what the earlier run wrote",
                            job->run, (*chosen)->path);
    if (required && !*chosen)
        return ls_error_set(error, LS_DATA, "--resume=required, but %s holds no checkpoint",
                            job->run);
    return !*chosen || check_progress(*chosen, error);
}
