/* supervised: one net, a loss between its output and the target of each row, or of each step of it:
 * where a row has labels [steps], the net's output is [steps, classes], and all means are those
 * over the steps; of rows of unequal length, over the steps that count. Vector targets are of
 * steps if their first dimension is that of x and the net keeps the steps.
 *
 * Where rows are windows of a stream of tokens, the labels are the tokens that come next, so no
 * line may look ahead; and the loss is also shown as bits a token, loss / ln 2, and as perplexity,
 * exp(loss), of evaluations only where training has smoothed labels. If lines of the
 * net carry their state (carry=1), each row of a batch is a stream of its own, of which every step
 * takes the next window: back-propagation through time, truncated at the border of a window. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/objective.h"

enum { SUM_CORRECT = LS_SUM_LOSS + 1 };

typedef struct supervised {
    char net_name[LS_WORD], loss_name[LS_WORD];
    const ls_net *net;
    double smoothing;
    const ls_loss_type *loss;
    ls_workspace *training, *evaluation;
    bool vector; /* targets are vectors, not labels */
    bool each;   /* the steps of a row have an output and a target each */
    long steps;  /* of a row that have an output and a label each; 1: the row itself has them */
    long width;  /* of the net's output for one of them */
} supervised;

static const ls_option options[] = {
    {"loss", LS_OPTION_WORD, offsetof(supervised, loss_name), "cross-entropy", 0, 0, NULL,
     "see `lockstep list losses`"},
    {"smoothing", LS_OPTION_REAL, offsetof(supervised, smoothing), "0", 0, 1, NULL,
     "of labels, for cross-entropy: this share of the goal is spread evenly over all classes; in "
     "training only: evaluation gives the plain loss"},
    {"net", LS_OPTION_WORD, offsetof(supervised, net_name), "net", 0, 0, NULL,
     "the net that learns, of a model that has several"},
    {0}};

static bool check_targets(const ls_task *task, const supervised *self, ls_error *error)
{
    char text[96];
    if (task->inference)
        return true;
    if (!task->has_y)
        return ls_error_set(
            error, LS_DATA,
            "supervised training needs targets: train/y is missing in the data set%s",
            strcmp(self->net_name, "classifier") == 0
                ? " (classes=0 of the model autoencoder leaves this stage and its net out)"
                : "");
    if (self->vector && !self->loss->vectors)
        return ls_error_set(
            error, LS_USAGE,
            "the loss %s takes class labels (whole numbers), but a target of the data "
            "is %s of real numbers: %s",
            self->loss->name, ls_shape_text(&task->y, text, sizeof text),
            task->advice && task->advice[0] ? task->advice : "use squared-error or bce");
    const long numbers = ls_shape_count(&task->y) / (self->vector ? self->steps : 1);
    if (self->vector && numbers != self->width)
        return ls_error_set(error, LS_USAGE,
                            "the net's output has %ld numbers, but a target of the data has %ld",
                            self->width, numbers);
    const ls_shape *y = &self->net->y;
    if (self->vector && !self->each && y->rank > 1 && task->y.rank > 1 &&
        !ls_shape_fits(y, &task->y)) {
        char output[96];
        return ls_error_set(error, LS_USAGE,
                            "the net's output is %s, but a target of the data is %s (import h5 "
                            "--channels-first turns pictures whose channels come first)",
                            ls_shape_text(y, output, sizeof output),
                            ls_shape_text(&task->y, text, sizeof text));
    }
    long most = self->width == 1 ? 2 : self->width;
    if (!self->vector && task->classes > most)
        return ls_error_set(error, LS_USAGE,
                            "the net's output has %ld values, but the data has %ld classes",
                            self->width, task->classes);
    return true;
}

/* The loss takes this smoothing and a net of this many outputs. */
static bool check_loss(const supervised *self, ls_error *error)
{
    if (self->smoothing > 0 && !self->loss->smooths)
        return ls_error_set(error, LS_USAGE,
                            "smoothing=%g: the loss %s takes no label smoothing; leave it out, or "
                            "take loss=cross-entropy",
                            self->smoothing, self->loss->name);
    return self->width > 1 || !self->loss->softmax ||
           ls_error_set(error, LS_USAGE,
                        "the loss %s compares the outputs of several classes, but the net has a "
                        "single output, of which it would always be certain: give the net an "
                        "output for each class (two for yes or no), or take loss=bce",
                        self->loss->name);
}

