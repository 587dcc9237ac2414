/* check: `lockstep check`: compares the gradients of a job's net with central differences
 * (lockstep-double), or writes the numbers of one forward and backward pass, so that another
 * program can compare them with its own. It runs on one rank. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "core/random.h"
#include "io/atomic_file.h"
#include "io/rowfile.h"
#include "launch/command.h"
#include "launch/job/job_text.h"
#include "launch/job/yaml/job_file.h"
#include "launch/ranks.h"
#include "launch/session/session.h"
#include "launch/weights/weights_file.h"

enum { SAMPLES = 24 }; /* numbers of each parameter that are checked */
static const double step_size = 1e-5, tolerance = 1e-6;

typedef struct arguments {
    ls_words words;
    const char *dump, *weights;
    bool force;
    long rows, stage, step;
} arguments;

static const ls_command_option options[] = {
    {"dump", 0, "FILE.h5",
     "write inputs, outputs of all layers, draws of noise and dropout, loss, values and gradients "
     "of all parameters",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, dump)},
    {"force", 0, NULL, "overwrite FILE.h5", .offset = offsetof(arguments, force)},
    {"rows", 0, "N", "use the first N training rows (default 8)", LS_COMMAND_LONG,
     offsetof(arguments, rows), .low = 1, .high = 1 << 20},
    {"stage", 0, "N", "the stage, from 0 (default 0)", LS_COMMAND_LONG, offsetof(arguments, stage),
     .low = 0, .high = 255},
    {"step", 0, "N", "draw what step N of a run draws, counted from 0 (default 0)", LS_COMMAND_LONG,
     offsetof(arguments, step), .low = 0, .high = LONG_MAX},
    {"weights", 0, "FILE",
     "use the parameters in FILE, a checkpoint or .safetensors (default: the initial ones)",
     LS_COMMAND_TEXT, .offset = offsetof(arguments, weights)},
    {.name = NULL}};

const ls_usage ls_usage_check = {
    .options = options,
    .arguments = "JOB.yaml [KEY=VALUE ...]",
    .about = "Compares the gradients of a job's nets with central differences, on the first "
             "training rows, for each phase of the objective, without an update. Biases of 0 are "
             "moved a little, away from ReLU's kink. Run it as lockstep-double: in float the "
             "differences drown in rounding. With --dump it writes one forward and backward "
             "pass of each update of a step into a file instead, in either program; where a step "
             "has several, what belongs to one is in a group PHASE.NUMBER.",
    .arguments_min = 1,
    .arguments_max = -1,
};

/* The objective of a stage, and the first training rows. */
typedef struct probe {
    ls_session session;
    ls_objective *objective; /* the session's */
    uint64_t step;
    ls_batch batch;
    real *x, *y, *gradient; /* y NULL: the data set has none */
    int64_t *row;
    double
        weight; /* of the batch in the last update: its rows, or what else the loss is a mean of */
} probe;

static bool open_probe(probe *p, ls_comm *comm, ls_job *job, const arguments *a, ls_error *error)
{
    if (!ls_session_open(&p->session, comm, job, NULL, error) ||
        !ls_session_parse_stages(&p->session, error) || !ls_session_commit(&p->session, error))
        return false;
    const ls_weights_source source = {
        .path = a->weights, .model = job->model, .data = p->session.data};
    if (a->weights && !ls_weights_file_load(&source, p->session.params, error))
        return false;
    ls_session_prepare(&p->session, NULL);
    if (a->stage >= job->stages)
        return ls_error_set(error, LS_USAGE, "--stage=%ld, but the job has stages 0 to %d",
                            a->stage, job->stages - 1);
    const ls_split *train = ls_dataset_split(p->session.data, LS_TRAIN);
    if (!train->present || train->x.rows < a->rows)
        return ls_error_set(error, LS_DATA, "%s: %ld training rows, but %ld are asked for",
                            job->data, train->present ? train->x.rows : 0, a->rows);
    p->x = ls_alloc((size_t)(a->rows * ls_shape_count(&train->row)), sizeof *p->x);
    if (train->has_y)
        p->y = ls_alloc((size_t)(a->rows * ls_shape_count(&train->y.shape)), sizeof *p->y);
    p->row = ls_alloc((size_t)a->rows, sizeof *p->row);
    for (long i = 0; i < a->rows; i++)
        p->row[i] = i;
    if (!ls_dataset_read(p->session.data, LS_TRAIN, p->row, a->rows, NULL, p->x, p->y, error))
        return false;
    p->batch = (ls_batch){.rows = a->rows,
                          .total = a->rows,
                          .x_shape = train->row,
                          .x = p->x,
                          .y_shape = train->y.shape,
                          .y = p->y,
                          .length = train->length,
                          .all_length = train->length,
                          .row = p->row};
    p->gradient = ls_alloc((size_t)p->session.params->size, sizeof *p->gradient);
    p->objective = p->session.stage[a->stage].objective;
    p->step = (uint64_t)a->step;
    p->objective->type->compile(p->objective, a->rows, 0);
    return true;
}

