/* learner: a training loop's state over arrays in memory. */
#include "core/learner.h"

#include <math.h>

#include "core/memory.h"
#include "core/squares.h"

struct ls_learner {
    ls_learner_plan plan; /* its texts are not kept */
    ls_params *params;
    ls_net *net;
    ls_objective *objective;
    ls_optimizer optimizer;
    ls_workspace *run; /* for predictions */
    real *values, *prepared, *gradient, *state[LS_OPTIMIZER_STATES];
    double *pieces, *gradient2, *value2; /* as squares.h says */
    long steps, updates[LS_PHASES];
    ls_carried carried[LS_ROW_STATES]; /* all rows of each row state */
};

static bool build(ls_learner *it, ls_error *error)
{
    const ls_learner_plan *plan = &it->plan;
    it->params = ls_params_create();
    it->net = ls_net_build(it->params, NULL, "net", plan->net, &plan->x, error);
    if (!it->net)
        return false;
    ls_task task = {.params = it->params,
                    .nets = 1,
                    .net = &it->net, /* stays: the task keeps the pointer */
                    .x = plan->x,
                    .y = plan->y,
                    .has_y = true,
                    .classes = plan->classes};
    const char *objective = plan->objective ? plan->objective : "supervised loss=cross-entropy";
    const char *optimizer = plan->optimizer ? plan->optimizer : "adam rate=0.001";
    it->objective = ls_objective_create(objective, &task, error);
    if (!it->objective || !ls_optimizer_parse(optimizer, &it->optimizer, error))
        return false;
    return it->optimizer.ema == 0 ||
           ls_error_set(error, LS_USAGE, "ema=%g: a learner keeps no average of its weights",
                        it->optimizer.ema);
}

static void begin_rows(ls_learner *it)
{
    ls_objective *objective = it->objective;
    for (int k = 0; k < objective->row_states.count; k++) {
        const ls_row_state *state = &objective->row_states.at[k];
        real *data = ls_alloc((size_t)(state->rows * state->reals), sizeof *data);
        objective->type->begin_rows(objective, k, it->plan.seed, 0, state->rows, data);
        it->carried[k] = (ls_carried){.rows = state->rows, .data = data};
    }
}

static void take_memory(ls_learner *it)
{
    size_t reals = (size_t)it->params->size;
    it->values = ls_alloc(reals, sizeof(real));
    it->prepared = ls_alloc((size_t)it->params->prepared_size, sizeof(real));
    it->gradient = ls_alloc(reals, sizeof(real));
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        if (ls_optimizer_state_name(&it->optimizer, k))
            it->state[k] = ls_alloc(reals, sizeof(real));
    it->pieces = ls_alloc((size_t)ls_squares_room(it->params), sizeof *it->pieces);
    it->gradient2 = ls_alloc((size_t)it->params->count, sizeof *it->gradient2);
    it->value2 = ls_alloc((size_t)it->params->count, sizeof *it->value2);
    ls_params_commit(it->params, it->values, it->prepared);
    ls_params_initialize(it->params, it->plan.seed, NULL);
    it->objective->type->compile(it->objective, it->plan.batch, 0);
    it->run = ls_workspace_create(it->net, it->plan.batch, LS_INFERENCE);
    begin_rows(it);
}

ls_learner *ls_learner_create(const ls_learner_plan *plan, ls_error *error)
{
    if (plan->batch < 1) {
        ls_error_set(error, LS_USAGE, "a batch of %ld rows; expected 1 or more", plan->batch);
        return NULL;
    }
    ls_learner *it = ls_alloc(1, sizeof *it);
    it->plan = *plan;
    if (build(it, error)) {
        take_memory(it);
        return it;
    }
    ls_learner_destroy(it);
    return NULL;
}

void ls_learner_destroy(ls_learner *it)
{
    if (!it)
        return;
    ls_workspace_destroy(it->run);
    ls_objective_destroy(it->objective);
    ls_net_destroy(it->net);
    ls_params_destroy(it->params);
    ls_free(it->values);
    ls_free(it->prepared);
    ls_free(it->gradient);
    for (int k = 0; k < LS_OPTIMIZER_STATES; k++)
        ls_free(it->state[k]);
    for (int k = 0; k < LS_ROW_STATES; k++)
        ls_free(it->carried[k].data);
    ls_free(it->pieces);
    ls_free(it->gradient2);
    ls_free(it->value2);
    ls_free(it);
}

