/* sampling: opens the samplers of a run. */
#include "launch/train/sampling.h"

#include <stdio.h>
#include <string.h>

static const char *stage_key(int number, char *key, size_t size)
{
    snprintf(key, size, "stages.%d.sampling", number);
    return key;
}

static bool open_stage(ls_session *s, int number, ls_error *error)
{
    char key[64], place[256];
    const char *how = s->job->stage[number].sampling;
    ls_session_stage *stage = &s->stage[number];
    if (!how || strcmp(how, "shuffle") == 0)
        return true;
    if (ls_objective_streams(stage->objective))
        return ls_error_set(
            error, LS_USAGE,
            "%s: the objective reads its rows as streams, in their order; expected "
            "shuffle, which leaves them so",
            ls_job_where(s->job, stage_key(number, key, sizeof key), place, sizeof place));
    stage->sampler = ls_sampler_open(
        s->data, LS_TRAIN, stage->rows,
        strcmp(how, "balanced") == 0 ? LS_SAMPLING_BALANCED : LS_SAMPLING_WEIGHTS, error);
    if (stage->sampler)
        return true;
    return ls_error_prefix(
        error, "%s", ls_job_where(s->job, stage_key(number, key, sizeof key), place, sizeof place));
}

bool ls_sampling_open(ls_session *s, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = open_stage(s, i, error);
    return ls_comm_agree(s->comm, ok, error);
}