/* One update of a step: update `repeat` of those that its phase makes in a row. */
typedef struct turn {
    int phase, repeat;
} turn;

static ls_pass pass_of(const probe *p, turn now)
{
    return (ls_pass){.training = true,
                     .seed = (uint64_t)p->session.job->seed,
                     .step = p->step,
                     .draw = ls_pass_draw(now.phase, now.repeat),
                     .total = p->batch.total,
                     .frozen = &p->objective->frozen,
                     .gradient = p->gradient};
}

/* Returns the mean loss of an update; p->gradient gets the gradient of the sum. */
static double apply(probe *p, turn now)
{
    ls_sums sums;
    ls_pass pass = pass_of(p, now);
    ls_session_prepare(&p->session, NULL);
    p->objective->type->gradient(p->objective, now.phase, &p->batch, &pass, &sums);
    p->weight = sums.at[LS_SUM_WEIGHT];
    return sums.at[LS_SUM_LOSS] / sums.at[LS_SUM_WEIGHT];
}

/* The central difference of the mean loss by number `index` of a slot. */
static double difference(probe *p, turn now, int slot, real *logical, long index, double step)
{
    ls_params *params = p->session.params;
    real before = logical[index];
    logical[index] = before + (real)step;
    ls_params_load(params, slot, logical, params->values);
    double up = apply(p, now);
    logical[index] = before - (real)step;
    ls_params_load(params, slot, logical, params->values);
    double down = apply(p, now);
    logical[index] = before;
    ls_params_load(params, slot, logical, params->values);
    return (up - down) / (2 * step);
}

/* The derivative by a central difference. Where it is not `expected`, a ReLU or a maximum may have
 * its kink within the step; then a hundredth of the step, which seldom meets a kink, is tried too.
 * A wrong gradient differs from the differences of both steps. */
static double derivative(probe *p, turn now, int slot, real *logical, long index, double expected)
{
    double wide = difference(p, now, slot, logical, index, step_size);
    if (fabs(wide - expected) <= tolerance * fabs(expected))
        return wide;
    double narrow = difference(p, now, slot, logical, index, step_size / 100);
    return fabs(narrow - expected) < fabs(wide - expected) ? narrow : wide;
}

/* The norm of (gradient - difference) over the norm of the differences, for SAMPLES numbers of the
 * slot. The latter counts as `floor` at least, so that gradients that are 0 but for rounding pass.
 */
static double slot_error(probe *p, turn now, int slot, const real *gradient, double floor)
{
    ls_params *params = p->session.params;
    long count = ls_shape_count(&params->slots[slot].shape);
    real *value = ls_alloc((size_t)count, sizeof *value);
    double wrong = 0, norm = 0;
    ls_random stream = ls_random_stream(1, LS_RANDOM_SYNTHETIC, 0, 0, (uint32_t)slot);
    ls_params_store(params, slot, params->values, value);
    for (long i = 0; i < SAMPLES && i < count; i++) {
        long index =
            count <= SAMPLES ? i : (long)ls_random_permute(stream, (uint64_t)count, (uint64_t)i);
        double found = (double)gradient[index] / p->weight;
        double exact = derivative(p, now, slot, value, index, found), error = found - exact;
        wrong += error * error;
        norm += exact * exact;
    }
    ls_free(value);
    return sqrt(wrong) / fmax(sqrt(norm), floor);
}

/* Gives small values to biases of 0: over black pixels ReLU would otherwise be at its kink, where
 * it has no derivative. */
static void move_biases(ls_params *params)
{
    for (int slot = 0; slot < params->count; slot++) {
        const ls_slot_kind kind = params->slots[slot].kind;
        if (kind != LS_SLOT_BIAS && kind != LS_SLOT_ASIDE)
            continue;
        long count = ls_shape_count(&params->slots[slot].shape);
        real *value = ls_alloc((size_t)count, 2 * sizeof *value), *random = value + count;
        ls_random stream = ls_random_stream(2, LS_RANDOM_SYNTHETIC, 0, 0, (uint32_t)slot);
        ls_params_store(params, slot, params->values, value);
        ls_random_uniform(stream, 0, random, count);
        for (long i = 0; i < count; i++)
            if (value[i] == 0)
                value[i] = (real)0.1 * random[i] - (real)0.05;
        ls_params_load(params, slot, value, params->values);
        ls_free(value);
    }
}