/* What is wrong with a line, of whose input and output so many steps count where all of x do; 0: it
 * has no time axis. */
typedef bool fault(const ls_layer *layer, long in, long out);

/* It takes sequences for images. */
static bool is_ignoring(const ls_layer *layer, long in, long out)
{
    return in > 0 && layer->type->time.ignored;
}

/* A later line may know at a step what x holds at later ones. */
static bool is_ahead(const ls_layer *layer, long in, long out)
{
    return out == 0 || ls_layer_looks_ahead(layer);
}

/* The first line with this fault; NULL: none. *last: the steps of the net's output. */
static const ls_layer *find_line(const ls_net *net, fault *fault, long *last)
{
    const int32_t length = (int32_t)net->x.at[0];
    const ls_layer *found = NULL;
    int32_t *steps = ls_alloc((size_t)net->count, sizeof *steps);
    ls_net_steps(net, net->count, 1, &length, steps);
    for (int i = 0; fault && i < net->count && !found; i++) {
        const int from = net->layers[i]->input[0];
        const long in = from >= 0 ? steps[from] : net->own_input ? 0 : length;
        found = fault(net->layers[i], in, steps[i]) ? net->layers[i] : NULL;
    }
    *last = steps[net->count - 1];
    ls_free(steps);
    return found;
}

/* Whether each step of a row has an output of the net. */
static bool keeps_steps(const ls_net *net)
{
    long last;
    find_line(net, NULL, &last);
    return net->y.rank == 2 && last == net->x.at[0];
}

/* One label a row is for one output. */
static bool check_label(const ls_task *task, const supervised *self, ls_error *error)
{
    const bool single = task->has_y && !self->vector && task->y.rank == 0;
    char text[96];
    return !single || task->x.at[0] == 1 || !keeps_steps(self->net) ||
           ls_error_set(error, LS_USAGE,
                        "the output of the net %s is %s: each step of a row has one, but y has one "
                        "label a row: give the last recurrent line last=1, or put `timepool` "
                        "before the output (in a tdnn model pool=sum)",
                        self->net->name, ls_shape_text(&self->net->y, text, sizeof text));
}

/* Finds the steps, and the width of their outputs. Data without labels do not tell whether each
 * step has one: then the net's output does. */
static bool find_steps(const ls_task *task, supervised *self, ls_error *error)
{
    const ls_shape *y = &self->net->y;
    const bool as_x = task->y.rank > 0 && task->y.at[0] == task->x.at[0];
    const bool labelled =
        !self->vector ? task->y.rank > 0 : as_x && (task->lengths || keeps_steps(self->net));
    const bool unknown =
        !task->has_y && y->rank == 2 && (self->loss->softmax || keeps_steps(self->net));
    char text[96];
    self->steps = !labelled      ? (unknown ? y->at[0] : 1)
                  : self->vector ? task->y.at[0]
                                 : ls_shape_count(&task->y);
    self->each = labelled || unknown;
    self->width = self->each ? ls_shape_last(y) : ls_shape_count(y);
    return !labelled || (y->rank == 2 && y->at[0] == self->steps) ||
           ls_error_set(error, LS_USAGE,
                        "the data has a target for each of %ld steps, so the net must end in %ldxN "
                        "(`dense units=N each=1` over a sequence), but its output is %s",
                        self->steps, self->steps, ls_shape_text(y, text, sizeof text));
}

/* Where rows have lengths, the output has as many steps as x, and no line takes them for images. */
static bool check_time(const ls_task *task, const supervised *self, ls_error *error)
{
    const ls_net *net = self->net;
    if (task->lengths && self->each && self->steps != task->x.at[0])
        return ls_error_set(error, LS_USAGE,
                            "the output of the net %s has %ld steps, but rows have %ld, of which "
                            "`length` says how many count: both must have as many (tdnn keeps "
                            "them with pad=)",
                            net->name, self->steps, task->x.at[0]);
    long last;
    const ls_layer *layer = task->lengths ? find_line(net, is_ignoring, &last) : NULL;
    return !layer ||
           ls_error_set(error, LS_USAGE,
                        "%s/%s: %s is for images, and would take what stands behind the ends of "
                        "rows for part of them, but the data has `length`, the steps of each row: "
                        "tdnn and timepool go over steps",
                        net->name, layer->name, layer->type->name);
}

