/* stage: opens, starts and closes a stage of a session. */
#include "launch/train/stage.h"

long ls_stage_chunk(const ls_session *session, int number, const ls_every *evaluate)
{
    return evaluate->unit == LS_EVERY_NEVER ? 0
                                            : ls_objective_chunk(session->stage[number].objective);
}

long ls_stage_shard_rows(const ls_session *session, int number, int shards)
{
    return (session->job->stage[number].batch + shards - 1) / shards;
}

void ls_stage_open(ls_stage *stage, const ls_session *session, int number, const ls_shards *shards,
                   const ls_every *evaluate, long first_step)
{
    const ls_job_stage *keys = &session->job->stage[number];
    ls_session_stage *specs = &session->stage[number];
    const ls_loader_plan plan = {.split = LS_TRAIN,
                                 .seed = (uint64_t)session->job->seed,
                                 .stage = (uint32_t)number,
                                 .shuffle = true,
                                 .batch = keys->batch,
                                 .shards = shards->count,
                                 .begin = shards->begin,
                                 .end = shards->end,
                                 .first_step = first_step,
                                 .end_step = specs->steps};
    *stage =
        (ls_stage){.number = number, .keys = keys, .specs = specs, .objective = specs->objective};
    stage->objective->type->compile(stage->objective,
                                    ls_stage_shard_rows(session, number, shards->count),
                                    ls_stage_chunk(session, number, evaluate));
    stage->loader = ls_loader_open(session->data, &plan);
}

void ls_stage_close(ls_stage *stage)
{
    ls_loader_close(stage->loader);
    if (stage->objective) {
        ls_objective_destroy(stage->objective);
        stage->specs->objective = NULL;
    }
    *stage = (ls_stage){0};
}