/* Prints a line for each parameter of a phase; returns whether all are within the tolerance. */
static bool check_phase(probe *p, int phase)
{
    const turn now = {.phase = phase};
    const ls_params *params = p->session.params;
    real **gradient = ls_alloc((size_t)params->count, sizeof *gradient); /* NULL: is not checked */
    double norm2 = 0;
    bool good = true;
    if (p->objective->phases > 1)
        ls_print(stdout, "%s: ", p->objective->phase[phase].name);
    ls_print(stdout, "loss %.9f\n", apply(p, now));
    for (int s = 0; s < params->count; s++) {
        if (!ls_slots_contain(&p->objective->phase[phase].slots, s) ||
            params->slots[s].kind == LS_SLOT_STATE) /* its gradient holds statistics */
            continue;
        long count = ls_shape_count(&params->slots[s].shape);
        gradient[s] = ls_alloc((size_t)count, sizeof **gradient);
        ls_params_store(params, s, p->gradient, gradient[s]);
        for (long i = 0; i < count; i++)
            norm2 += pow((double)gradient[s][i], 2);
    }
    double floor = 1e-3 * sqrt(norm2) / p->weight;
    for (int s = 0; s < params->count; s++) {
        if (!gradient[s])
            continue;
        double error = slot_error(p, now, s, gradient[s], floor);
        bool fits = error <= tolerance;
        ls_print(stdout, "%-32s relative error %.1e  %s\n", params->slots[s].name, error,
                 fits ? "ok" : "WRONG");
        good = good && fits;
        ls_free(gradient[s]);
    }
    ls_free(gradient);
    return good;
}

/* Writes draws/VIEW/LAYER, if the layer drew any. */
static bool dump_draws(ls_rowfile *dump, const char *name, const ls_view *view, int i,
                       ls_error *error)
{
    const ls_layer *layer = ls_workspace_net(view->run)->layers[i];
    const long rows = ls_workspace_rows(view->run);
    if (!layer->type->draws)
        return true;
    real *draws = ls_alloc((size_t)(rows * ls_shape_count(&layer->y)), sizeof *draws);
    const ls_shape row = ls_workspace_draws(view->run, i, draws);
    const bool ok = !row.rank || ls_rowfile_write(dump, name, rows, &row, draws, error);
    ls_free(draws);
    return ok;
}

/* Writes output/VIEW/LAYER and draws/VIEW/LAYER of the layers that a view's run applies. */
static bool dump_run(ls_rowfile *dump, const char *group, const ls_view *view, ls_error *error)
{
    const ls_net *net = ls_workspace_net(view->run);
    const ls_interval layers = ls_workspace_layers(view->run);
    bool ok = true;
    for (int i = (int)layers.begin; ok && i < layers.end; i++) {
        const ls_layer *layer = net->layers[i];
        char output[256], draws[256];
        snprintf(output, sizeof output, "%soutput/%s/%s", group, view->name, layer->name);
        snprintf(draws, sizeof draws, "%sdraws/%s/%s", group, view->name, layer->name);
        ok = ls_rowfile_write(dump, output, ls_workspace_rows(view->run), &layer->y,
                              ls_workspace_output(view->run, i), error) &&
             dump_draws(dump, draws, view, i, error);
    }
    return ok;
}

/* Runs the forward pass once more, since backward reused the memory of outputs and draws. */
static bool dump_views(ls_rowfile *dump, const char *group, probe *p, turn now, ls_error *error)
{
    ls_sums sums;
    char name[160];
    ls_pass pass = pass_of(p, now);
    pass.gradient = NULL;
    p->objective->type->gradient(p->objective, now.phase, &p->batch, &pass, &sums);
    bool ok = true;
    for (int i = 0; ok && i < p->objective->views; i++) {
        const ls_view *view = &p->objective->view[i];
        snprintf(name, sizeof name, "%sdraws/%s", group, view->name);
        ok = view->run
                 ? dump_run(dump, group, view, error)
                 : ls_rowfile_write(dump, name, p->batch.rows, &view->shape, view->numbers, error);
    }
    return ok;
}

/* Writes a slot of an array, its numbers divided by `divisor`. */
static bool dump_slot(ls_rowfile *dump, const char *folder, const probe *p, int s,
                      const real *array, real divisor, ls_error *error)
{
    const ls_params *params = p->session.params;
    const ls_slot *slot = &params->slots[s];
    const long count = ls_shape_count(&slot->shape);
    char name[LS_SLOT_NAME + 96];
    real *logical = ls_alloc((size_t)count, sizeof *logical);
    ls_params_store(params, s, array, logical);
    for (long i = 0; i < count; i++)
        logical[i] /= divisor;
    snprintf(name, sizeof name, "%s/%s", folder, slot->name);
    bool ok = ls_rowfile_write(dump, name, -1, &slot->shape, logical, error);
    ls_free(logical);
    return ok;
}

