/* objective: the table of objectives, and what all of them share. */
#include "core/objective.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

#define LS_OBJECTIVE(name) extern const ls_objective_type ls_objective_##name;
#include "core/objectives.def"
#undef LS_OBJECTIVE

const ls_objective_type *const ls_objective_types[] = {
#define LS_OBJECTIVE(name) &ls_objective_##name,
#include "core/objectives.def"
#undef LS_OBJECTIVE
    NULL};

enum { CHUNK_BYTES = 64 << 20, CHUNK_ROWS = 256 };

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

ls_net *ls_objective_net(const ls_objective *objective, const char *name, ls_error *error)
{
    char names[LS_WORD * 8] = "";
    const ls_task *task = &objective->task;
    for (int i = 0; i < task->nets; i++) {
        ls_format_join(names, sizeof names, task->net[i]->name);
        if (strcmp(task->net[i]->name, name) == 0)
            return check_learns(task->net[i], error) ? task->net[i] : NULL;
    }
    ls_error_set(error, LS_USAGE,
                 "the objective %s wants a net named '%s', which this model does not have; it has "
                 "%s",
                 objective->type->name, name, names);
    return NULL;
}

bool ls_objective_takes(const ls_objective *objective, const ls_net *net, ls_error *error)
{
    const ls_shape *x = &objective->task.x;
    char taken[96], row[96];
    return ls_shape_count(&net->x) == ls_shape_count(x) ||
           ls_error_set(error, LS_USAGE,
                        "the input of the net %s is %s, but a row of the data is %s", net->name,
                        ls_shape_text(&net->x, taken, sizeof taken),
                        ls_shape_text(x, row, sizeof row));
}

bool ls_objective_makes(const ls_objective *objective, const ls_net *net, ls_error *error)
{
    const ls_shape *x = &objective->task.x;
    char made[96], row[96];
    return ls_shape_fits(&net->y, x) ||
           ls_error_set(error, LS_USAGE,
                        "the net %s makes rows of %s, but a row of the data is %s: let its last "
                        "line make that, or a vector of %ld numbers",
                        net->name, ls_shape_text(&net->y, made, sizeof made),
                        ls_shape_text(x, row, sizeof row), ls_shape_count(x));
}

static ls_view *add_view(ls_objective *objective, const char *name)
{
    ls_check(objective->views < LS_VIEWS, "an objective with more than %d views", LS_VIEWS);
    objective->view[objective->views] = (ls_view){.name = name};
    return &objective->view[objective->views++];
}

void ls_objective_view_run(ls_objective *objective, const char *name, ls_workspace *run)
{
    add_view(objective, name)->run = run;
}

void ls_objective_view_numbers(ls_objective *objective, const char *name, const real *numbers,
                               const ls_shape *shape)
{
    ls_view *view = add_view(objective, name);
    view->numbers = numbers;
    view->shape = *shape;
}

/* Leaves out of the phases what the task's patterns do not name. A phase of which nothing is left
 * keeps its passes: its sums are part of the figures. */
static bool freeze(ls_objective *objective, ls_error *error)
{
    ls_slots wanted = {.count = 0}, all = {.count = 0};
    const ls_task *task = &objective->task;
    int trained = 0;
    if (!task->train)
        return true;
    if (!ls_slots_match(task->params, task->train, &wanted, error))
        return false;
    for (int p = 0; p < objective->phases; p++) {
        ls_phase *phase = &objective->phase[p];
        for (int i = 0; i < phase->slots.count; i++)
            if (!ls_slots_try_add(&all, phase->slots.at[i].begin, phase->slots.at[i].end, error))
                return false;
        const ls_slots before = phase->slots;
        if (!ls_slots_intersect(&before, &wanted, &phase->slots, error))
            return false;
        trained += phase->slots.count;
    }
    if (trained == 0)
        return ls_error_set(error, LS_USAGE, "'%s' names nothing that %s trains", task->train,
                            objective->type->name);
    return ls_slots_subtract(&all, &wanted, &objective->frozen, error);
}

/* Nets that carry states are for streams, and for objectives that go through these in order. */
static bool check_carried(const ls_objective *objective, ls_error *error)
{
    const ls_task *task = &objective->task;
    int i = 0;
    while (i < task->nets && ls_net_carried(task->net[i]) == 0)
        i++;
    if (i == task->nets || ls_objective_streams(objective) || task->inference)
        return true;
    const char *name = task->net[i]->name;
    if (task->streams)
        return ls_error_set(error, LS_USAGE,
                            "the net %s carries states from row to row (carry=1), which the "
                            "objective %s does not: leave carry=1 out",
                            name, objective->type->name);
    return ls_error_set(error, LS_USAGE,
                        "the net %s carries states from row to row (carry=1), but these rows stand "
                        "by themselves: it takes a stream of tokens, x [tokens], that `unroll: 64` "
                        "in the job cuts into windows; or leave carry=1 out",
                        name);
}

