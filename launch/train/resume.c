/* resume: rank 0 chooses a checkpoint and reads it; the other ranks get what is in it. */
#include "launch/train/resume.h"

#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checkpoint_rows.h"
#include "io/folder.h"
#include "launch/train/best.h"
#include "launch/train/changes.h"
#include "launch/weights/weights_file.h"

#define NO_CHECKPOINT "--resume=required, but %s holds no checkpoint"

/* Whether the checkpoint lies in the run's own folder. */
static bool is_own(const ls_trainer *t, const ls_checkpoint *checkpoint)
{
    const char *path = checkpoint->path, *slash = strrchr(path, '/');
    char *own = ls_format("%s/checkpoints/%s", t->session.job->run, slash ? slash + 1 : path);
    bool same = ls_folder_same(path, own);
    ls_free(own);
    return same;
}

/* Opens the newest valid checkpoint of `run`; *found is NULL where it has none at all. */
static bool find_newest(const ls_trainer *t, const char *run, ls_checkpoint **found,
                        ls_error *error)
{
    const ls_listener *listener = &t->options.listener;
    return ls_checkpoint_find(run, found, listener->notice, listener->context, error) !=
           LS_CHECKPOINT_BROKEN;
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

/* Opens the checkpoint that --resume=PATH names. */
static bool open_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options.resume;
    bool there;
    if (!ls_folder_look(path, &there, error))
        return false;
    if (!there)
        return ls_error_set(error, LS_DATA,
                            "--resume=%s: there is no such file; write auto, required, never, a "
                            "checkpoint or a run directory",
                            path);
    if (!ls_atomic_file_is_folder(path))
        t->checkpoint = ls_checkpoint_open(path, error);
    else if (find_newest(t, path, &t->checkpoint, error) && !t->checkpoint)
        ls_error_set(error, LS_DATA, "--resume=%s holds no checkpoint", path);
    return t->checkpoint && check_progress(t->checkpoint, error);
}

/* --resume=PATH named t->checkpoint; *own is the newest checkpoint of the run itself. Leaves in
 * t->checkpoint the one to go on from, and in *own the other. */
static bool choose_own(ls_trainer *t, ls_checkpoint **own, ls_error *error)
{
    const char *path = t->options.resume, *newest = (*own)->path;
    ls_checkpoint *named = t->checkpoint;
    t->first.once = is_own(t, named);
    if (ls_folder_same(newest, named->path))
        return true;
    if (t->first.once)
        return t->options.overwrite ||
               ls_error_set(error, LS_USAGE,
                            "--resume=%s goes back, but the run has gone on to %s: leave --resume "
                            "out to go on from there, or add --overwrite to drop what came after",
                            path, newest);
    t->first.clears = t->options.overwrite;
    if (t->first.clears)
        return true;
    ls_report_notice(&t->options.listener, "--resume=%s is where the run began: it goes on from %s",
                     path, newest);
    t->checkpoint = *own;
    *own = named;
    return true;
}

/* --resume=PATH begins a run from another run's checkpoint, or goes back within this one. Where the
 * run has a checkpoint of its own since, it goes on from that: the command can be repeated. */
static bool choose_path(ls_trainer *t, ls_error *error)
{
    const char *path = t->options.resume, *run = t->session.job->run;
    ls_checkpoint *own;
    if (!find_newest(t, run, &own, error))
        return false;
    if (own && (ls_folder_same(own->path, path) || ls_folder_same(run, path))) {
        t->first.once = !ls_folder_same(run, path);
        t->checkpoint = own;
        return true;
    }
    bool ok = open_path(t, error) && (!own || choose_own(t, &own, error));
    ls_checkpoint_close(own);
    return ok;
}