static void measure(void *learner, const real *array, const ls_slots *slots, double *norm2)
{
    const ls_learner *it = learner;
    for (int i = 0; i < slots->count; i++) {
        ls_interval reals = ls_slots_reals(it->params, &slots->at[i]);
        ls_squares_measure(it->params, array, reals.begin, reals.end, it->pieces);
    }
    ls_squares_add(it->params, slots, it->pieces, norm2);
}

static bool take_step(ls_learner *it, int phase, const ls_sums *sums, ls_error *error)
{
    const ls_interval all = {0, it->params->size};
    const ls_update update = {.optimizer = &it->optimizer,
                              .params = it->params,
                              .slots = &it->objective->phase[phase].slots,
                              .runs = {1, &all},
                              .gradient = it->gradient,
                              .state = it->state,
                              .gradient2 = it->gradient2,
                              .value2 = it->value2,
                              .measure = measure,
                              .context = it,
                              .rate = it->optimizer.rate,
                              .count = it->updates[phase] + 1,
                              .epoch = it->plan.epoch ? it->steps / it->plan.epoch : 0};
    double weight = sums->at[LS_SUM_WEIGHT];
    measure(it, it->gradient, update.slots, it->gradient2);
    if (!isfinite(ls_squares_total(it->params, it->gradient2)) || !isfinite(sums->at[LS_SUM_LOSS]))
        return ls_error_set(error, LS_NUMERIC,
                            "step %ld: the loss or the gradient is not finite; expected numbers: "
                            "take a smaller rate, and look for NaN in the data",
                            it->steps + 1);
    if (weight != 0) {
        ls_optimizer_step(&update, weight);
        it->updates[phase]++;
    }
    return true;
}

static bool make_update(ls_learner *it, int phase, int repeat, const ls_batch *batch, ls_sums *sums,
                        ls_error *error)
{
    const ls_pass pass = {.training = true,
                          .seed = it->plan.seed,
                          .step = (uint64_t)it->steps,
                          .draw = ls_pass_draw(phase, repeat),
                          .total = batch->total,
                          .gradient = it->gradient,
                          .carried = it->carried};
    ls_net_prepare(it->net, NULL, 0, 1);
    it->objective->type->gradient(it->objective, phase, batch, &pass, sums);
    return take_step(it, phase, sums, error);
}

bool ls_learner_step(ls_learner *it, const real *x, const real *y, long rows, ls_sums *sums,
                     ls_error *error)
{
    ls_check(rows >= 0 && rows <= it->plan.batch, "a step of %ld rows; the plan says at most %ld",
             rows, it->plan.batch);
    ls_sums own;
    ls_batch batch = {
        .rows = rows, .total = rows, .x_shape = it->plan.x, .x = x, .y_shape = it->plan.y, .y = y};
    for (int phase = 0; phase < it->objective->phases; phase++)
        for (int repeat = 0; repeat < it->objective->phase[phase].times; repeat++)
            if (!make_update(it, phase, repeat, &batch, &own, error))
                return false;
    it->steps++;
    if (sums)
        *sums = own;
    return true;
}

const real *ls_learner_predict(ls_learner *it, const real *x, long rows)
{
    ls_check(rows >= 0 && rows <= it->plan.batch,
             "a prediction of %ld rows; the plan says at most %ld", rows, it->plan.batch);
    ls_pass pass = {.seed = it->plan.seed, .step = (uint64_t)it->steps};
    ls_net_prepare(it->net, NULL, 0, 1); /* the caller may have loaded other weights */
    return ls_workspace_forward(it->run, &pass, x, rows);
}

ls_params *ls_learner_params(const ls_learner *it)
{
    return it->params;
}

const ls_net *ls_learner_net(const ls_learner *it)
{
    return it->net;
}
