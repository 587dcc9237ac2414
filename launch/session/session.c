/* session: opens data, builds nets, parses the specs of the stages, places parameters. */
#include "launch/session/session.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/loader.h"
#include "launch/job/job_text.h"

/* The key that a message names before an objective of the file, which may fit the nets and data of
 * the file: where one of these came from the command line, it is the mistake. NULL: none did. */
static const char *find_override(const ls_job *job, char *text, size_t size)
{
    static const char *const others[] = {"model", "net", "data"};
    for (int i = 0; i < LS_MODEL_NETS && job->nets[i].name; i++) {
        snprintf(text, size, "nets.%s", job->nets[i].name);
        if (ls_job_origin(job, text) == LS_FROM_COMMAND_LINE)
            return text;
    }
    for (int i = 0; i < 3; i++)
        if (ls_job_origin(job, others[i]) == LS_FROM_COMMAND_LINE)
            return others[i];
    return NULL;
}

/* Begins the message with where the key stood. */
static bool prefix_key(const ls_session *s, const char *key, ls_error *error)
{
    char where[256], other[256], text[2 * LS_WORD];
    ls_job_where(s->job, key, where, sizeof where);
    if (strstr(key, ".objective") && ls_job_origin(s->job, key) != LS_FROM_COMMAND_LINE) {
        const char *first = find_override(s->job, text, sizeof text);
        if (first)
            return ls_error_prefix(error, "%s, with %s",
                                   ls_job_where(s->job, first, other, sizeof other), where);
    }
    return ls_error_prefix(error, "%s", where);
}

const char *ls_session_net_key(const ls_session *s, const char *net, char *text, size_t size)
{
    snprintf(text, size, "%s", s->job->net ? "net" : "model");
    for (int i = 0; i < LS_MODEL_NETS && s->job->nets[i].name; i++)
        if (strcmp(s->job->nets[i].name, net) == 0)
            snprintf(text, size, "nets.%s", net);
    return text;
}

bool ls_session_write_nets(const ls_session *s, const ls_shape *x, ls_model_nets *nets,
                           ls_error *error)
{
    const ls_job *job = s->job;
    const ls_vocabulary *words = ls_dataset_vocabulary(s->data);
    *nets = (ls_model_nets){.vocabulary = words ? words->count : 0};
    if (job->net)
        ls_model_put(nets, "net", job->net);
    for (int i = 0; i < LS_MODEL_NETS && job->nets[i].name; i++)
        ls_model_put(nets, job->nets[i].name, job->nets[i].lines);
    return !job->model || ls_model_complete(job->model, x, nets, error);
}

bool ls_session_channels_first(const ls_session *s)
{
    const ls_shape *x = &s->task.x;
    return x->rank == 3 && x->at[0] <= 4 && x->at[1] > 4 && x->at[2] > 4;
}

/* A net that does not fit pictures which were stored in another order. Returns false. */
static bool add_hint(const ls_session *s, ls_error *error)
{
    if (!ls_session_channels_first(s) || !error)
        return false;
    const ls_error plain = *error;
    return ls_error_set(error, plain.code, "%s; %s", plain.text, LS_SESSION_CHANNELS_FIRST);
}

/* The tokens that the net takes are those of the data's vocabulary, where it has one. */
static bool check_vocabulary(const ls_session *s, const ls_net *net, ls_error *error)
{
    char text[64];
    const long vocabulary = net->own_input ? 0 : ls_net_vocabulary(net);
    const ls_vocabulary *words = ls_dataset_vocabulary(s->data);
    if (vocabulary && words && vocabulary != words->count)
        return ls_error_set(error, LS_USAGE,
                            "the net takes vocabulary=%ld tokens, but the vocabulary of %s has %s: "
                            "a model takes that many if vocabulary= and classes= are left out",
                            vocabulary, ls_dataset_path(s->data),
                            ls_vocabulary_words(words, text, sizeof text));
    if (vocabulary)
        ls_dataset_add_vocabulary(s->data, vocabulary);
    return true;
}

/* A net or objective that does not fit numbers which may be a stream of tokens. Returns false. */
static bool add_stream_hint(const ls_session *s, ls_error *error)
{
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const bool whole = train->x.type != LS_F32 && train->x.type != LS_F64;
    if (!train->present || train->has_y || !whole || ls_shape_count(&train->x.shape) > 1 || !error)
        return false;
    const ls_error plain = *error;
    return ls_error_set(error, plain.code,
                        "%s; if the %ld numbers of %s are a stream of tokens, `unroll: 64` in the "
                        "job makes rows of 64 steps of them, each labelled with the next token",
                        plain.text, train->x.rows, train->x.path);
}