/* In a stream the label of a step is the token of the next: a line that looks ahead would copy it.
 */
static bool check_stream(const ls_task *task, const supervised *self, ls_error *error)
{
    const ls_net *net = self->net;
    long last;
    const ls_layer *layer = task->streams ? find_line(net, is_ahead, &last) : NULL;
    if (layer && net->own_input)
        return ls_error_set(error, LS_USAGE,
                            "the net %s has a line `input`, but what it gets are the steps of a "
                            "stream (unroll:): leave that line out",
                            net->name);
    return !layer ||
           ls_error_set(error, LS_USAGE,
                        "%s/%s: by %s the output of a step may know of later tokens, but the next "
                        "token is what a step of a stream (unroll:) shall predict: take lines that "
                        "treat each step alone (dense each=1), or rnn, gru and lstm lines without "
                        "reverse=1 and last=1",
                        net->name, layer->name, layer->type->name);
}

/* A net that carries states goes through streams row after row. */
static void find_streams(ls_objective *objective, const supervised *self)
{
    const long streams = objective->task.streams, reals = ls_net_carried(self->net);
    if (streams > 0 && reals > 0)
        objective->row_states = (ls_row_states){1, {{"streams", streams, reals, true}}};
}

static double bits_of(double loss)
{
    return loss / log(2);
}

/* What is said of tokens; returns the number of the metric that judges. */
static int add_text_metrics(ls_objective *objective)
{
    const supervised *self = objective->self;
    ls_metric *const at = &objective->metric[objective->metrics];
    at[0] = (ls_metric){.name = "bits", .sum = LS_SUM_LOSS, .lower = true, .of = bits_of};
    at[1] = (ls_metric){.name = "perplexity", .sum = LS_SUM_LOSS, .lower = true, .of = exp};
    at[0].evaluated = at[1].evaluated = self->smoothing > 0;
    objective->metrics += 2;
    return objective->metrics - 2;
}

static bool setup(ls_objective *objective, ls_error *error)
{
    supervised *self = objective->self;
    const ls_net *net = self->net = ls_objective_net(objective, self->net_name, error);
    self->loss = net ? ls_loss_find(self->loss_name, error) : NULL;
    if (!self->loss)
        return false;
    self->vector = objective->task.classes == 0;
    const ls_task *task = &objective->task;
    if (!check_label(task, self, error) || !find_steps(task, self, error) ||
        !check_time(task, self, error) || !ls_objective_takes(objective, net, error) ||
        !check_targets(task, self, error) || !check_loss(self, error) ||
        !check_stream(task, self, error))
        return false;
    find_streams(objective, self);
    objective->takes_y = true;
    objective->output = net->y;
    objective->outputs.logits = self->loss->logits ? net : NULL;
    objective->meaning = &self->loss->meaning;
    objective->outputs.steps = self->steps > 1 ? self->steps : 0;
    objective->classes = self->vector ? 0 : ls_max(2, self->width);
    objective->y_rule = self->vector ? self->loss->rule : NULL;
    objective->phases = 1;
    objective->phase[0] = (ls_phase){.name = net->name, .times = 1, .fresh_batch = true};
    ls_net_add_slots(net, ls_net_all(net), &objective->phase[0].slots);
    objective->metric[0] = (ls_metric){.name = "loss", .sum = LS_SUM_LOSS, .lower = true};
    objective->metric[1] = (ls_metric){.name = "accuracy", .sum = SUM_CORRECT};
    objective->metrics = self->vector ? 1 : 2;
    objective->judged = objective->metrics - 1;
    if (objective->task.streams && self->loss->softmax)
        objective->judged = add_text_metrics(objective);
    return true;
}

static void compile(ls_objective *objective, long shard_rows, long chunk_rows)
{
    supervised *self = objective->self;
    if (shard_rows) {
        self->training = ls_workspace_create(self->net, shard_rows, LS_TRAINING);
        ls_objective_view_run(objective, self->net->name, self->training);
    }
    if (chunk_rows)
        self->evaluation = ls_workspace_create(self->net, chunk_rows, LS_INFERENCE);
}

