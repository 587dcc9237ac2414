/* saved: find what a run saved, rebuild its nets from the job inside, load the parameters. */
#include "launch/session/saved.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint_find.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/folder.h"
#include "launch/job/job_read.h"
#include "launch/weights/weights_file.h"

/* Opens best.h5 of a run directory. NULL without an error: there is none, or it is damaged, which
 * a notice says. One that can't be read is an error: another checkpoint would give other results.
 */
static ls_checkpoint *open_best(const ls_saved_request *r, ls_error *error)
{
    *error = (ls_error){0};
    char *best = ls_format("%s/checkpoints/best.h5", r->from);
    ls_checkpoint *found = NULL;
    if (access(best, F_OK) == 0 || errno != ENOENT)
        found = ls_checkpoint_open(best, error);
    ls_free(best);
    if (found || error->code != LS_DATA)
        return found;
    if (r->notice)
        r->notice(r->context, error->text);
    *error = (ls_error){0};
    return NULL;
}

/* The last stage that has done a step: at a border a checkpoint says that the next one runs. */
static long last_trained(const ls_position *position)
{
    return position->stage - (position->stage > 0 && position->stage_step == 0);
}

static void tell(const ls_saved_request *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void tell(const ls_saved_request *r, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (r->notice)
        r->notice(r->context, text);
}

/* Where the run has gone on to a stage whose objective is another, and has found no best yet, or
 * has lost it, best.h5 is of a stage that is over: then the newest checkpoint, and best.h5 is
 * closed. Without a stage-N.h5 of that stage, none has begun after it. */
static ls_checkpoint *pass_over_best(const ls_saved_request *r, ls_checkpoint *best)
{
    char *folder = ls_format("%s/checkpoints", r->from);
    const bool over = ls_checkpoint_list_stages(folder, NULL) > best->position.stage;
    ls_free(folder);
    ls_checkpoint *newest = NULL;
    if (!over || ls_checkpoint_find(r->from, &newest, NULL, NULL, NULL) != LS_CHECKPOINT_FOUND ||
        newest->position.step <= best->position.step ||
        newest->position.best_step == best->position.step) {
        ls_checkpoint_close(newest);
        return best;
    }
    if (!r->stage_follows)
        tell(r, "%s is of stage %ld, which is over: %s is taken", best->path, best->position.stage,
             newest->path);
    ls_checkpoint_close(best);
    return newest;
}

/* On rank 0. Opens what `from` names: of a directory best.h5 or the newest valid checkpoint. */
static ls_checkpoint *open_checkpoint(const ls_saved_request *r, ls_error *error)
{
    struct stat status;
    if (stat(r->from, &status) != 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        ls_error_set(error, absent ? LS_DATA : LS_IO, "%s: %s", r->from,
                     absent ? "no such run directory or checkpoint file" : strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(status.st_mode))
        return ls_checkpoint_open(r->from, error);
    if (r->weights == LS_SAVED_BEST) {
        ls_checkpoint *best = open_best(r, error);
        if (best || error->code)
            return best ? pass_over_best(r, best) : NULL;
    }
    ls_checkpoint *found = NULL;
    if (ls_checkpoint_find(r->from, &found, r->notice, r->context, error) == LS_CHECKPOINT_NONE)
        ls_error_set(error, LS_DATA, "%s holds no checkpoint: is it a run directory?", r->from);
    return found;
}

/* **Collective.** A copy of rank 0's text on every rank; the caller frees it. */
static char *share_text(ls_comm *comm, const char *text)
{
    long length = text ? (long)strlen(text) + 1 : 0;
    ls_comm_broadcast(comm, &length, sizeof length);
    char *copy = text ? ls_copy_string(text) : ls_alloc((size_t)length, 1);
    ls_comm_broadcast(comm, copy, (size_t)length);
    return copy;
}

/* **Collective.** A copy of rank 0's vocabulary on every rank: of the checkpoint that it has
 * opened, if there is one and it has one. */
static bool share_vocabulary(ls_saved *s, ls_comm *comm, ls_error *error)
{
    const ls_vocabulary *v = s->checkpoint ? s->checkpoint->vocabulary : NULL;
    long about[] = {v != NULL, v ? (long)v->level : 0, v ? v->unknown : 0, v ? (long)v->size : 0};
    ls_comm_broadcast(comm, about, sizeof about);
    if (!about[0])
        return true;
    char *text = ls_alloc((size_t)about[3] + 1, 1);
    if (v)
        memcpy(text, v->text, v->size);
    ls_comm_broadcast(comm, text, (size_t)about[3]);
    s->vocabulary = ls_vocabulary_parse(s->path, (ls_vocabulary_level)about[1], text,
                                        (size_t)about[3], about[2], error);
    ls_free(text);
    return ls_comm_agree(comm, s->vocabulary != NULL, error);
}

/* **Collective.** Tells all ranks which checkpoint it is that rank 0 has opened. */
static void share_position(ls_saved *s, ls_comm *comm)
{
    if (s->checkpoint) {
        s->step = s->checkpoint->position.step;
        s->stage = last_trained(&s->checkpoint->position);
        snprintf(s->path, sizeof s->path, "%s", s->checkpoint->path);
    }
    ls_comm_broadcast(comm, s->path, sizeof s->path);
    ls_comm_broadcast(comm, &s->step, sizeof s->step);
    ls_comm_broadcast(comm, &s->stage, sizeof s->stage);
}

/* Whether `from` names a job file. */
static bool is_job_file(const ls_saved_request *r)
{
    const char *ending = strrchr(r->from, '.');
    return ending && !ls_atomic_file_is_folder(r->from) &&
           (strcmp(ending, ".yaml") == 0 || strcmp(ending, ".yml") == 0 ||
            strcmp(ending, ".json") == 0);
}

/* On rank 0. The text of the job, which the caller frees: of the job file, or of the checkpoint
 * that is opened. */
static char *open_job(ls_saved *s, const ls_saved_request *r, ls_error *error)
{
    enum { MOST = 1 << 20 }; /* bytes of a job file */
    size_t size;
    if (!is_job_file(r)) {
        s->checkpoint = open_checkpoint(r, error);
        return s->checkpoint ? ls_copy_string(s->checkpoint->job) : NULL;
    }
    if (r->file)
        return ls_atomic_file_read(r->from, MOST, &size, error);
    ls_error_set(error, LS_USAGE,
                 "%s is a job, not a trained net: name its run directory, or give parameters by "
                 "--weights FILE",
                 r->from);
    return NULL;
}

/* Beside a job file rank 0 opens the checkpoint that the parameters come from, if it is one, for
 * what it says of the data: the vocabulary, and the shape of a row. */
static void open_weights(ls_saved *s, const ls_comm *comm, const ls_saved_request *r)
{
    snprintf(s->path, sizeof s->path, "%s", r->file);
    if (comm->rank == 0)
        s->checkpoint = ls_checkpoint_open(r->file, NULL);
}

/* **Collective.** Reads the job of the checkpoint that rank 0 opens, on every rank. */
static bool read_job(ls_saved *s, ls_comm *comm, const ls_saved_request *r, ls_error *error)
{
    bool first = comm->rank == 0;
    char *own = first ? open_job(s, r, error) : NULL;
    if (!ls_comm_agree(comm, !first || own, error))
        return false;
    char *text = share_text(comm, own);
    ls_free(own);
    share_position(s, comm);
    const bool is_file = !s->path[0]; /* a job file */
    if (is_file)
        open_weights(s, comm, r);
    if (!share_vocabulary(s, comm, error)) {
        ls_free(text);
        return false;
    }
    s->job =
        (r->read_job ? r->read_job : ls_job_from_json)(text, is_file ? r->from : s->path, error);
    ls_free(text);
    bool ok = s->job && (!r->data || ls_job_set(s->job, "data", r->data, error));
    if (ok && is_file)
        s->stage = s->job->stages - 1;
    return ls_comm_agree(comm, ok, error);
}

/* The path of the data set is seen from the folder in which the run was trained. */
static bool check_data(const ls_saved *s, const ls_saved_request *r, ls_error *error)
{
    bool there;
    if (r->data)
        return true;
    return ls_folder_look(s->job->data, &there, error) &&
           (there ||
            ls_error_set(error, LS_DATA,
                         "%s: the data set of the run is not there, seen from this folder: "
                         "give its path, or another's, by --data FILE.h5",
                         s->job->data));
}

/* Parameters without a vocabulary (.safetensors) are of that of the data, if it has one. */
static bool check_vocabulary(ls_saved *s, const ls_saved_request *r, ls_error *error)
{
    const ls_dataset *data = s->session.data;
    const ls_vocabulary *words = ls_dataset_vocabulary(data);
    if (r->file && !s->vocabulary && words)
        s->vocabulary =
            ls_vocabulary_create(words->level, words->token, words->count, words->unknown);
    return ls_vocabulary_same(s->path, s->vocabulary, ls_dataset_path(data), words, error);
}

/* On rank 0. Notes what the file of the parameters, if it is a checkpoint, says of its step and of
 * the data trained on; the data at hand may have been made in another way. */
static void note_data(ls_saved *s, const ls_saved_request *r)
{
    static const char key[] = "\nmade: ";
    const bool other = s->checkpoint && r->file && strcmp(s->checkpoint->path, r->file) != 0;
    ls_checkpoint *named = other ? ls_checkpoint_open(r->file, NULL) : NULL;
    const ls_checkpoint *from = other ? named : s->checkpoint;
    s->trained_on = from && from->data ? ls_copy_string(from->data) : NULL;
    if (r->file)
        s->step = from ? from->position.step : 0;
    ls_checkpoint_close(named);
    const char *was = s->trained_on ? strstr(s->trained_on, key) : NULL;
    const char *is = strstr(s->session.data_text, key);
    if (!was || !is)
        return;
    const int was_length = (int)strcspn(++was, "\n"), is_length = (int)strcspn(++is, "\n");
    if (was_length != is_length || strncmp(was, is, (size_t)is_length) != 0)
        tell(r, "%s was %.*s, but what %s was trained on was %.*s",
             ls_dataset_path(s->session.data), is_length, is, r->file ? r->file : s->path,
             was_length, was);
}

/* Reads the shape of a row of x out of ls_dataset_describe: "train/x rows: 60000 of 28x28x1,
 * uint8".
 */
static bool read_shape(const char *text, ls_shape *shape)
{
    enum { MOST = 1 << 28 }; /* numbers of a row */
    const char *line = strstr(text, "/x rows: "), *at = line ? strstr(line, " of ") : NULL;
    int used;
    *shape = (ls_shape){.rank = 0};
    for (at = at ? at + strlen(" of ") : ""; shape->rank < LS_MAX_RANK; at++) {
        long *n = &shape->at[shape->rank];
        if (sscanf(at, "%9ld%n", n, &used) != 1 || *n < 1 || *n > MOST)
            return false;
        shape->rank++;
        at += used;
        if (*at != 'x')
            break;
    }
    return *at == ',' && ls_shape_count(shape) <= MOST;
}

/* **Collective.** Makes the stand-in, where the checkpoint has the shape. */
static bool open_stand_in(ls_saved *s, ls_comm *comm, ls_error *error)
{
    ls_dataset_rows rows[LS_SPLITS] = {{.rows = 1}};
    const char *said = s->checkpoint && s->checkpoint->data ? s->checkpoint->data : "";
    char *text = share_text(comm, comm->rank == 0 ? said : NULL);
    if (read_shape(text, &rows[LS_TRAIN].x_shape)) {
        rows[LS_TRAIN].x = s->row =
            ls_alloc((size_t)ls_shape_count(&rows[LS_TRAIN].x_shape), sizeof(real));
        s->length = (int32_t)rows[LS_TRAIN].x_shape.at[0];
        rows[LS_TRAIN].length = strstr(text, "/length: ") ? &s->length : NULL;
        s->stand_in = ls_dataset_open_rows(s->job->data, rows, error);
        s->job->unroll = 0; /* it is cut into rows already */
    }
    if (s->stand_in)
        ls_dataset_set_vocabulary(s->stand_in, s->vocabulary);
    ls_free(text);
    return ls_comm_agree(comm, !s->row || s->stand_in, error);
}

/* On rank 0. Parameters do not fit the net: where the rows of the data are not of the shape that
 * the run was trained on, that is why. */
static void blame_rows(const ls_saved *s, ls_error *error)
{
    char given[96], trained[96];
    ls_shape shape;
    int i = 0;
    while (i + 1 < LS_SPLITS && !ls_dataset_split(s->session.data, (ls_split_id)i)->present)
        i++;
    const ls_shape *row = &ls_dataset_split(s->session.data, (ls_split_id)i)->x.shape;
    const char *said = s->checkpoint->data;
    if (said && read_shape(said, &shape) && !ls_shape_equal(&shape, row))
        ls_error_set(error, LS_DATA, "%s has rows of %s, but the run was trained on rows of %s",
                     ls_dataset_path(s->session.data), ls_shape_text(row, given, sizeof given),
                     ls_shape_text(&shape, trained, sizeof trained));
}

/* On rank 0. */
static bool load_local(const ls_saved *s, const ls_saved_request *r, ls_error *error)
{
    const ls_params *params = s->session.params;
    const ls_weights_source source = {
        .path = r->file, .model = s->job->model, .data = s->session.data};
    if (r->file)
        return ls_weights_file_load(&source, params, error);
    const char *name = strrchr(s->checkpoint->path, '/');
    if (r->weights == LS_SAVED_BEST && s->job->evaluate.average &&
        ls_atomic_file_is_folder(r->from) && strcmp(name, "/best.h5") != 0)
        tell(r,
             "%s: its weights are taken; --average takes their moving average, of which the "
             "evaluations and pictures of this run are",
             s->checkpoint->path);
    const bool ok =
        (r->weights == LS_SAVED_AVERAGE ? ls_checkpoint_load_average
                                        : ls_checkpoint_load_weights)(s->checkpoint, params, error);
    if (!ok && error->code == LS_DATA)
        blame_rows(s, error);
    return ok;
}

/* **Collective.** Loads the file, or the checkpoint that rank 0 has opened, which is closed. */
static bool load(ls_saved *s, const ls_saved_request *r, ls_error *error)
{
    ls_comm *comm = s->session.comm;
    const ls_params *params = s->session.params;
    bool ok = comm->rank != 0 || load_local(s, r, error);
    if (r->file) {
        snprintf(s->path, sizeof s->path, "%s", r->file);
        ls_comm_broadcast(comm, &s->step, sizeof s->step);
    }
    ls_checkpoint_close(s->checkpoint);
    s->checkpoint = NULL;
    if (!ls_comm_agree(comm, ok, error))
        return false;
    ls_comm_broadcast_nodes(comm, params->values, (size_t)params->size * sizeof(real));
    ls_session_prepare(&s->session, NULL);
    return true;
}

/* On rank 0. Says that the parameters are not those that the stage left. */
static void tell_other(const ls_saved *s, const ls_saved_request *r, int stage)
{
    if (s->stage > stage)
        tell(r, "the parameters are those of %s, as a later stage (%ld) has left them", s->path,
             s->stage);
    else if (s->stage < stage)
        tell(r, "%s: these parameters are of stage %ld; stage %d has not begun", s->path, s->stage,
             stage);
}

/* On rank 0. Opens stage-N.h5 of a run directory; s->checkpoint stays NULL where there is none. */
static bool open_stage(ls_saved *s, const ls_saved_request *r, int stage, ls_error *error)
{
    bool there = false;
    char *folder = ls_format("%s/checkpoints", r->from);
    char *path = ls_checkpoint_list_stage(folder, stage, ".h5");
    bool ok = ls_folder_look(path, &there, error);
    if (there)
        ok = (s->checkpoint = ls_checkpoint_open(path, error)) != NULL;
    else if (ok && s->stage > stage)
        tell(r, "%s is not there", path);
    ls_free(path);
    ls_free(folder);
    return ok;
}

bool ls_saved_open(ls_saved *s, ls_comm *comm, const ls_saved_request *r, ls_error *error)
{
    *s = (ls_saved){.step = 0};
    if (!read_job(s, comm, r, error) || (r->without_data && !open_stand_in(s, comm, error)) ||
        !ls_comm_agree(comm, s->stand_in || check_data(s, r, error), error) ||
        !ls_session_open(&s->session, comm, s->job, s->stand_in, error) ||
        !ls_comm_agree(comm, check_vocabulary(s, r, error), error))
        return false;
    note_data(s, r);
    ls_shared_make_room(comm, ls_session_bytes(&s->session));
    if (!ls_session_commit(&s->session, error))
        return false;
    return load(s, r, error);
}

bool ls_saved_take_stage(ls_saved *s, const ls_saved_request *r, int stage, ls_error *error)
{
    ls_comm *comm = s->session.comm;
    bool ok = true;
    if (r->file)
        return true;
    if (r->weights == LS_SAVED_BEST && comm->rank == 0 && ls_atomic_file_is_folder(r->from))
        ok = open_stage(s, r, stage, error);
    const double there = s->checkpoint != NULL;
    if (!ls_comm_agree(comm, ok, error))
        return false;
    if (ls_comm_max(comm, there) == 0) {
        if (comm->rank == 0)
            tell_other(s, r, stage);
        return true;
    }
    share_position(s, comm);
    return load(s, r, error);
}

void ls_saved_close(ls_saved *s)
{
    ls_checkpoint_close(s->checkpoint);
    ls_session_close(&s->session);
    ls_dataset_close(s->stand_in);
    ls_free(s->trained_on);
    ls_free(s->row);
    ls_vocabulary_destroy(s->vocabulary);
    ls_job_destroy(s->job);
}