static bool build_nets(ls_session *s, ls_error *error)
{
    char key[2 * LS_WORD];
    ls_model_nets model;
    if (!ls_session_write_nets(s, &s->task.x, &model, error))
        return add_hint(s, error) || add_stream_hint(s, error) || prefix_key(s, "model", error);
    bool ok = true;
    const ls_build build = {.exact_conv = s->job->exact_conv};
    for (int i = 0; ok && i < model.count; i++) {
        const char *name = model.name[i];
        s->net[i] = ls_net_build(s->params, &build, name, model.lines[i], &s->task.x, error);
        ok = s->net[i] ? check_vocabulary(s, s->net[i], error)
                       : add_hint(s, error) || add_stream_hint(s, error);
        s->task.nets += ok;
        if (!ok)
            prefix_key(s, ls_session_net_key(s, name, key, sizeof key), error);
    }
    ls_model_release(&model);
    return ok;
}

void ls_session_set_threads(ls_session *s, int threads)
{
    for (int i = 0; i < s->task.nets; i++)
        s->net[i]->build.threads = threads;
}

/* The outputs of a step are as many as the vocabulary has tokens, one of which comes next. */
static bool check_outputs(const ls_session *s, const ls_objective *objective, ls_error *error)
{
    char text[64];
    const ls_vocabulary *words = ls_dataset_vocabulary(s->data);
    const ls_net *net = objective->outputs.logits;
    return !s->task.streams || !words || !net || ls_shape_last(&net->y) == words->count ||
           ls_error_set(error, LS_USAGE,
                        "the net has %ld outputs for the next token, but the vocabulary of %s has "
                        "%s: a model has that many if vocabulary= and classes= are left out",
                        ls_shape_last(&net->y), ls_dataset_path(s->data),
                        ls_vocabulary_words(words, text, sizeof text));
}

/* What a stage is parsed from, and the key that a failure lies in. */
typedef struct stage_keys {
    const ls_job_stage *given;
    char key[2 * LS_WORD];
} stage_keys;

static bool create_objective(const ls_session *s, stage_keys *keys, ls_session_stage *stage,
                             ls_error *error)
{
    ls_task task = s->task;
    const char *objective = keys->given->objective;
    snprintf(keys->key, sizeof keys->key, "objective");
    task.train = keys->given->train;
    task.streams = task.streams ? keys->given->batch : 0;
    stage->objective = ls_objective_create(objective, &task, error);
    if (!stage->objective && task.train) {
        task.train = NULL;
        ls_objective *whole = ls_objective_create(objective, &task, NULL);
        snprintf(keys->key, sizeof keys->key, "%s", whole ? "train" : "objective");
        ls_objective_destroy(whole);
    }
    return stage->objective ? check_outputs(s, stage->objective, error) : add_stream_hint(s, error);
}

static const char *phase_names(const ls_objective *objective, char *text, size_t size)
{
    *text = 0;
    for (int p = 0; p < objective->phases; p++)
        ls_format_join(text, size, objective->phase[p].name);
    return text;
}

/* The optimizer that the job gives for a phase: the first that names the phase or none at all. */
static bool parse_optimizer(stage_keys *keys, ls_session_stage *stage, int phase, ls_error *error)
{
    char all[LS_PHASES * LS_WORD];
    const ls_objective *objective = stage->objective;
    const ls_job_optimizer *given = keys->given->optimizer;
    const char *name = objective->phase[phase].name;
    int i = 0, count = keys->given->optimizers;
    while (i < count && given[i].phase && strcmp(given[i].phase, name) != 0)
        i++;
    const char *key = given[i < count ? i : 0].phase;
    snprintf(keys->key, sizeof keys->key, "optimizer%s%s", key ? "." : "", key ? key : "");
    if (i < count)
        return ls_optimizer_parse(given[i].spec, &stage->optimizer[phase], error);
    return ls_error_set(error, LS_USAGE,
                        "the phase %s has no optimizer: give one for each of %s, or one for all",
                        name, phase_names(objective, all, sizeof all));
}

