/* saved: find what a run saved, rebuild its nets from the job inside, load the parameters. */
#include "launch/session/saved.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_find.h"
#include "launch/job/yaml/job_file.h"

static void say(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "lockstep: %s\n", text);
}

/* On rank 0 alone: best.h5 of a run directory, else its newest checkpoint (only that for an
 * average), or the file itself. */
static ls_checkpoint *open_checkpoint(const char *from, bool average, ls_error *error)
{
    struct stat status;
    ls_checkpoint *found = NULL;
    if (stat(from, &status) != 0) {
        ls_error_set(error, LS_DATA, "%s: no such run directory or checkpoint file", from);
        return NULL;
    }
    if (!S_ISDIR(status.st_mode))
        return ls_checkpoint_open(from, error);
    char *best = ls_format("%s/checkpoints/best.h5", from);
    if (!average && access(best, R_OK) == 0 && !(found = ls_checkpoint_open(best, error)))
        say(NULL, error->text);
    ls_free(best);
    if (!found && ls_checkpoint_find(from, &found, say, NULL, error) == LS_CHECKPOINT_NONE)
        ls_error_set(error, LS_DATA, "%s holds no checkpoint: is it a run directory?", from);
    return found;
}

/* Rank 0's text, on every rank; the caller frees it. */
static char *share_text(ls_comm *comm, const char *text)
{
    long length = text ? (long)strlen(text) + 1 : 0;
    ls_comm_broadcast(comm, &length, sizeof length);
    char *copy = ls_alloc((size_t)length, 1);
    if (text)
        memcpy(copy, text, (size_t)length);
    ls_comm_broadcast(comm, copy, (size_t)length);
    return copy;
}

bool ls_saved_open(ls_saved *s, ls_comm *comm, const char *from, const char *data, bool average,
                   bool objectives, ls_error *error)
{
    *s = (ls_saved){.step = 0};
    bool first = ls_comm_rank(comm) == 0;
    if (first && (s->checkpoint = open_checkpoint(from, average, error))) {
        s->step = ls_checkpoint_position(s->checkpoint)->step;
        snprintf(s->path, sizeof s->path, "%s", ls_checkpoint_path(s->checkpoint));
    }
    if (!ls_comm_agree(comm, !first || s->checkpoint, error))
        return false;
    char *text = share_text(comm, first ? ls_checkpoint_job(s->checkpoint) : NULL);
    ls_comm_broadcast(comm, s->path, sizeof s->path);
    ls_comm_broadcast(comm, &s->step, sizeof s->step);
    s->job = ls_job_parse(text, s->path, error);
    ls_free(text);
    bool ready = s->job && (!data || ls_job_set(s->job, "data", data, error));
    if (!ls_comm_agree(comm, ready, error))
        return false;
    if (!ls_session_open(&s->session, comm, s->job, objectives, error))
        return false;
    ls_shared_make_room(comm, ls_session_bytes(&s->session));
    if (!ls_session_commit(&s->session, error))
        return false;
    ls_params *params = s->session.params;
    bool ok = !first || (average ? ls_checkpoint_load_average
                                 : ls_checkpoint_load_weights)(s->checkpoint, params, error);
    ls_checkpoint_close(s->checkpoint);
    s->checkpoint = NULL;
    if (!ls_comm_agree(comm, ok, error))
        return false;
    ls_comm_broadcast_nodes(comm, params->values, (size_t)params->size * sizeof(real));
    ls_session_prepare(&s->session);
    return true;
}

void ls_saved_close(ls_saved *s)
{
    ls_checkpoint_close(s->checkpoint);
    ls_session_close(&s->session);
    ls_job_destroy(s->job);
}
