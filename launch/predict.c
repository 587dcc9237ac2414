/* predict: class and probabilities, or values, of each row of a split, in their order; the same
 * bytes on any rank count. */
#include <math.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "launch/chunks.h"
#include "launch/command.h"
#include "launch/forward.h"
#include "launch/ranks.h"

enum { OPTION_DATA = 256, OPTION_SPLIT, OPTION_AS, OPTION_FORCE };

typedef struct arguments {
    char *from, *data, *output, *split, *as;
    bool force;
} arguments;

static const struct argp_option options[] = {
    {"data", OPTION_DATA, "FILE", 0, "a data set in place of the one that the job names", 0},
    {"output", 'o', "FILE", 0, "out.h5 or out.csv", 0},
    {"split", OPTION_SPLIT, "train|valid|test", 0,
     "the rows to predict (default: test, or the only split that the file has)", 0},
    {"as", OPTION_AS, "classes|values", 0,
     "what the outputs stand for (default: by y of the data; where it has none, by the loss: "
     "values "
     "of squared-error, classes of the others)",
     0},
    {"force", OPTION_FORCE, NULL, 0, "overwrite the output", 0},
    {0}};

static error_t option(int key, char *argument, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_DATA:
        a->data = argument;
        return 0;
    case 'o':
        a->output = argument;
        return 0;
    case OPTION_SPLIT:
        a->split = argument;
        if (ls_split_find(argument) == LS_SPLITS)
            argp_error(state, "--split=%s: write train, valid or test", argument);
        return 0;
    case OPTION_AS:
        a->as = argument;
        if (strcmp(argument, "classes") != 0 && strcmp(argument, "values") != 0)
            argp_error(state, "--as=%s: write classes or values", argument);
        return 0;
    case OPTION_FORCE:
        a->force = true;
        return 0;
    case ARGP_KEY_ARG:
        a->from = argument;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!a->output)
            argp_error(state, "name the output: -o out.h5 or -o out.csv");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const ls_usage ls_usage_predict = {
    .options = options,
    .option = option,
    .arguments = "RUN|CHECKPOINT",
    .about =
        "What a trained net makes of each row of a data set, alone or under mpirun: class [rows] "
        "and probability [rows, classes] (score where the loss knows no probabilities), or value "
        "[rows, ...]. The data needs no y. Of a run directory it takes best.h5, else the newest "
        "checkpoint.",
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
    ls_run *run;
    ls_rowfile *file;      /* rank 0 */
    real *class, *numbers; /* rank 0, of a chunk: [rows], [rows, shown] */
} work;

static void apply(void *context, const ls_batch *batch, long chunk, real *results)
{
    (void)chunk;
    work *w = context;
    const ls_pass pass = {.row = batch->first};
    const real *y = ls_run_forward(w->run, &pass, batch->x, batch->rows);
    memcpy(results, y, (size_t)(batch->rows * w->width) * sizeof *results);
}

/* One output is about class 1; what is left is class 0's. */
static void fill_row(const work *w, const real *y, real *numbers)
{
    bool pair = w->classes && w->width == 1 && w->shown == 2;
    (w->classes ? w->meaning->of_classes : w->meaning->of_values)(y, w->width, numbers + pair);
    if (pair)
        numbers[0] = 1 - numbers[1];
}

static bool take(void *context, long rows, const real *results, ls_error *error)
{
    work *w = context;
    for (long r = 0; r < rows; r++) {
        const real *y = results + r * w->width;
        w->class[r] = (real)ls_loss_predict(y, w->width, w->threshold);
        fill_row(w, y, w->numbers + r * w->shown);
    }
    const real *const of_classes[] = {w->class, w->numbers}, *const of_values[] = {w->numbers};
    return ls_rowfile_add(w->file, rows, w->classes ? of_classes : of_values, error);
}

/* Rank 0. */
static bool begin(ls_forward *f, const work *w, const arguments *a, const ls_split *split,
                  ls_error *error)
{
    const ls_shape *y = &f->saved.session.net[0]->y;
    const ls_rowfile_array of_classes[] = {
        {"class", {.rank = 0}, true}, {w->meaning->name, {.rank = 1, .at = {w->shown}}, false}};
    const ls_rowfile_array of_values[] = {{"value", *y, false}};
    f->file = ls_rowfile_open(a->output, error);
    return f->file &&
           ls_rowfile_begin(f->file, w->classes ? of_classes : of_values, w->classes ? 2 : 1,
                            split->x.rows, error) &&
           ls_forward_put_origin(f, error) &&
           ls_rowfile_text(f->file, "/", "split", split->name, error);
}