/* The loss, the gradient of the mean loss (what a step would add to a state slot), and what forward
 * computed, in a group where a step has several updates. */
static bool dump_update(ls_rowfile *dump, probe *p, turn now, ls_error *error)
{
    const ls_phase *phase = &p->objective->phase[now.phase];
    const ls_params *params = p->session.params;
    char group[96] = "", name[128];
    if (p->objective->phases > 1 || phase->times > 1)
        snprintf(group, sizeof group, "%s.%d/", phase->name, now.repeat);
    snprintf(name, sizeof name, "%sloss", group);
    bool ok = ls_rowfile_number(dump, name, apply(p, now), error);
    snprintf(name, sizeof name, "%sgradient", group);
    for (int s = 0; ok && s < params->count; s++)
        if (ls_slots_contain(&phase->slots, s))
            ok = dump_slot(dump, name, p, s, p->gradient,
                           params->slots[s].kind == LS_SLOT_STATE ? 1 : (real)p->weight, error);
    return ok && dump_views(dump, group, p, now, error);
}

static bool write_dump(probe *p, const char *path, ls_error *error)
{
    turn now;
    ls_rowfile *dump = ls_rowfile_open(path, LS_ROWFILE_HDF5, error);
    if (!dump)
        return false;
    const ls_batch *b = &p->batch;
    const ls_objective *objective = p->objective;
    char *job = ls_job_text(p->session.job);
    bool ok = ls_rowfile_text(dump, "/", "job", job, error) &&
              ls_rowfile_number(dump, "rows", (double)b->rows, error) &&
              ls_rowfile_write(dump, "input", b->rows, &b->x_shape, b->x, error) &&
              (!b->y || ls_rowfile_write(dump, "target", b->rows, &b->y_shape, b->y, error));
    for (int s = 0; ok && s < p->session.params->count; s++)
        ok = dump_slot(dump, "value", p, s, p->session.params->values, 1, error);
    for (now.phase = 0; ok && now.phase < objective->phases; now.phase++)
        for (now.repeat = 0; ok && now.repeat < objective->phase[now.phase].times; now.repeat++)
            ok = dump_update(dump, p, now, error);
    ls_free(job);
    if (ok)
        return ls_rowfile_close(dump, error);
    ls_rowfile_discard(dump);
    return false;
}

static int check(ls_comm *comm, ls_job *job, const arguments *a, ls_error *error)
{
    probe p = {0};
    const char *const read[] = {job->data, a->weights};
    bool good = true;
    bool ok = (!a->dump || (ls_rowfile_ending(a->dump, LS_ROWFILE_HDF5, error) &&
                            ls_atomic_file_apart(a->dump, read, 2, error) &&
                            (a->force || ls_atomic_file_absent(a->dump, error)))) &&
              open_probe(&p, comm, job, a, error);
    if (ok && a->dump) {
        ok = write_dump(&p, a->dump, error);
        if (ok)
            ls_print(stdout, "wrote %s: one pass over %ld rows\n", a->dump, a->rows);
    } else if (ok) {
        move_biases(p.session.params);
        p.session.params->constants_stay = true;
        for (int phase = 0; phase < p.objective->phases; phase++)
            good = check_phase(&p, phase) && good;
    }
    ls_free(p.gradient);
    ls_free(p.row);
    ls_free(p.y);
    ls_free(p.x);
    ls_session_close(&p.session);
    if (!ok)
        return ls_command_fail(0, error);
    return good ? 0 : LS_NUMERIC;
}

int ls_command_check(int argc, char **argv)
{
    arguments a = {.rows = 8};
    ls_error error = {0};
    ls_command_parse(&ls_usage_check, argc, argv, &a.words);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    ls_job *job = NULL;
    if (comm->size > 1)
        ls_error_set(&error, LS_USAGE, "check runs on one rank: start it without mpirun");
    else if (sizeof(real) == sizeof(float) && !a.dump)
        ls_error_set(&error, LS_USAGE,
                     "in float the differences drown in rounding: run lockstep-double check, or "
                     "ask for a --dump");
    else
        job = ls_job_load(a.words.at[0], a.words.at + 1, a.words.count - 1, &error);
    int code = job ? check(comm, job, &a, &error) : ls_command_fail(comm->rank, &error);
    ls_job_destroy(job);
    ls_comm_close(comm);
    return code;
}
