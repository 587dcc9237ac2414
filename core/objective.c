/* objective: the table of objectives, and what all of them share. */
#include "core/objective.h"

#include <string.h>

#include "core/memory.h"

#define LS_OBJECTIVE(name) extern const ls_objective_type ls_objective_##name;
#include "core/objectives.def"
#undef LS_OBJECTIVE

const ls_objective_type *const ls_objective_types[] = {
#define LS_OBJECTIVE(name) &ls_objective_##name,
#include "core/objectives.def"
#undef LS_OBJECTIVE
    NULL};

enum { CHUNK_BYTES = 64 << 20, CHUNK_ROWS = 256 };

ls_net *ls_objective_net(const ls_objective *objective, const char *name, ls_error *error)
{
    const ls_task *task = &objective->task;
    for (int i = 0; i < task->nets; i++)
        if (strcmp(task->net[i]->name, name) == 0)
            return task->net[i];
    ls_error_set(error, LS_USAGE,
                 "the objective %s wants a net named '%s', which this model does not have",
                 objective->type->name, name);
    return NULL;
}

/* Marks the layers that a gradient from the output reaches. */
static void mark_reached(const ls_net *net, bool *reached)
{
    reached[net->count - 1] = true;
    for (int i = net->count - 1; i >= 0; i--)
        for (int k = 0; k < net->layers[i]->inputs; k++)
            if (reached[i] && !net->layers[i]->blocks && net->layers[i]->input[k] >= 0)
                reached[net->layers[i]->input[k]] = true;
}

/* A net with parameters that no gradient reaches would train in vain. */
static bool check_learns(const ls_net *net, ls_error *error)
{
    const ls_layer *blocking = NULL, *stuck = NULL;
    bool *reached = ls_alloc((size_t)net->count, sizeof *reached);
    mark_reached(net, reached);
    for (int i = net->count - 1; i >= 0 && !stuck; i--) {
        blocking = reached[i] && net->layers[i]->blocks ? net->layers[i] : blocking;
        stuck = !reached[i] && net->layers[i]->slots ? net->layers[i] : NULL;
    }
    ls_free(reached);
    if (!stuck)
        return true;
    return ls_error_set(error, LS_USAGE,
                        "%s/%s cannot learn: the derivative of %s is 0 everywhere; give that line "
                        "surrogate=ste, or a function with a slope",
                        net->name, stuck->name, blocking->name);
}

ls_objective *ls_objective_create(const char *text, const ls_task *task, ls_error *error)
{
    ls_spec spec;
    if (!ls_spec_parse_plain(text, &spec, error))
        return NULL;
    const ls_objective_type *type =
        ls_spec_find_type(ls_objective_types, spec.type, "objective", error);
    if (!type)
        return NULL;
    for (int i = 0; i < task->nets; i++)
        if (!check_learns(task->net[i], error))
            return NULL;
    ls_objective *objective = ls_alloc(1, sizeof *objective);
    objective->type = type;
    objective->task = *task;
    objective->self = ls_alloc(1, type->size);
    if (!ls_spec_read(&spec, type->options, NULL, objective->self, error) ||
        !type->setup(objective, error)) {
        ls_objective_destroy(objective);
        return NULL;
    }
    return objective;
}

void ls_objective_destroy(ls_objective *objective)
{
    if (!objective)
        return;
    objective->type->destroy(objective);
    ls_free(objective->self);
    ls_free(objective);
}

void ls_objective_zero(const ls_objective *objective, int phase, real *gradient)
{
    const ls_slots *slots = &objective->phase[phase].slots;
    for (int i = 0; i < slots->count; i++) {
        ls_interval reals = ls_slots_reals(objective->task.params, &slots->at[i]);
        ls_memory_zero(gradient + reals.begin,
                       (size_t)(reals.end - reals.begin) * sizeof *gradient);
    }
}

long ls_objective_chunk(const ls_objective *objective)
{
    long rows = CHUNK_ROWS;
    while (rows > 1 && objective->type->bytes(objective, 0, rows) > CHUNK_BYTES)
        rows /= 2;
    return rows;
}
