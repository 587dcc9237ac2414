/* predict: class and probabilities, or values, of each row of a split, in their order; the same
 * bytes on any rank count. */
#include <math.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "launch/apply/forward.h"
#include "launch/inspect/contents.h"

static const struct argp_option options[] = {
    LS_FORWARD_OPTION_AVERAGE,
    LS_FORWARD_OPTION_DATA,
    {"output", LS_FORWARD_OUTPUT, "FILE", 0, "out.h5 or out.csv", 0},
    {"split", LS_FORWARD_SPLIT, "train|valid|test", 0,
     "the rows to predict (default: test, or the only split that the file has)", 0},
    {"as", LS_FORWARD_AS, "classes|values", 0,
     "what the outputs stand for (default: by y of the data; where it has none, by the loss: "
     "values "
     "of squared-error, classes of the others)",
     0},
    LS_FORWARD_OPTION_JSON,
    LS_FORWARD_OPTION_FORCE,
    LS_THREADS_OPTION,
    {0}};

static error_t option(int key, char *argument, struct argp_state *state)
{
    const ls_forward_arguments *a = state->input;
    if (key == ARGP_KEY_SUCCESS && !a->output)
        argp_error(state, "name the output: -o out.h5 or -o out.csv");
    return ls_forward_option(key, argument, state);
}

const ls_usage ls_usage_predict = {
    .options = options,
    .option = option,
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

/* Outputs to probabilities, in place or not. */
static void softmax(const real *y, long width, real *p)
{
    double largest = (double)y[0], sum = 0;
    for (long j = 1; j < width; j++)
        largest = fmax(largest, (double)y[j]);
    for (long j = 0; j < width; j++)
        sum += exp((double)y[j] - largest);
    for (long j = 0; j < width; j++)
        p[j] = (real)(exp((double)y[j] - largest) / sum);
}

static void logistic(const real *y, long width, real *p)
{
    for (long j = 0; j < width; j++)
        p[j] = (real)(1 / (1 + exp(-(double)y[j])));
}

static void keep(const real *y, long width, real *p)
{
    memmove(p, y, (size_t)width * sizeof *p);
}

/* What a net's outputs mean to the loss that trained them. */
typedef struct meaning {
    const char *loss;
    const char *name; /* of the numbers beside a class */
    void (*of_classes)(const real *y, long width, real *p);
    void (*of_values)(const real *y, long width, real *p);
    bool values; /* what they are where the data has no y */
} meaning;

static const meaning meanings[] = {{"cross-entropy", "probability", softmax, keep, false},
                                   {"bce", "probability", logistic, logistic, false},
                                   {"hinge", "score", keep, keep, false},
                                   {"squared-error", "score", keep, keep, true},
                                   {NULL, "score", keep, keep, true}}; /* other objectives */

/* Of the last stage's objective: its loss, as its line says it. */
static const meaning *find_meaning(const ls_job *job)
{
    ls_spec spec;
    const char *loss = "";
    if (ls_spec_parse(job->stage[job->stages - 1].objective, &spec, NULL) &&
        strcmp(spec.type, "supervised") == 0)
        loss = "cross-entropy";
    for (int i = 0; loss[0] && i < spec.keys; i++)
        if (strcmp(spec.at[i].key, "loss") == 0)
            loss = spec.at[i].value;
    const meaning *found = meanings;
    while (found->loss && strcmp(found->loss, loss) != 0)
        found++;
    return found;
}

typedef struct work {
    const meaning *meaning;
    bool classes;
    long width, shown; /* outputs of the net, numbers written a row */
    double threshold;
    ls_rowfile *file; /* rank 0 */
} work;

/* One output is about class 1; what is left is class 0's. */
static void fill_row(const work *w, const real *y, real *numbers)
{
    bool pair = w->classes && w->width == 1 && w->shown == 2;
    (w->classes ? w->meaning->of_classes : w->meaning->of_values)(y, w->width, numbers + pair);
    if (pair)
        numbers[0] = 1 - numbers[1];
}

static bool take(void *context, long rows, const real *y, ls_error *error)
{
    const work *w = context;
    real *class = ls_alloc((size_t)rows, sizeof *class);
    real *numbers = ls_alloc((size_t)(rows * w->shown), sizeof *numbers);
    for (long r = 0; r < rows; r++) {
        class[r] = (real)ls_loss_predict(y + r * w->width, w->width, w->threshold);
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
    const ls_shape *y = &f->saved.session.net[0]->y;
    const ls_rowfile_array of_classes[] = {
        {"class", {.rank = 0}, true}, {w->meaning->name, {.rank = 1, .at = {w->shown}}, false}};
    const ls_rowfile_array of_values[] = {{"value", *y, false}};
    bool ok = ls_forward_begin(f, error) &&
              ls_rowfile_begin(f->file, w->classes ? of_classes : of_values, w->classes ? 2 : 1,
                               split->x.rows, error) &&
              ls_rowfile_text(f->file, "/", "split", split->name, error);
    w->file = f->file;
    return ok;
}

static work plan(const ls_forward *f, const ls_split *split)
{
    work w = {.meaning = find_meaning(f->saved.job)};
    const ls_loss_type *loss = w.meaning->loss ? ls_loss_find(w.meaning->loss, NULL) : NULL;
    bool labels = split->has_y && split->y.shape.rank == 0;
    w.threshold = loss ? loss->threshold : 0;
    w.classes = w.meaning->loss && (split->has_y ? labels : !w.meaning->values);
    if (f->arguments.as)
        w.classes = strcmp(f->arguments.as, "classes") == 0;
    w.width = ls_shape_count(&f->saved.session.net[0]->y);
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
    json_object_set_new(top, "output", ls_contents_text(output));
    json_object_set_new(top, "arrays", arrays);
    ls_forward_print_json(top);
}

static bool predict(ls_forward *f, ls_error *error)
{
    ls_split_id id;
    const ls_net *net = f->saved.session.net[0];
    const ls_split *split = ls_forward_split(f, true, &id, error);
    if (!split)
        return false;
    bool first = ls_comm_rank(f->comm) == 0;
    work w = plan(f, split);
    if (!ls_comm_agree(f->comm, !first || begin(f, &w, split, error), error) ||
        !ls_forward_rows(f, net, net->count - 1, id, take, &w, error) ||
        !ls_forward_finish(f, error))
        return false;
    if (first)
        print(f, &w, split);
    return true;
}

int ls_command_predict(int argc, char **argv)
{
    static const ls_forward_command command = {
        .usage = &ls_usage_predict, .csv = true, .run = predict};
    return ls_forward_main(&command, argc, argv);
}