/* Each phase that the job gives an optimizer for must be one of the objective's. */
static bool check_phases(stage_keys *keys, const ls_objective *objective, ls_error *error)
{
    const ls_phase *phases = objective->phase;
    for (int i = 0; i < keys->given->optimizers; i++) {
        const char *phase = keys->given->optimizer[i].phase;
        int p = 0;
        while (phase && p < objective->phases && strcmp(phase, phases[p].name) != 0)
            p++;
        if (p < objective->phases)
            continue;
        const char *nearest = ls_nearest(phase, phases, objective->phases, sizeof *phases);
        char all[LS_PHASES * LS_WORD];
        snprintf(keys->key, sizeof keys->key, "optimizer.%s", phase);
        return ls_error_set(error, LS_USAGE, "%s has no phase %s%s%s%s (it has: %s)",
                            objective->type->name, phase, nearest ? ": did you mean " : "",
                            nearest ? nearest : "", nearest ? "?" : "",
                            phase_names(objective, all, sizeof all));
    }
    return true;
}

static bool parse_optimizers(stage_keys *keys, ls_session_stage *stage, ls_error *error)
{
    bool ok = check_phases(keys, stage->objective, error);
    for (int p = 0; ok && p < stage->objective->phases; p++)
        ok = parse_optimizer(keys, stage, p, error);
    return ok;
}

static bool parse_schedule(stage_keys *keys, ls_session_stage *stage, ls_error *error)
{
    const ls_job_stage *given = keys->given;
    snprintf(keys->key, sizeof keys->key, "schedule");
    return ls_schedule_parse(given->schedule, &stage->schedule, error) &&
           (given->steps || stage->schedule.warmup <= (double)given->epochs ||
            ls_error_set(error, LS_USAGE, "warmup=%g is longer than the stage's %ld epochs",
                         stage->schedule.warmup, given->epochs));
}

long ls_session_steps(const ls_session_stage *stage, long epochs)
{
    return (epochs * stage->epoch_batches + stage->batches - 1) / stage->batches;
}

double ls_session_steps_per_epoch(const ls_session_stage *stage)
{
    return (double)stage->epoch_batches / (double)stage->batches;
}

long ls_session_epochs(const ls_session_stage *stage, long steps)
{
    return steps * stage->batches / stage->epoch_batches;
}

bool ls_session_ends_epoch(const ls_session_stage *stage, long step)
{
    return ls_session_epochs(stage, step) > ls_session_epochs(stage, step - 1);
}

long ls_session_epoch_batches(const ls_session_stage *stage, long rows, long batch)
{
    return ls_objective_streams(stage->objective) ? rows / batch
                                                  : ls_loader_steps_per_epoch(rows, batch);
}

/* How many rows, batches and steps there are. Of rows in streams, one a row of a batch, those that
 * do not fill the streams evenly are left out. */
static void count_steps(const ls_session *s, const stage_keys *keys, ls_session_stage *stage)
{
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long all = train->x.rows, batch = keys->given->batch;
    stage->rows = keys->given->rows ? ls_min(keys->given->rows, all) : all;
    stage->batches = ls_objective_batches(stage->objective);
    stage->epoch_batches = ls_session_epoch_batches(stage, stage->rows, batch);
    if (ls_objective_streams(stage->objective))
        stage->rows = stage->epoch_batches * batch;
    stage->steps =
        keys->given->steps ? keys->given->steps : ls_session_steps(stage, keys->given->epochs);
}

static bool parse_stage(ls_session *s, int number, ls_error *error)
{
    char path[32 + 2 * LS_WORD];
    stage_keys keys = {.given = &s->job->stage[number]};
    ls_session_stage *stage = &s->stage[number];
    if (!create_objective(s, &keys, stage, error) || !parse_optimizers(&keys, stage, error) ||
        !parse_schedule(&keys, stage, error)) {
        snprintf(path, sizeof path, "stages.%d.%s", number, keys.key);
        return prefix_key(s, path, error);
    }
    count_steps(s, &keys, stage);
    const ls_objective *objective = stage->objective;
    if (objective->x_rule)
        ls_dataset_add_x_rule(s->data, objective->x_rule);
    if (objective->y_rule)
        ls_dataset_add_rule(s->data, objective->y_rule);
    return true;
}

bool ls_session_parse_stage(ls_session *s, int number, ls_error *error)
{
    if (!s->stage)
        s->stage = ls_alloc((size_t)s->job->stages, sizeof *s->stage);
    return ls_comm_agree(s->comm, parse_stage(s, number, error), error);
}

bool ls_session_parse_stages(ls_session *s, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = ls_session_parse_stage(s, i, error);
    return ok;
}

#define SAME_PATHS "give paths that mean the same file on every host"