/* Opens t->checkpoint as options.resume says; it stays NULL where the run starts anew. */
static bool choose_checkpoint(ls_trainer *t, ls_error *error)
{
    const char *resume = t->options.resume ? t->options.resume : "auto", *run = t->session.job->run;
    bool never = strcmp(resume, "never") == 0, required = strcmp(resume, "required") == 0;
    t->first.once = never;
    t->first.clears = never && t->options.overwrite;
    if (t->first.clears)
        return true;
    if (strcmp(resume, "auto") != 0 && !never && !required)
        return choose_path(t, error);
    if (!find_newest(t, run, &t->checkpoint, error))
        return false;
    if (never && t->checkpoint)
        return ls_error_set(error, LS_USAGE,
                            "--resume=never, but %s holds the checkpoint %s: give another run=, or "
                            "--overwrite to remove what the earlier run wrote",
                            run, t->checkpoint->path);
    if (required && !t->checkpoint)
        return ls_error_set(error, LS_DATA, NO_CHECKPOINT, run);
    return !t->checkpoint || check_progress(t->checkpoint, error);
}

/* A job file beside checkpoints that are not its run's: the run was moved, and would begin anew
 * where it was. */
static bool check_moved(const ls_trainer *t, ls_error *error)
{
    const ls_job *job = t->session.job;
    const char *slash = strrchr(job->path, '/');
    int beside = 0, own = 0;
    char *folder =
        slash ? ls_format("%.*s", (int)(slash - job->path), job->path) : ls_copy_string(".");
    char *there = ls_format("%s/checkpoints", folder),
         *here = ls_format("%s/checkpoints", job->run);
    bool other = ls_job_origin(job, "run") != LS_FROM_COMMAND_LINE && !ls_folder_same(there, here);
    if (other)
        ls_free(ls_checkpoint_list(there, &beside, NULL));
    if (beside > 0)
        ls_free(ls_checkpoint_list(here, &own, NULL));
    bool ok =
        beside == 0 || own > 0 ||
        ls_error_set(error, LS_USAGE,
                     "%s lies beside checkpoints, but its run is %s, which has none: if the "
                     "run was moved, give run=%s to go on with it; to begin anew, give run=%s",
                     job->path, job->run, folder, job->run);
    ls_free(here);
    ls_free(there);
    ls_free(folder);
    return ok;
}

/* --resume=required: a run that is not there leaves no folder behind. */
static bool check_there(const ls_trainer *t, ls_error *error)
{
    bool there;
    const char *run = t->session.job->run;
    return ls_folder_look(run, &there, error) &&
           (there || ls_error_set(error, LS_DATA, NO_CHECKPOINT, run));
}

/* Opens the run directory and the checkpoint to go on from, and takes over its position. */
static bool find_local(ls_trainer *t, ls_error *error)
{
    const char *weights = t->options.weights, *resume = t->options.resume;
    bool there = true;
    if (!weights && (!resume || strcmp(resume, "auto") == 0) && !check_moved(t, error))
        return false;
    if (resume && strcmp(resume, "required") == 0 && !check_there(t, error))
        return false;
    if (!t->options.dry_run && !(t->run = ls_rundir_open(t->session.job->run, error)))
        return false;
    if (weights && !ls_folder_look(weights, &there, error))
        return false;
    if (!there)
        return ls_error_set(error, LS_DATA, "--weights %s: there is no such file", weights);
    if (!choose_checkpoint(t, error))
        return false;
    if (!t->checkpoint)
        return true;
    t->resumed = ls_copy_string(t->checkpoint->path);
    t->position = t->checkpoint->position;
    ls_job *before = t->options.read_job(t->checkpoint->job, t->resumed, error);
    bool ok = before && ls_changes_accept(t, before, error);
    ls_job_destroy(before);
    return ok;
}

bool ls_resume_find(ls_trainer *t, ls_error *error)
{
    if (!ls_comm_agree(t->comm, t->comm->rank != 0 || find_local(t, error), error))
        return false;
    ls_comm_broadcast(t->comm, &t->position, sizeof t->position);
    return true;
}

/* Streams that are other rows of the data than before begin anew, wherever the epoch stands. */
static void drop_streams(const ls_trainer *t, ls_checkpoint_rows *rows)
{
    for (int k = 0; t->first.cut && k < rows->states.count; k++) {
        if (!rows->data[k] || !t->carry.states.at[k].streams)
            continue;
        ls_free(rows->data[k]);
        rows->data[k] = NULL;
        ls_report_notice(&t->options.listener,
                         "%s: the rows of the epoch are cut into other streams than those of %s: "
                         "their states begin anew",
                         t->carry.states.at[k].name, t->resumed);
    }
}