static size_t bytes(const ls_objective *objective, long shard_rows, long chunk_rows)
{
    const ls_net *net = ((const supervised *)objective->self)->net;
    return (shard_rows ? ls_workspace_bytes(net, shard_rows, LS_TRAINING) : 0) +
           (chunk_rows ? ls_workspace_bytes(net, chunk_rows, LS_INFERENCE) : 0);
}

static double flops(const ls_objective *objective)
{
    const ls_net *net = ((const supervised *)objective->self)->net;
    return ls_net_flops(net, ls_net_all(net), &objective->phase[0].slots, false);
}

/* The labels among `count` targets: the steps, or rows, over which the means are. */
static long count_labels(const supervised *self, const real *target, long count)
{
    long labels = count;
    for (long i = 0; !self->vector && i < count; i++)
        labels -= target[i] < 0;
    return labels;
}

/* Adds loss and metrics of `count` steps, or rows, from `first` on. */
static void measure_part(const supervised *self, const ls_batch *batch, long first, long count,
                         const real *y, real *dy, ls_sums *sums)
{
    double correct;
    const long target = self->vector ? self->width : 1;
    const ls_loss_batch outputs = {.rows = count,
                                   .width = self->width,
                                   .y = y + first * self->width,
                                   .target = batch->y + first * target,
                                   .vector = self->vector,
                                   .smoothing = dy ? self->smoothing : 0,
                                   .dy = dy ? dy + first * self->width : NULL};
    sums->at[LS_SUM_WEIGHT] += (double)count_labels(self, outputs.target, count);
    sums->at[LS_SUM_LOSS] += ls_loss_sum(self->loss, &outputs, &correct);
    sums->at[SUM_CORRECT] += correct;
}

/* Loss and metrics of y; dy NULL: an evaluation, without label smoothing. */
static void measure(const supervised *self, const ls_batch *batch, const real *y, real *dy,
                    ls_sums *sums)
{
    const bool unequal = batch->length && self->each;
    *sums = (ls_sums){.at[LS_SUM_WEIGHT] = 0};
    if (!unequal)
        measure_part(self, batch, 0, batch->rows * self->steps, y, dy, sums);
    else if (dy) /* behind the ends it stays 0 */
        memset(dy, 0, (size_t)(batch->rows * self->steps * self->width) * sizeof *dy);
    for (long i = 0; unequal && i < batch->rows; i++)
        measure_part(self, batch, i * self->steps, batch->length[i], y, dy, sums);
}

/* The pass, with what its rows carry, and their lengths. Windows of a stream get none: as no line
 * looks ahead, what stands behind the end of the last, short one reaches no step before it. */
static ls_pass with_rows(const ls_objective *objective, const ls_pass *pass, const ls_batch *rows)
{
    ls_pass own = *pass;
    own.length = objective->task.lengths ? rows->length : NULL;
    own.all_length = objective->task.lengths ? rows->all_length : NULL;
    own.stream = ls_objective_streams(objective) && pass->carried ? &pass->carried[0] : NULL;
    return own;
}

static void gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    supervised *self = objective->self;
    const ls_pass own = with_rows(objective, pass, shard);
    const real *y = ls_workspace_forward(self->training, &own, shard->x, shard->rows);
    measure(self, shard, y, ls_workspace_dy(self->training), sums);
    if (!pass->gradient)
        return;
    ls_objective_zero(objective, phase, pass->gradient);
    ls_workspace_backward(self->training, &own, ls_workspace_dy(self->training), NULL);
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    supervised *self = objective->self;
    const ls_pass own = with_rows(objective, pass, rows);
    const real *y = ls_workspace_forward(self->evaluation, &own, rows->x, rows->rows);
    if (sums)
        measure(self, rows, y, NULL, sums);
    return y;
}

/* A stream begins from 0. */
static void begin_rows(ls_objective *objective, int state, uint64_t seed, long first, long n,
                       real *data)
{
    memset(data, 0, (size_t)(n * objective->row_states.at[state].reals) * sizeof *data);
}

static void destroy(ls_objective *objective)
{
    supervised *self = objective->self;
    ls_workspace_destroy(self->training);
    ls_workspace_destroy(self->evaluation);
}

const ls_objective_type ls_objective_supervised = {
    .name = "supervised",
    .help = "a loss between the net's output and each row's label or target vector",
    .size = sizeof(supervised),
    .options = options,
    .lengths = true,
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = gradient,
    .evaluate = evaluate,
    .begin_rows = begin_rows,
    .destroy = destroy,
};