/* **Collective.** Each rank has read the job by itself, and is a program of its own. */
static bool jobs_are_same(const ls_session *s, ls_error *error)
{
    char *job = ls_job_text(s->job);
    char *text = ls_format("lockstep " LS_VERSION " (%s)\n%s", LS_REAL_NAME, job);
    const ls_comm_given given = {"job", text, SAME_PATHS, LS_USAGE};
    bool same = ls_comm_same(s->comm, &given, error);
    ls_free(text);
    ls_free(job);
    return same;
}

/* Cuts streams of tokens as the job says. What stands in for data that a trained net needs no more
 * has rows of that shape. */
static bool cut_streams(const ls_session *s, ls_error *error)
{
    const long steps = s->job->unroll;
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const bool stands_in = ls_dataset_in_memory(s->data) && !train->has_y &&
                           train->x.shape.rank == 1 && train->x.shape.at[0] == steps;
    return !steps || (stands_in && steps > 1) || ls_dataset_unroll(s->data, steps, error);
}

char *ls_session_same_data(ls_comm *comm, ls_dataset *data, ls_error *error)
{
    char *text = data ? ls_dataset_describe(data, error) : NULL;
    if (!ls_comm_agree(comm, text != NULL, error)) {
        ls_free(text);
        return NULL;
    }
    const ls_comm_given given = {ls_dataset_path(data), text, SAME_PATHS, LS_DATA};
    if (ls_comm_same(comm, &given, error))
        return text;
    ls_free(text);
    return NULL;
}

/* **Collective.** Each rank opens the data set by itself: so each looks at what it has there. */
static bool open_data(ls_session *s, ls_dataset *data, ls_error *error)
{
    s->data = data ? data : (s->own_data = ls_dataset_open(s->job->data, error));
    const bool ok = s->data && cut_streams(s, error);
    s->data_text = ls_session_same_data(s->comm, ok ? s->data : NULL, error);
    if (s->data_text && s->comm->rank == 0)
        ls_dataset_lock_notice(s->data);
    return s->data_text != NULL;
}

static bool open_nets(ls_session *s, ls_error *error)
{
    if (!ls_dataset_transform(s->data, s->job->transform, error))
        return prefix_key(s, "transform", error);
    const ls_split *split = ls_dataset_split(s->data, LS_TRAIN);
    for (int i = 0; i < LS_SPLITS && !split->present; i++) /* rows of all splits have one shape */
        split = ls_dataset_split(s->data, (ls_split_id)i);
    ls_dataset_advise(s->data, ls_split_find(split->name), s->advice, sizeof s->advice);
    s->params = ls_params_create();
    s->task = (ls_task){.params = s->params,
                        .net = s->net,
                        .x = split->row,
                        .y = split->y.shape,
                        .has_y = split->has_y,
                        .classes = split->classes,
                        .streams = s->job->unroll > 0,
                        .lengths = ls_dataset_has_lengths(s->data),
                        .advice = s->advice};
    return build_nets(s, error);
}

bool ls_session_open(ls_session *session, ls_comm *comm, ls_job *job, ls_dataset *data,
                     ls_error *error)
{
    *session = (ls_session){.comm = comm, .job = job};
    return jobs_are_same(session, error) && open_data(session, data, error) &&
           ls_comm_agree(comm, open_nets(session, error), error);
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
    if (s->comm->node_rank == 0)
        ls_params_initialize(s->params, (uint64_t)s->job->seed, NULL);
    ls_comm_node_barrier(s->comm);
    ls_session_prepare(s, NULL);
    return true;
}

void ls_session_close(ls_session *s)
{
    for (int i = 0; s->stage && i < s->job->stages; i++) {
        ls_objective_destroy(s->stage[i].objective);
        ls_sampler_close(s->stage[i].sampler);
    }
    ls_free(s->stage);
    for (int i = 0; i < LS_MODEL_NETS; i++)
        ls_net_destroy(s->net[i]);
    ls_params_destroy(s->params);
    ls_free(s->data_text);
    ls_shared_destroy(s->prepared);
    ls_shared_destroy(s->values);
    ls_dataset_close(s->own_data);
}

void ls_session_prepare(const ls_session *s, const ls_slots *slots)
{
    if (s->params->prepared_size == 0)
        return;
    for (int i = 0; i < s->task.nets; i++)
        ls_net_prepare(s->net[i], slots, s->comm->node_rank, s->comm->node_size);
    ls_comm_node_barrier(s->comm);
}
