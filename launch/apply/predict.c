/* predict: class and probabilities, or values, of each row of a split, in their order; the same
 * bytes on any rank count. */
#include <string.h>

#include "core/memory.h"
#include "launch/apply/forward.h"
#include "launch/json.h"

static void check_arguments(const void *context, const struct argp_state *state)
{
    const ls_forward_arguments *a = context;
    if (!a->output)
        argp_error(state, "name the output: -o out.h5 or -o out.csv");
}

static const ls_command_option options[] = {
    LS_FORWARD_AVERAGE,
    LS_FORWARD_DATA,
    LS_FORWARD_OUTPUT("FILE", "out.h5 or out.csv"),
    LS_FORWARD_SPLIT("the rows to predict (default: test, or the only split that the file has)"),
    {"as", 0, "classes|values",
     "what the outputs stand for (default: by y of the data; where it has none, by the loss: "
     "values of squared-error, classes of the others)",
     LS_COMMAND_CHOICE, .offset = offsetof(ls_forward_arguments, as)},
    LS_FORWARD_JSON,
    LS_FORWARD_FORCE,
    LS_FORWARD_THREADS,
    {NULL}};

const ls_usage ls_usage_predict = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT",
    .about =
        "What a trained net makes of each row of a data set, alone or under mpirun: class [rows] "
        "and probability [rows, classes] (score where the loss knows no probabilities), or value "
        "[rows, ...]. The data needs no y. Of a run directory it takes best.h5, else (and with "
        "--average) the newest checkpoint.",
    .more = "Examples:\n"
            "  lockstep predict runs/lenet --data new.h5 -o predictions.csv\n"
            "  mpirun -n 4 lockstep predict runs/lenet --split valid -o valid.h5",
    .arguments_min = 1,
    .arguments_max = 1,
};

typedef struct work {
    const ls_net *net;         /* the one that answers, ... */
    const ls_meaning *meaning; /* ... and what its outputs mean */
    bool classes;              /* they stand for classes, else for values */
    long width, shown;         /* outputs of the net, numbers written a row */
    ls_rowfile *file;          /* rank 0 */
} work;

/* One output is about class 1; what is left is class 0's. */
static void fill_row(const work *w, const real *y, real *numbers)
{
    bool pair = w->classes && w->width == 1 && w->shown == 2;
    if (w->classes)
        w->meaning->of_classes(y, w->width, numbers + pair);
    else
        w->meaning->of_values(y, w->width, numbers);
    if (pair)
        numbers[0] = 1 - numbers[1];
}

static bool take(void *context, long rows, const real *y, ls_error *error)
{
    const work *w = context;
    real *class = ls_alloc((size_t)rows, sizeof *class);
    real *numbers = ls_alloc((size_t)(rows * w->shown), sizeof *numbers);
    for (long r = 0; r < rows; r++) {
        class[r] = (real)ls_loss_predict(y + r * w->width, w->width, w->meaning->threshold);
        fill_row(w, y + r * w->width, numbers + r * w->shown);
    }
    const real *const of_classes[] = {class, numbers}, *const of_values[] = {numbers};
    bool ok = ls_rowfile_add(w->file, rows, w->classes ? of_classes : of_values, error);
    ls_free(numbers);
    ls_free(class);
    return ok;
}

/* Rank 0. */
static bool begin(ls_forward *f, work *w, const ls_split *split, ls_error *error)
{
    const ls_rowfile_array of_classes[] = {
        {"class", {.rank = 0}, true}, {w->meaning->name, {.rank = 1, .at = {w->shown}}, false}};
    const ls_rowfile_array of_values[] = {{"value", w->net->y, false}};
    bool ok = ls_forward_begin(f, error) &&
              ls_rowfile_begin(f->file, w->classes ? of_classes : of_values, w->classes ? 2 : 1,
                               split->x.rows, error) &&
              ls_rowfile_text(f->file, "/", "split", split->name, error);
    w->file = f->file;
    return ok;
}

/* The objective of the last stage says what the outputs of its net mean. */
static work plan(const ls_forward *f, const ls_objective *objective, const ls_split *split)
{
    work w = {.net = objective->answers, .meaning = objective->meaning};
    bool labels = split->has_y && split->y.shape.rank == 0;
    w.classes = split->has_y ? labels : !w.meaning->values;
    if (f->arguments.as >= 0)
        w.classes = f->arguments.as == LS_FORWARD_CLASSES;
    w.width = ls_shape_count(&w.net->y);
    bool pair = w.classes && w.width == 1 && strcmp(w.meaning->name, "probability") == 0;
    w.shown = pair ? 2 : w.width;
    return w;
}

static void print(const ls_forward *f, const work *w, const ls_split *split)
{
    const char *output = f->arguments.output, *name = w->classes ? w->meaning->name : "value";
    if (!f->arguments.json) {
        ls_forward_print(f, split);
        printf("%s: %ld rows, %s %s\n", output, split->x.rows, w->classes ? "class and" : "row and",
               name);
        return;
    }
    json_t *top = ls_forward_json(f, split), *arrays = json_array();
    if (w->classes)
        json_array_append_new(arrays, json_string("class"));
    json_array_append_new(arrays, json_string(name));
    json_object_set_new(top, "output", ls_json_text(output));
    json_object_set_new(top, "arrays", arrays);
    ls_json_print(top);
}

static bool write_rows(ls_forward *f, work *w, const ls_split *split, ls_split_id id,
                       ls_error *error)
{
    bool first = ls_comm_rank(f->comm) == 0;
    if (!ls_comm_agree(f->comm, !first || begin(f, w, split, error), error) ||
        !ls_forward_rows(f, w->net, w->net->count - 1, id, take, w, error) ||
        !ls_forward_finish(f, error))
        return false;
    if (first)
        print(f, w, split);
    return true;
}

static bool predict(ls_forward *f, ls_error *error)
{
    ls_split_id id;
    const ls_job *job = f->saved.job;
    ls_task task = f->saved.session.task;
    const ls_split *split = ls_forward_split(f, true, &id, error);
    if (!split)
        return false;
    task.inference = true;
    ls_objective *objective =
        ls_objective_create(job->stage[job->stages - 1].objective, &task, error);
    if (!objective)
        return false;
    work w = plan(f, objective, split);
    bool ok = write_rows(f, &w, split, id, error);
    ls_objective_destroy(objective);
    return ok;
}

int ls_command_predict(int argc, char **argv)
{
    static const ls_forward_command command = {
        .usage = &ls_usage_predict, .csv = true, .run = predict};
    return ls_forward_main(&command, argc, argv);
}