/* The split asked for; else test, or the only one. */
static const ls_split *choose_split(const ls_dataset *data, const arguments *a, ls_split_id *id,
                                    ls_error *error)
{
    int present = 0;
    char names[64] = "";
    *id = LS_TEST;
    for (int i = 0; i < LS_SPLITS; i++) {
        const ls_split *split = ls_dataset_split(data, (ls_split_id)i);
        if (!split->present)
            continue;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", present ? ", " : "",
                 split->name);
        *id = present++ == 0 ? (ls_split_id)i : LS_TEST;
    }
    if (a->split)
        *id = ls_split_find(a->split);
    const ls_split *split = ls_dataset_split(data, *id);
    if (split->present)
        return split;
    ls_error_set(error, LS_DATA, "%s has no rows to %s; it has %s: name one with --split",
                 ls_dataset_path(data), split->name, names);
    return NULL;
}

static work plan(const ls_forward *f, const arguments *a, const ls_split *split)
{
    work w = {.meaning = find_meaning(f->saved.job)};
    const ls_loss_type *loss = w.meaning->loss ? ls_loss_find(w.meaning->loss) : NULL;
    bool labels = split->has_y && split->y.shape.rank == 0;
    w.threshold = loss ? loss->threshold : 0;
    w.classes = w.meaning->loss && (split->has_y ? labels : !w.meaning->values);
    if (a->as)
        w.classes = strcmp(a->as, "classes") == 0;
    w.width = ls_shape_count(&f->saved.session.net[0]->y);
    bool pair = w.classes && w.width == 1 && strcmp(w.meaning->name, "probability") == 0;
    w.shown = pair ? 2 : w.width;
    return w;
}

/* **Collective.** */
static bool run(ls_forward *f, work *w, ls_split_id split, ls_error *error)
{
    const ls_net *net = f->saved.session.net[0];
    const ls_chunks chunks = {.data = f->saved.session.data,
                              .split = split,
                              .size = ls_forward_chunk(net, false),
                              .context = w,
                              .apply = apply,
                              .width = w->width,
                              .take = take};
    w->run = ls_run_create(net, chunks.size, false);
    w->file = f->file;
    w->class = ls_alloc((size_t)chunks.size, sizeof(real));
    w->numbers = ls_alloc((size_t)(chunks.size * w->shown), sizeof(real));
    bool ok = ls_chunks_run(&chunks, f->comm, error);
    ls_free(w->numbers);
    ls_free(w->class);
    ls_run_destroy(w->run);
    return ok;
}

/* **Collective.** */
static bool predict(ls_forward *f, ls_comm *comm, const arguments *a, ls_error *error)
{
    ls_split_id id = LS_TEST;
    bool first = ls_comm_rank(comm) == 0;
    bool allowed = !first || ls_rowfile_allowed(a->output, true, a->force, error);
    *f = (ls_forward){.comm = comm};
    if (!ls_comm_agree(comm, allowed, error) || !ls_forward_open(f, comm, a->from, a->data, error))
        return false;
    const ls_split *split = choose_split(f->saved.session.data, a, &id, error);
    if (!split)
        return false;
    work w = plan(f, a, split);
    if (!ls_comm_agree(comm, !first || begin(f, &w, a, split, error), error) ||
        !run(f, &w, id, error))
        return false;
    if (first)
        printf("%s (step %ld) on %s of %s\n%s: %ld rows, %s %s\n", f->saved.path, f->saved.step,
               split->name, f->saved.job->data, a->output, split->x.rows,
               w.classes ? "class and" : "row and", w.classes ? w.meaning->name : "value");
    return true;
}

int ls_command_predict(int argc, char **argv)
{
    arguments a = {0};
    ls_error error = {0};
    ls_forward forward;
    ls_command_parse(&ls_usage_predict, argc, argv, &a);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    bool first = ls_comm_rank(comm) == 0, ok = predict(&forward, comm, &a, &error);
    ok = ls_forward_close(&forward, ok, &error);
    int code = ok ? 0 : ls_fail(first, &error);
    ls_comm_close(comm);
    return code;
}
