/* session: a job made real. */
#include "launch/session/session.h"

#include <string.h>

#include "core/memory.h"
#include "io/loader.h"

static bool build_nets(ls_session *s, ls_error *error)
{
    ls_model_nets model = {.count = 1, .name = {"net"}};
    if (s->job->model) {
        if (!ls_model_write(s->job->model, &s->task.x, &model, error))
            return false;
        ls_job_defaults(s->job, &model.recipe);
    } else {
        model.lines[0] = ls_copy_string(s->job->net);
        ls_job_defaults(s->job, NULL);
    }
    bool ok = true;
    const ls_build build = {.exact_conv = s->job->exact_conv};
    for (int i = 0; ok && i < model.count; i++) {
        s->net[i] =
            ls_net_build(s->params, &build, model.name[i], model.lines[i], &s->task.x, error);
        ok = s->net[i] != NULL;
        s->task.nets += ok;
    }
    ls_model_release(&model);
    return ok;
}

void ls_session_set_threads(ls_session *s, int threads)
{
    for (int i = 0; i < s->task.nets; i++)
        s->net[i]->build.threads = threads;
}

bool ls_session_optimizer(const ls_session *s, int stage, const char *phase,
                          ls_optimizer *optimizer, ls_error *error)
{
    const ls_job_stage *at = &s->job->stage[stage];
    for (int i = 0; i < at->optimizers; i++)
        if (!at->optimizer[i].phase || strcmp(at->optimizer[i].phase, phase) == 0)
            return ls_optimizer_parse(at->optimizer[i].spec, optimizer, error);
    return ls_error_set(error, LS_USAGE, "no optimizer for the phase %s", phase);
}

/* Every optimizer that is given for a phase has one. */
static bool check_phases(const ls_job_stage *stage, const ls_objective *objective, ls_error *error)
{
    const char *names[LS_PHASES];
    for (int p = 0; p < objective->phases; p++)
        names[p] = objective->phase[p].name;
    for (int i = 0; i < stage->optimizers; i++) {
        const char *phase = stage->optimizer[i].phase;
        bool known = !phase;
        for (int p = 0; p < objective->phases; p++)
            known = known || strcmp(phase, names[p]) == 0;
        const char *nearest =
            known ? NULL : ls_nearest(phase, names, objective->phases, sizeof *names);
        if (!known)
            return ls_error_set(error, LS_USAGE, "%s has no phase %s: did you mean %s?",
                                objective->type->name, phase, nearest ? nearest : names[0]);
    }
    return true;
}

static bool check_warmup(const ls_job_stage *stage, const ls_schedule *schedule, ls_error *error)
{
    return stage->steps || schedule->warmup <= (double)stage->epochs ||
           ls_error_set(error, LS_USAGE, "warmup=%g is longer than the stage's %ld epochs",
                        schedule->warmup, stage->epochs);
}

/* Puts the key's place before the message. Where an objective of the file meets a net or data set
 * of the command line, that is named first: the objective may have fitted the file's. */
static bool blame(const ls_session *s, const char *key, ls_error *error)
{
    static const char *const others[] = {"model", "net", "data"};
    static const char given[] = "command line:";
    char own[256], other[256];
    ls_job_where(s->job, key, own, sizeof own);
    bool objective = strstr(key, ".objective") && strncmp(own, given, strlen(given)) != 0;
    for (int i = 0; objective && i < 3; i++) {
        ls_job_where(s->job, others[i], other, sizeof other);
        if (strncmp(other, given, strlen(given)) == 0)
            return ls_error_prefix(error, "%s, with %s", other, own);
    }
    return ls_error_prefix(error, "%s", own);
}

static bool check_stage(const ls_session *s, int stage, ls_error *error)
{
    char key[64];
    ls_schedule schedule;
    snprintf(key, sizeof key, "stages.%d.objective", stage);
    ls_objective *objective = ls_session_objective(s, stage, 0, 0, error);
    bool ok = objective != NULL;
    for (int p = 0; ok && p < objective->phases; p++) {
        ls_optimizer optimizer;
        snprintf(key, sizeof key, "stages.%d.optimizer", stage);
        ok = ls_session_optimizer(s, stage, objective->phase[p].name, &optimizer, error);
    }
    ok = ok && check_phases(&s->job->stage[stage], objective, error);
    ls_objective_destroy(objective);
    if (ok) {
        snprintf(key, sizeof key, "stages.%d.schedule", stage);
        ok = ls_schedule_parse(s->job->stage[stage].schedule, &schedule, error) &&
             check_warmup(&s->job->stage[stage], &schedule, error);
    }
    return ok || blame(s, key, error);
}

