/* supervised: one net, a loss between its output and the target of each row, or of each step of it:
 * where a row has labels [steps], the net's output is [steps, classes], and all means are those
 * over the steps. */
#include <stddef.h>
#include <string.h>

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
            "supervised training needs targets: train/y is missing in the data set");
    if (self->vector && !self->loss->vectors)
        return ls_error_set(
            error, LS_USAGE,
            "the loss %s takes class labels (whole numbers), but a target of the data "
            "is %s of real numbers: %s",
            self->loss->name, ls_shape_text(&task->y, text, sizeof text),
            task->advice && task->advice[0] ? task->advice : "use squared-error or bce");
    if (self->vector && ls_shape_count(&task->y) != self->width)
        return ls_error_set(error, LS_USAGE,
                            "the net's output has %ld numbers, but a target of the data has %ld",
                            self->width, ls_shape_count(&task->y));
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

/* Finds the steps, and the width of their outputs. Data without labels do not tell whether each
 * step has one: then the net's output does. */
static bool find_steps(const ls_task *task, supervised *self, ls_error *error)
{
    const ls_shape *y = &self->net->y;
    const bool labelled = !self->vector && task->y.rank > 0;
    const bool unknown = !task->has_y && self->loss->softmax && y->rank == 2;
    char text[96];
    self->steps = labelled ? ls_shape_count(&task->y) : unknown ? y->at[0] : 1;
    self->width = labelled || unknown ? ls_shape_last(y) : ls_shape_count(y);
    return !labelled || (y->rank == 2 && y->at[0] == self->steps) ||
           ls_error_set(error, LS_USAGE,
                        "the data has a label for each of %ld steps, so the net must end in %ldxN "
                        "(`dense units=N each=1` over a sequence), but its output is %s",
                        self->steps, self->steps, ls_shape_text(y, text, sizeof text));
}

static bool setup(ls_objective *objective, ls_error *error)
{
    supervised *self = objective->self;
    const ls_net *net = self->net = ls_objective_net(objective, self->net_name, error);
    self->loss = net ? ls_loss_find(self->loss_name, error) : NULL;
    if (!self->loss)
        return false;
    self->vector = objective->task.classes == 0;
    if (!find_steps(&objective->task, self, error) || !ls_objective_takes(objective, net, error) ||
        !check_targets(&objective->task, self, error) || !check_loss(self, error))
        return false;
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
    return ls_net_flops(net, ls_net_all(net), &objective->phase[0].slots);
}

/* Loss and metrics of y; dy NULL: an evaluation, without label smoothing. */
static void measure(const supervised *self, const ls_batch *batch, const real *y, real *dy,
                    ls_sums *sums)
{
    const long rows = batch->rows * self->steps;
    const ls_loss_batch outputs = {.rows = rows,
                                   .width = self->width,
                                   .y = y,
                                   .target = batch->y,
                                   .vector = self->vector,
                                   .smoothing = dy ? self->smoothing : 0,
                                   .dy = dy};
    *sums = (ls_sums){.at[LS_SUM_WEIGHT] = (double)rows};
    sums->at[LS_SUM_LOSS] = ls_loss_sum(self->loss, &outputs, &sums->at[SUM_CORRECT]);
}

static void gradient(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums)
{
    supervised *self = objective->self;
    const real *y = ls_workspace_forward(self->training, pass, shard->x, shard->rows);
    measure(self, shard, y, ls_workspace_dy(self->training), sums);
    if (!pass->gradient)
        return;
    ls_objective_zero(objective, phase, pass->gradient);
    ls_workspace_backward(self->training, pass, ls_workspace_dy(self->training), NULL);
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    supervised *self = objective->self;
    const real *y = ls_workspace_forward(self->evaluation, pass, rows->x, rows->rows);
    if (sums)
        measure(self, rows, y, NULL, sums);
    return y;
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
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = gradient,
    .evaluate = evaluate,
    .destroy = destroy,
};
