/* sampling: opens the samplers of a run, and checks what it asks of the order of rows. */
#include "launch/train/sampling.h"

#include <stdio.h>
#include <string.h>

/* Puts the place of a key of the stage in front of the error; returns false. */
static bool prefix_key(const ls_session *s, int number, const char *name, ls_error *error)
{
    char key[64], place[256];
    snprintf(key, sizeof key, "stages.%d.%s", number, name);
    return ls_error_prefix(error, "%s", ls_job_where(s->job, key, place, sizeof place));
}

/* The sampler of a stage whose rows are not shuffled. */
static bool open_sampler(ls_session *s, int number, ls_error *error)
{
    const char *how = s->job->stage[number].sampling;
    ls_session_stage *stage = &s->stage[number];
    if (!how || strcmp(how, "shuffle") == 0)
        return true;
    if (ls_objective_streams(stage->objective))
        return ls_error_set(error, LS_USAGE,
                            "the objective reads its rows as streams, in their order; expected "
                            "shuffle, which leaves them so");
    stage->sampler = ls_sampler_open(
        s->data, LS_TRAIN, stage->rows,
        strcmp(how, "balanced") == 0 ? LS_SAMPLING_BALANCED : LS_SAMPLING_WEIGHTS, error);
    return stage->sampler != NULL;
}

/* Whether the rows of a stage can make batches of similar lengths, if it asks for them. */
static bool check_bucket(const ls_session *s, int number, ls_error *error)
{
    if (s->job->stage[number].bucket == 0)
        return true;
    if (s->job->unroll)
        return ls_error_set(
            error, LS_USAGE,
            "the windows that unroll=%ld cuts all have one length: leave bucket out",
            s->job->unroll);
    if (s->stage[number].sampler)
        return ls_error_set(error, LS_USAGE,
                            "with sampling=%s rows are drawn one by one; expected shuffle, or no "
                            "bucket",
                            s->job->stage[number].sampling);
    return ls_dataset_split(s->data, LS_TRAIN)->length ||
           ls_error_set(error, LS_DATA,
                        "%s has no train/length by which rows could be sorted: leave bucket out, "
                        "or say there how many steps of each row count",
                        ls_dataset_path(s->data));
}

static bool open_stage(ls_session *s, int number, ls_error *error)
{
    if (!open_sampler(s, number, error))
        return prefix_key(s, number, "sampling", error);
    return check_bucket(s, number, error) || prefix_key(s, number, "bucket", error);
}

bool ls_sampling_open(ls_session *s, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = open_stage(s, i, error);
    return ls_comm_agree(s->comm, ok, error);
}