static void check_metrics(const ls_objective *objective)
{
    for (int k = 0; k < objective->metrics; k++) {
        const ls_metric *metric = &objective->metric[k];
        ls_check(k == 0 ? !metric->evaluated && !metric->gap : metric->evaluated || !metric->gap,
                 "metric %s of %s: training has the first, and no gap", metric->name,
                 objective->type->name);
    }
}

static void check_row_states(const ls_objective *objective)
{
    for (int k = 0; k < objective->row_states.count; k++) {
        const ls_row_state *state = &objective->row_states.at[k];
        ls_check(state->name && state->rows >= 0 && state->reals > 0 && objective->type->begin_rows,
                 "row state %d of %s: a name, rows, numbers and begin_rows must be given", k,
                 objective->type->name);
    }
}

/* Two phases that train one slot would keep two states of their optimizers for it. */
static void check_phases(const ls_objective *objective)
{
    ls_slots all = {.count = 0};
    for (int p = 0; p < objective->phases; p++) {
        const ls_phase *phase = &objective->phase[p];
        ls_check(phase->times >= 1, "phase %s: %d updates a step", phase->name, phase->times);
        for (int i = 0; i < phase->slots.count; i++)
            for (long s = phase->slots.at[i].begin; s < phase->slots.at[i].end; s++) {
                ls_check(!ls_slots_contain(&all, (int)s), "two phases of %s train %s",
                         objective->type->name, objective->task.params->slots[s].name);
                ls_slots_add(&all, s, s + 1);
            }
    }
}

/* What a spec gives for an option, or the option's default. */
static const char *value_of(const ls_spec *spec, const ls_option *option)
{
    for (int i = 0; i < spec->keys; i++)
        if (strcmp(spec->at[i].key, option->key) == 0)
            return spec->at[i].value;
    return option->preset ? option->preset : "";
}

static bool is_adjustable(const ls_objective_type *type, const char *option)
{
    const char *const *name = type->adjustable;
    while (name && *name && strcmp(*name, option) != 0)
        name++;
    return name && *name;
}

bool ls_objective_continues(const char *before, const char *now)
{
    ls_spec a, b;
    if (!ls_spec_parse_plain(before, &a, NULL) || !ls_spec_parse_plain(now, &b, NULL) ||
        strcmp(a.type, b.type) != 0)
        return false;
    const ls_objective_type *type =
        ls_spec_find_type(ls_objective_types, a.type, "objective", NULL);
    for (const ls_option *o = type ? type->options : NULL; o && o->key; o++)
        if (!is_adjustable(type, o->key) && strcmp(value_of(&a, o), value_of(&b, o)) != 0)
            return false;
    return type != NULL;
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
    if (task->lengths && !type->lengths) {
        ls_error_set(error, LS_USAGE,
                     "the objective %s takes rows of one length, but the data has `length`, the "
                     "steps of each row; `supervised` takes such data",
                     type->name);
        return NULL;
    }
    ls_objective *objective = ls_alloc(1, sizeof *objective);
    objective->type = type;
    objective->task = *task;
    objective->self = ls_alloc(1, type->size);
    if (!ls_spec_read(&spec, type->options, NULL, objective->self, error) ||
        !type->setup(objective, error) || !freeze(objective, error) ||
        !check_carried(objective, error)) {
        ls_objective_destroy(objective);
        return NULL;
    }
    check_phases(objective);
    check_row_states(objective);
    check_metrics(objective);
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

long ls_objective_steps(const ls_objective *objective)
{
    return ls_max(1, objective->outputs.steps);
}

bool ls_objective_streams(const ls_objective *objective)
{
    const ls_row_states *states = &objective->row_states;
    int k = 0;
    while (k < states->count && !states->at[k].streams)
        k++;
    return k < states->count;
}

int ls_objective_batches(const ls_objective *objective)
{
    int batches = 0;
    for (int p = 0; p < objective->phases; p++)
        batches += objective->phase[p].fresh_batch ? objective->phase[p].times : 0;
    return batches;
}

double ls_objective_value(const ls_objective *objective, int k, const ls_sums *sums)
{
    const ls_metric *metric = &objective->metric[k];
    const ls_sums *of_phase = &sums[metric->phase];
    double mean = of_phase->at[metric->sum] / of_phase->at[LS_SUM_WEIGHT];
    return metric->of ? metric->of(mean) : mean;
}

int ls_objective_metric(const ls_objective *objective, const char *name)
{
    for (int k = 0; k < objective->metrics; k++)
        if (strcmp(objective->metric[k].name, name) == 0)
            return k;
    return -1;
}

int ls_objective_gap(const ls_objective *objective)
{
    for (int k = 0; k < objective->metrics; k++)
        if (objective->metric[k].gap)
            return k;
    return -1;
}
