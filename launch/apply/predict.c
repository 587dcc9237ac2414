/* predict: class and probabilities, or values, of each row of a split, in the order of the rows;
 * where its steps have outputs of their own, of each step that counts. The same bytes on any number
 * of ranks. */
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "launch/apply/forward.h"
#include "launch/json.h"
#include "launch/session/class_names.h"

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
             "row. Where each step of a sequence has an output, it writes those of every step that "
             "counts; `row` and `step` say where it stands in the data. The data set needs no "
             "y. " LS_FORWARD_SOURCE,
    .more = "Examples:\n"
            "  lockstep predict runs/lenet --data new.h5 -o predictions.csv\n"
            "  mpirun -n 4 lockstep predict runs/lenet --split valid -o valid.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

enum { ROW, STEP, CLASS, NUMBERS, ARRAYS }; /* of the file, which may leave some of them out */

typedef struct prediction {
    const ls_meaning *meaning; /* of the outputs */
    bool classes;              /* the outputs stand for classes, else for values */
    const ls_dataset *data;    /* whose rows are rebuilt; NULL: the outputs are no such rows */
    bool pair;  /* the net has one output, the probability of class 1: class 0 gets the rest */
    long steps; /* of a row of the data: those that count are rows of the file; else 1 */
    const int32_t *length; /* of the rows of the data, where only some steps count; NULL: all do */
    long width;            /* outputs of a row of the file */
    ls_shape shape;        /* of the numbers that are written for it */
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

/* Fills at[] with the numbers of the arrays that the file has; returns how many there are. */
static int list_arrays(const prediction *p, int at[ARRAYS])
{
    int count = 0;
    for (int k = 0; k < ARRAYS; k++)
        if (k == ROW || k == NUMBERS || (k == STEP ? p->steps > 1 : p->classes))
            at[count++] = k;
    return count;
}

static bool collect(void *outputs, long rows, const real *y, ls_error *error)
{
    ls_forward_outputs *o = outputs;
    const prediction *p = o->context;
    const size_t most = (size_t)(rows * p->steps);
    const long width = ls_shape_count(&p->shape);
    int64_t *row = ls_alloc(most, sizeof *row), *step = ls_alloc(most, sizeof *step);
    real *class = ls_alloc(most, sizeof *class);
    real *numbers = ls_alloc(most * (size_t)width, sizeof *numbers);
    long n = 0; /* rows of the file */
    for (long r = 0; r < rows; r++)
        for (long t = 0; t < steps_of(p, o->row + r); t++, n++) {
            const real *of_step = y + (r * p->steps + t) * p->width;
            row[n] = o->row + r;
            step[n] = t;
            class[n] = (real)ls_loss_predict(of_step, p->width, p->meaning->threshold);
            fill_row(p, of_step, numbers + n * width);
        }
    if (p->data)
        ls_dataset_untransform(p->data, n, numbers);
    const void *const all[] = {row, step, class, numbers};
    const void *values[ARRAYS];
    int at[ARRAYS];
    for (int k = 0, count = list_arrays(p, at); k < count; k++)
        values[k] = all[at[k]];
    bool ok = ls_rowfile_add(o->file, n, values, error);
    o->row += rows;
    ls_free(numbers);
    ls_free(class);
    ls_free(step);
    ls_free(row);
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

static const char *name_of(const prediction *p, int array)
{
    const char *const names[] = {"row", "step", "class", p->classes ? p->meaning->name : "value"};
    return names[array];
}

/* On rank 0. The names of the classes: those that the net learned, else those of the rows. */
static bool put_class_names(const ls_forward *f, const prediction *p, ls_error *error)
{
    long count;
    char *names = p->classes ? ls_class_names(f->saved.trained_on, &count) : NULL;
    bool ok = !names || count != p->shape.at[0] ||
              (ls_rowfile_count(f->file, "class", "classes", count, error) &&
               ls_rowfile_text(f->file, "class", "class_names", names, error));
    ls_free(names);
    return ok && (!p->classes || !f->split->has_y ||
                  ls_rowfile_copy_attributes(f->file, ls_dataset_path(f->saved.session.data),
                                             f->split->y.path, "class", error));
}

/* On rank 0. */
static bool begin(ls_forward *f, const prediction *p, ls_error *error)
{
    static const ls_rowfile_type types[] = {LS_ROWFILE_COUNTS, LS_ROWFILE_COUNTS,
                                            LS_ROWFILE_CLASSES, LS_ROWFILE_REALS};
    ls_rowfile_array arrays[ARRAYS] = {{0}};
    int at[ARRAYS], count = list_arrays(p, at);
    for (int k = 0; k < count; k++) {
        arrays[k] = (ls_rowfile_array){.path = name_of(p, at[k]), .type = types[at[k]]};
        arrays[k].shape = at[k] == NUMBERS ? p->shape : arrays[k].shape;
    }
    return ls_forward_begin(f, error) &&
           ls_rowfile_begin(f->file, arrays, count, count_rows(f, p), error) &&
           put_class_names(f, p, error) &&
           ls_rowfile_text(f->file, "/", "split", f->split->name, error);
}

/* Whether values are of the steps: the first dimension of the outputs is theirs. Where rows have no
 * lengths, outputs [steps] are a vector of the row, as such targets are (dataset.h). */
static bool has_values_of_steps(const ls_forward *f, const ls_objective *objective)
{
    const ls_session *session = &f->saved.session;
    const ls_split *split = f->split;
    const ls_shape *output = &objective->output;
    const ls_net *net = session->task.nets == 1 ? session->net[0] : NULL;
    if (output->rank == 0 || output->at[0] != split->row.at[0])
        return false;
    const bool keeps =
        net && ls_net_steps_after(net, net->count - 1, split->row.at[0]) == output->at[0];
    return split->length ? keeps || !net : keeps && output->rank > 1;
}

/* The objective of the stage says what the outputs of its net mean. */
static prediction plan(const ls_forward *f, const ls_objective *objective)
{
    prediction p = {.meaning = objective->meaning, .shape = objective->output};
    p.data = objective->outputs.rebuilds ? f->saved.session.data : NULL;
    bool labels = f->split->labelled;
    p.classes = f->split->has_y && objective->takes_y ? labels : !p.meaning->values;
    if (f->arguments.as >= 0)
        p.classes = f->arguments.as == LS_FORWARD_CLASSES;
    p.classes = p.classes && !objective->outputs.rebuilds && !objective->outputs.units;
    const bool each = !p.classes && has_values_of_steps(f, objective);
    p.steps = p.classes ? ls_objective_steps(objective) : each ? p.shape.at[0] : 1;
    p.length = p.steps > 1 ? f->split->length : NULL;
    p.width = ls_shape_count(&p.shape) / p.steps;
    p.pair = p.classes && p.width == 1 && strcmp(p.meaning->name, "probability") == 0;
    if (p.classes)
        p.shape = (ls_shape){1, {p.pair ? 2 : p.width}};
    else if (each)
        memmove(p.shape.at, p.shape.at + 1, (size_t)--p.shape.rank * sizeof p.shape.at[0]);
    return p;
}

static void print(const ls_forward *f, const prediction *p)
{
    const char *output = f->arguments.output;
    if (!f->arguments.json) {
        ls_forward_print(f);
        ls_print(stdout, "%s: %ld rows, %s and %s%s\n", output, count_rows(f, p),
                 p->classes ? "class" : "row", name_of(p, NUMBERS),
                 p->steps > 1 ? " of each step that counts" : "");
        return;
    }
    json_t *top = ls_forward_json(f), *arrays = json_array();
    int at[ARRAYS];
    for (int k = 0, count = list_arrays(p, at); k < count; k++)
        json_array_append_new(arrays, json_string(name_of(p, at[k])));
    json_object_set_new(top, "output", ls_json_text(output));
    json_object_set_new(top, "arrays", arrays);
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
    if (objective->x_rule)
        ls_dataset_add_x_rule(f->saved.session.data, objective->x_rule);
    if (objective->takes_y)
        ls_dataset_add_tails(f->saved.session.data);
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
