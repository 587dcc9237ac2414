/* plan: adds up what a run takes. */
#include "launch/train/plan.h"

#include <math.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "dist/sum_order.h"
#include "io/checkpoint/checkpoint_size.h"
#include "launch/session/evaluation.h"

enum { LOADER_BATCHES = 3 }; /* that a loader holds */

void ls_plan_rows(const ls_trainer *t, long stage, long *shard, long *chunk)
{
    const ls_session *session = &t->session;
    const ls_job *job = session->job;
    long rows = session->stage[stage].rows;
    bool never = t->evaluate.unit == LS_EVERY_NEVER;
    *shard = (ls_min(job->stage[stage].batch, rows) + t->shards.count - 1) / t->shards.count;
    *chunk = never ? 0
                   : ls_evaluation_chunk(session->stage[stage].objective, session->data,
                                         ls_split_find(job->evaluate.split));
    if (!t->options.no_files)
        *chunk = ls_max(*chunk, ls_samples_chunk(session, stage));
}

/* Its workspaces, its loader, the rows of an evaluation chunk, and those that it carries from step
 * to step. */
double ls_plan_stage_bytes(const ls_trainer *t, long stage)
{
    const ls_session *session = &t->session;
    const ls_objective *objective = session->stage[stage].objective;
    long numbers = ls_shape_count(&session->task.x) + ls_shape_count(&session->task.y);
    double row = (double)numbers * sizeof(real) + sizeof(int64_t);
    long shard, chunk, batch = session->job->stage[stage].batch, rows = session->stage[stage].rows;
    ls_plan_rows(t, stage, &shard, &chunk);
    size_t workspaces =
        objective->type->bytes(objective, shard, chunk) + ls_carry_bytes(objective, &t->shards);
    for (int i = 0; i < session->task.nets; i++) /* of the threads after the first */
        workspaces += ls_workspace_bytes_threads(session->net[i], shard) +
                      (chunk ? ls_workspace_bytes_threads(session->net[i], chunk) : 0);
    double loaded =
        (double)ls_min(batch, rows) * (t->shards.end - t->shards.begin) / (double)t->shards.count;
    return (double)workspaces + row * (LOADER_BATCHES * loaded + (double)chunk);
}

double ls_plan_stage_flops(const ls_trainer *t, long stage)
{
    const ls_session_stage *s = &t->session.stage[stage];
    const ls_position *position = &t->position;
    const long done = stage < position->stage    ? s->steps
                      : stage == position->stage ? position->stage_step
                                                 : 0;
    const double batch = (double)ls_min(t->session.job->stage[stage].batch, s->rows);
    return (double)ls_max(s->steps - done, 0L) * batch * t->shards.most / t->shards.count *
           s->objective->type->flops(s->objective);
}

/* Of rank 0, in the stage whose pictures take most. */
static double samples_bytes(const ls_trainer *t)
{
    double most = 0;
    for (int s = 0; !t->options.no_files && s < t->session.job->stages; s++)
        most = fmax(most, ls_samples_bytes(&t->session, s));
    return most;
}

ls_plan ls_plan_make(const ls_trainer *t)
{
    const ls_params *params = t->session.params;
    double array = (double)params->size * sizeof(real);
    int node = t->comm->node_size, states = ls_states_count(&t->session);
    int partials = ls_sum_order_levels(t->shards.most);
    const double rows = (double)ls_carry_most(&t->session) * sizeof(real);
    double stage = 0, once = (1 + states) * array + (double)params->prepared_size * sizeof(real) +
                             (double)ls_reduce_bytes(params, node);
    if (!t->options.no_files)
        once += (double)ls_snapshot_bytes(params, 1 + states);
    for (int s = 0; s < t->session.job->stages; s++)
        stage = fmax(stage, ls_plan_stage_bytes(t, s));
    return (ls_plan){
        .own = ls_memory_process() + stage + partials * array + ls_dataset_kept(t->session.data) +
               (double)ls_reduce_buffer_bytes(t->comm, params),
        .share = once / node,
        .stage = stage,
        .writing = (double)ls_checkpoint_memory(params, states) + samples_bytes(t) + rows,
        .checkpoint = (double)ls_checkpoint_bytes(params, states) + rows};
}
