/* predict: class and probabilities, or values, of each row of a split, in the order of the rows;
 * the same bytes on any number of ranks. */
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "launch/apply/forward.h"
#include "launch/json.h"

static void check_arguments(const void *context, const struct argp_state *state)
{
    const ls_forward_arguments *a = context;
    if (!a->output)
        argp_error(state, "name the output: -o out.h5 or -o out.csv");
}

static const ls_command_option options[] = {
    LS_FORWARD_STAGE,
    LS_FORWARD_COMMON,
    LS_FORWARD_OUTPUT("the file to write: out.h5 or out.csv"),
    LS_FORWARD_SPLIT("the rows to predict (default: test, or the only split that the file has)"),
    {"as", 0, "classes|values",
     "what the outputs stand for (default: by y of the data; where it has none, by the loss: "
     "values of squared-error, classes of the others)",
     LS_COMMAND_CHOICE, LS_FORWARD_AT(as)},
    {.name = NULL}};

const ls_usage ls_usage_predict = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT|JOB.yaml",
    .about = "Applies a trained net to each row of a data set, alone or under mpirun, and writes "
             "for each row its class and the probabilities of all classes (scores where the loss "
             "defines no probabilities), or the outputs as values: of an autoencoder, the rebuilt "
             "row. The data set needs no y. " LS_FORWARD_SOURCE,
    .more = "Examples:\n"
            "  lockstep predict runs/lenet --data new.h5 -o predictions.csv\n"
            "  mpirun -n 4 lockstep predict runs/lenet --split valid -o valid.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

typedef struct prediction {
    const ls_shape *output;    /* of a row of the objective's outputs */
    const ls_meaning *meaning; /* what they mean */
    bool classes;              /* the outputs stand for classes, else for values */
    const ls_dataset *data;    /* whose rows are rebuilt; NULL: the outputs are no such rows */
    bool pair;  /* the net has one output, the probability of class 1: class 0 gets the rest */
    long steps; /* of a row of the data: those that count are rows of the file; else 1 */
    const int32_t *length; /* of the rows of the data, where only some steps count; NULL: all do */
    long width;            /* outputs of a row of the file */
    long numbers;          /* numbers that are written for it */
} prediction;

static void fill_row(const prediction *p, const real *y, real *numbers)
{
    if (!p->classes)
        p->meaning->of_values(y, p->width, numbers);
    else
        p->meaning->of_classes(y, p->width, numbers + p->pair);
    if (p->pair)
        numbers[0] = 1 - numbers[1];
}

/* The steps of a row of the data that are rows of the file. */
static long steps_of(const prediction *p, long row)
{
    return p->length ? p->length[row] : p->steps;
}

static bool collect(void *outputs, long rows, const real *y, ls_error *error)
{
    ls_forward_outputs *o = outputs;
    const prediction *p = o->context;
    long n = 0; /* rows of the file */
    real *class = ls_alloc((size_t)(rows * p->steps), sizeof *class);
    real *numbers = ls_alloc((size_t)(rows * p->steps * p->numbers), sizeof *numbers);
    for (long r = 0; r < rows * p->steps; r++) {
        if (r % p->steps >= steps_of(p, o->row + r / p->steps))
            continue;
        class[n] = (real)ls_loss_predict(y + r * p->width, p->width, p->meaning->threshold);
        fill_row(p, y + r * p->width, numbers + n++ * p->numbers);
    }
    if (p->data)
        ls_dataset_untransform(p->data, n, numbers);
    const real *const of_classes[] = {class, numbers}, *const of_values[] = {numbers};
    bool ok = ls_rowfile_add(o->file, n, p->classes ? of_classes : of_values, error);
    o->row += rows;
    ls_free(numbers);
    ls_free(class);
    return ok;
}

/* Rows of the file. */
static long count_rows(const ls_forward *f, const prediction *p)
{
    long rows = 0;
    for (long r = 0; r < f->split->x.rows; r++)
        rows += steps_of(p, r);
    return rows;
}