/* Reads the rows that the stage carries. Where the checkpoint has others, they begin anew. */
static bool load_rows(const ls_trainer *t, ls_checkpoint_rows *rows, ls_error *error)
{
    const ls_row_states *wanted = &t->carry.states;
    if (!ls_checkpoint_rows_load(t->checkpoint, wanted, rows, error))
        return false;
    for (int k = 0; k < wanted->count; k++) {
        const ls_row_state *now = &wanted->at[k], *before = &rows->states.at[k];
        if (!rows->data[k] && now->rows > 0 && before->rows == 0)
            ls_report_notice(&t->options.listener,
                             "%s: %s holds none (rows/%s is missing): they begin anew", now->name,
                             t->resumed, now->name);
        else if (!rows->data[k] && now->rows == 0 && before->rows > 0)
            ls_report_notice(&t->options.listener,
                             "%s: %s holds %ld rows, the job has none: they "
                             "are left out",
                             now->name, t->resumed, before->rows);
        else if (!rows->data[k] && now->rows > 0)
            ls_report_notice(&t->options.listener,
                             "%s: %s holds %ld rows of %ld numbers, the job has %ld of %ld: they "
                             "begin anew",
                             now->name, t->resumed, before->rows, before->reals, now->rows,
                             now->reals);
    }
    drop_streams(t, rows);
    return true;
}

/* Removes what an earlier run wrote, if this run takes its place. It is called when nothing refuses
 * the start any more and the weights, which may be that run's, are in memory. */
static bool clear_earlier(const ls_trainer *t, ls_error *error)
{
    return !t->first.clears || ls_rundir_clear(t->run, error);
}

/* Loads the open checkpoint and closes it, or loads --weights. */
static bool load_local(ls_trainer *t, ls_checkpoint_rows *rows, ls_error *error)
{
    const char *weights = t->options.weights;
    const ls_params *params = t->session.params;
    const ls_weights_source source = {weights, t->options.except, t->session.job->model,
                                      t->session.data};
    if (!t->checkpoint)
        return (!weights || ls_weights_file_load(&source, params, error)) &&
               clear_earlier(t, error);
    if (weights)
        ls_report_notice(&t->options.listener,
                         "--weights matters at a run's first start only: the run goes on from %s",
                         t->resumed);
    /* At the beginning of a stage, optimizer states are zero, and not in the file. */
    const ls_checkpoint_arrays *arrays = t->position.stage_step ? &t->states.saved : NULL;
    /* Before an earlier run is removed, a first load shows that the checkpoint can be loaded;
     * ls_best_settle, which writes into the cleared folder, may use the parameters' memory. */
    bool ok = (!t->first.clears || ls_checkpoint_load(t->checkpoint, params, arrays, error)) &&
              load_rows(t, rows, error) && clear_earlier(t, error) && ls_best_settle(t, error) &&
              ls_checkpoint_load(t->checkpoint, params, arrays, error);
    ls_checkpoint_close(t->checkpoint);
    t->checkpoint = NULL;
    return ok;
}

bool ls_resume_load(ls_trainer *t, ls_error *error)
{
    size_t bytes = (size_t)t->session.params->size * sizeof(real);
    ls_checkpoint_rows rows = {.states = {.count = 0}};
    bool ok = ls_comm_agree(t->comm, t->comm->rank != 0 || load_local(t, &rows, error), error);
    if (ok)
        ls_carry_deal(&t->carry, t->comm, &rows);
    ls_checkpoint_rows_release(&rows);
    if (!ok)
        return false;
    ls_comm_broadcast(t->comm, &t->position, sizeof t->position); /* the best may be forgotten */
    ls_comm_broadcast_nodes(t->comm, t->session.params->values, bytes);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        if (t->states.array[k])
            ls_comm_broadcast_nodes(t->comm, t->states.array[k], bytes);
    ls_session_prepare(&t->session, NULL);
    return true;
}
