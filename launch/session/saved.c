/* saved: find what a run saved, rebuild its nets from the job inside, load the parameters. */
#include "launch/session/saved.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint.h"

static void say(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "lockstep: %s\n", text);
}

static bool choose_file(ls_saved *s, const char *from, bool average, ls_error *error)
{
    struct stat status;
    if (stat(from, &status) != 0)
        return ls_error_set(error, LS_DATA, "%s: no such run directory or checkpoint file", from);
    if (!S_ISDIR(status.st_mode)) {
        snprintf(s->path, sizeof s->path, "%s", from);
        return true;
    }
    snprintf(s->path, sizeof s->path, "%s/checkpoints/best.h5", from);
    bool best = !average && access(s->path, R_OK) == 0;
    if (best && ls_checkpoint_verify(s->path, error))
        return true;
    if (best)
        say(NULL, error->text);
    error->text[0] = 0;
    if (ls_checkpoint_find(from, s->path, sizeof s->path, say, NULL, error))
        return true;
    return error->text[0] ? false
                          : ls_error_set(error, LS_DATA,
                                         "%s holds no checkpoint: is it a run directory?", from);
}

/* On rank 0 alone: the file, and the job inside. */
static bool read_header(ls_saved *s, const char *from, bool average, char **job, ls_error *error)
{
    ls_snapshot snapshot;
    if (!choose_file(s, from, average, error) || !ls_checkpoint_open(s->path, &snapshot, error))
        return false;
    s->step = snapshot.step;
    *job = ls_copy_string(snapshot.job);
    ls_snapshot_release(&snapshot);
    return true;
}

static char *share_text(ls_comm *comm, char *text)
{
    long length = text ? (long)strlen(text) + 1 : 0;
    ls_comm_broadcast(comm, &length, sizeof length);
    if (!text)
        text = ls_alloc((size_t)length, 1);
    ls_comm_broadcast(comm, text, (size_t)length);
    return text;
}

bool ls_saved_open(ls_saved *s, ls_comm *comm, const char *from, const char *data, bool average,
                   bool objectives, ls_error *error)
{
    *s = (ls_saved){.step = 0};
    char *text = NULL;
    bool first = ls_comm_rank(comm) == 0;
    if (!ls_comm_agree(comm, !first || read_header(s, from, average, &text, error), error))
        return false;
    text = share_text(comm, text);
    ls_comm_broadcast(comm, s->path, sizeof s->path);
    ls_comm_broadcast(comm, &s->step, sizeof s->step);
    s->job = ls_job_parse(text, s->path, error);
    ls_free(text);
    if (!ls_comm_agree(comm, s->job != NULL, error))
        return false;
    if (data) {
        ls_free(s->job->data);
        s->job->data = ls_copy_string(data);
    }
    if (!ls_session_open(&s->session, comm, s->job, objectives, error))
        return false;
    ls_shared_make_room(comm, ls_session_bytes(&s->session));
    if (!ls_session_commit(&s->session, error))
        return false;
    ls_params *params = s->session.params;
    bool ok = !first || (average ? ls_checkpoint_load_average
                                 : ls_checkpoint_load_weights)(s->path, params, error);
    if (!ls_comm_agree(comm, ok, error))
        return false;
    ls_comm_broadcast_nodes(comm, params->values, (size_t)params->size * sizeof(real));
    ls_session_prepare(&s->session);
    return true;
}

void ls_saved_close(ls_saved *s)
{
    ls_session_close(&s->session);
    ls_job_destroy(s->job);
}