static bool open_local(ls_session *s, bool objectives, ls_error *error)
{
    char where[256];
    s->data = ls_dataset_open(s->job->data, error);
    if (!s->data)
        return false;
    if (!ls_dataset_transform(s->data, s->job->transform, error))
        return ls_error_prefix(error, "%s", ls_job_where(s->job, "transform", where, sizeof where));
    int first = LS_TRAIN; /* splits have the same shapes: any of them tells */
    while (first < LS_SPLITS - 1 && !ls_dataset_split(s->data, (ls_split_id)first)->present)
        first++;
    const ls_split *split = ls_dataset_split(s->data, (ls_split_id)first);
    s->params = ls_params_create();
    s->task = (ls_task){.params = s->params,
                        .net = s->net,
                        .x = split->row,
                        .y = split->y.shape,
                        .has_y = split->has_y,
                        .classes = split->classes};
    if (!build_nets(s, error))
        return ls_error_prefix(
            error, "%s",
            ls_job_where(s->job, s->job->model ? "model" : "net", where, sizeof where));
    for (int i = 0; objectives && i < s->job->stages; i++)
        if (!check_stage(s, i, error))
            return false;
    return true;
}

bool ls_session_open(ls_session *session, ls_comm *comm, ls_job *job, bool objectives,
                     ls_error *error)
{
    *session = (ls_session){.comm = comm, .job = job};
    return ls_comm_agree(comm, open_local(session, objectives, error), error);
}

size_t ls_session_bytes(const ls_session *s)
{
    return (size_t)(s->params->size + s->params->prepared_size) * sizeof(real);
}

bool ls_session_commit(ls_session *s, ls_error *error)
{
    size_t values = (size_t)s->params->size * sizeof(real);
    size_t prepared = (size_t)s->params->prepared_size * sizeof(real);
    s->values = ls_shared_create(s->comm, values, error);
    s->prepared = s->values ? ls_shared_create(s->comm, prepared, error) : NULL;
    if (!ls_comm_agree(s->comm, s->prepared != NULL, error))
        return false;
    ls_params_commit(s->params, ls_shared_data(s->values), ls_shared_data(s->prepared));
    if (ls_comm_node_rank(s->comm) == 0)
        ls_params_initialize(s->params, (uint64_t)s->job->seed, NULL);
    ls_comm_node_barrier(s->comm);
    ls_session_prepare(s);
    return true;
}

void ls_session_close(ls_session *s)
{
    for (int i = 0; i < LS_MODEL_NETS; i++)
        ls_net_destroy(s->net[i]);
    ls_params_destroy(s->params);
    ls_shared_destroy(s->prepared);
    ls_shared_destroy(s->values);
    ls_dataset_close(s->data);
}

void ls_session_prepare(const ls_session *s)
{
    if (s->params->prepared_size == 0)
        return;
    for (int i = 0; i < s->task.nets; i++)
        ls_net_prepare(s->net[i], ls_comm_node_rank(s->comm), ls_comm_node_size(s->comm));
    ls_comm_node_barrier(s->comm);
}

ls_objective *ls_session_objective(const ls_session *s, int stage, long shard_rows, long chunk_rows,
                                   ls_error *error)
{
    ls_objective *objective = ls_objective_create(s->job->stage[stage].objective, &s->task, error);
    if (objective && (shard_rows || chunk_rows))
        objective->type->compile(objective, shard_rows, chunk_rows);
    return objective;
}

long ls_session_steps(const ls_session *s, int stage, long *steps_per_epoch)
{
    const ls_job_stage *at = &s->job->stage[stage];
    long rows = ls_dataset_split(s->data, LS_TRAIN)->x.rows;
    *steps_per_epoch = ls_loader_steps_per_epoch(rows, at->batch);
    return at->steps ? at->steps : at->epochs * *steps_per_epoch;
}