/* On rank 0. */
static bool begin(ls_forward *f, const prediction *p, ls_error *error)
{
    const ls_rowfile_array of_classes[] = {
        {"class", {.rank = 0}, true}, {p->meaning->name, {.rank = 1, .at = {p->numbers}}, false}};
    const ls_rowfile_array of_values[] = {{"value", *p->output, false}};
    return ls_forward_begin(f, error) &&
           ls_rowfile_begin(f->file, p->classes ? of_classes : of_values, p->classes ? 2 : 1,
                            count_rows(f, p), error) &&
           (!p->classes || !f->split->has_y || /* names of the classes */
            ls_rowfile_copy_attributes(f->file, ls_dataset_path(f->saved.session.data),
                                       f->split->y.path, "class", error)) &&
           ls_rowfile_text(f->file, "/", "split", f->split->name, error);
}

/* The objective of the stage says what the outputs of its net mean. */
static prediction plan(const ls_forward *f, const ls_objective *objective)
{
    prediction p = {.output = &objective->output, .meaning = objective->meaning};
    p.data = objective->outputs.rebuilds ? f->saved.session.data : NULL;
    bool labels = f->split->labelled;
    p.classes = f->split->has_y && objective->takes_y ? labels : !p.meaning->values;
    if (f->arguments.as >= 0)
        p.classes = f->arguments.as == LS_FORWARD_CLASSES;
    p.classes = p.classes && !objective->outputs.rebuilds && !objective->outputs.units;
    p.steps = p.classes ? ls_objective_steps(objective) : 1;
    p.length = p.steps > 1 ? f->split->length : NULL;
    p.width = ls_shape_count(p.output) / p.steps;
    p.pair = p.classes && p.width == 1 && strcmp(p.meaning->name, "probability") == 0;
    p.numbers = p.pair ? 2 : p.width;
    return p;
}

static void print(const ls_forward *f, const prediction *p)
{
    const char *output = f->arguments.output, *name = p->classes ? p->meaning->name : "value";
    if (!f->arguments.json) {
        ls_forward_print(f);
        ls_print(stdout, "%s: %ld rows, %s and %s\n", output, count_rows(f, p),
                 p->classes ? "class" : "row", name);
        return;
    }
    json_t *top = ls_forward_json(f);
    json_object_set_new(top, "output", ls_json_text(output));
    json_object_set_new(top, "arrays",
                        p->classes ? json_pack("[s, s]", "class", name) : json_pack("[s]", name));
    ls_json_print(top);
}

static bool check_outputs(const ls_forward *f, const ls_objective *objective, ls_error *error)
{
    const char *name = objective->type->name;
    if (!objective->meaning)
        return ls_error_set(error, LS_USAGE, "%s predicts nothing of a row", name);
    const ls_outputs *outputs = &objective->outputs;
    return !(outputs->rebuilds || outputs->units) || f->arguments.as != LS_FORWARD_CLASSES ||
           ls_error_set(error, LS_USAGE,
                        "--as classes: the outputs of %s are rebuilt %s, which stand for no "
                        "classes; leave --as out",
                        name, outputs->units ? "units of a layer" : "rows");
}

static bool predict(ls_forward *f, ls_error *error)
{
    const ls_job *job = f->saved.job;
    ls_task task = f->saved.session.task;
    task.inference = true;
    ls_objective *objective = ls_objective_create(job->stage[f->stage].objective, &task, error);
    if (!objective)
        return false;
    if (!check_outputs(f, objective, error)) {
        ls_objective_destroy(objective);
        return false;
    }
    prediction p = plan(f, objective);
    ls_forward_outputs outputs = {
        .objective = objective, .split = f->split_id, .collect = collect, .context = &p};
    bool first = f->comm->rank == 0;
    bool ok = ls_comm_agree(f->comm, !first || begin(f, &p, error), error) &&
              ls_forward_rows(f, &outputs, error) && ls_forward_finish(f, error);
    if (ok && first)
        print(f, &p);
    ls_objective_destroy(objective);
    return ok;
}

int ls_command_predict(int argc, char **argv)
{
    static const ls_forward_command command = {
        .usage = &ls_usage_predict, .csv = true, .splits = LS_FORWARD_ONLY_SPLIT, .run = predict};
    return ls_forward_main(&command, argc, argv);
}
