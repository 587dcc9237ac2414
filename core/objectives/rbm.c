/* rbm: trains a dense line with visible=1 as a restricted Boltzmann machine (boltzmann.h), by
 * contrastive divergence (Hinton 2002) or with persistent chains (Tieleman 2008).
 *
 * ln p(v) = -F(v) - ln Z, and the derivative of ln Z is minus the mean of F's over the model. Here
 * it is the mean over samples of chains of Gibbs sampling, which take k steps in each step of
 * training: from the rows of the batch (CD-k), or from where the last step left them. So for a row
 *
 *     loss = F(v) - F(v_k)              v_k: a sample of a chain, a constant
 *
 * whose derivatives are those that Hinton's guide gives: of W -(h v - h_k v_k), with the means h of
 * hidden units for both; samples stand in the chain alone. The loss itself is no measure of
 * progress, and so no metric. With C persistent chains the second term is their mean.
 *
 * Lines below the machine's are applied as they are in evaluation, and do not learn: the machine of
 * a second hidden layer sees the means of the first (Hinton, Osindero, Teh 2006). */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/layers/activation.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/objectives/rbm_generate.h"
#include "core/objectives/rbm_learn.h"
#include "core/objectives/rbm_likelihood.h"
#include "core/pixels.h"

#define FIRST "first"

static const char *const visible_names[] = {"bernoulli", "gaussian", NULL};
static const char *const hidden_names[] = {"bernoulli", "nrelu", NULL};

static const ls_option options[] = {
    {"net", LS_OPTION_WORD, offsetof(ls_rbm, net_name), "net", 0, 0, NULL,
     "the net that the machine is a line of"},
    {"layer", LS_OPTION_WORD, offsetof(ls_rbm, layer_name), FIRST, 0, 0, NULL,
     "the machine: the name of a dense line with visible=1; " FIRST ": the first there is"},
    {"units", LS_OPTION_CHOICE, offsetof(ls_rbm, visible_units), "bernoulli", 0, 0, visible_names,
     "visible units: 0 or 1 (numbers from 0 to 1 count as probabilities), or normal with variance "
     "1, for data of mean 0 and deviation 1"},
    {"lowest", LS_OPTION_CHOICE, offsetof(ls_rbm, lowest_units), "bernoulli", 0, 0, visible_names,
     "of a machine above others: the visible units of the lowest, by which `generate` makes rows: "
     "all lines below must be machines with an activation function=logistic each"},
    {"hidden", LS_OPTION_CHOICE, offsetof(ls_rbm, hidden_units), "bernoulli", 0, 0, hidden_names,
     "hidden units: 0 or 1, or rectified and noisy (Nair and Hinton 2010)"},
    {"k", LS_OPTION_INT, offsetof(ls_rbm, k), "1", 1, 255, NULL,
     "steps of Gibbs sampling in a step of training; may change on resume"},
    {"chains", LS_OPTION_INT, offsetof(ls_rbm, chains), "0", 0, 1e6, NULL,
     "persistent chains; 0: the chains begin at the rows of each batch (contrastive divergence); "
     "may change on resume"},
    {"binarize", LS_OPTION_BOOL, offsetof(ls_rbm, binarize), "0", 0, 1, NULL,
     "1: each number of a row is drawn, 1 with its value as the probability, else 0; anew at each "
     "step, by seed and row in evaluation"},
    {"sparsity", LS_OPTION_REAL, offsetof(ls_rbm, sparsity), "0.1", 0, 1, NULL,
     "the mean that hidden units should have, where sparsity_cost is above 0"},
    {"sparsity_cost", LS_OPTION_REAL, offsetof(ls_rbm, sparsity_cost), "0", 0, 1e6, NULL,
     "weight in the loss of the cross-entropy between that mean and each unit's, in each row"},
    {0}};

static const char *const adjustable[] = {"k", "chains", NULL};

static bool is_gaussian(const ls_rbm *self)
{
    return ls_rbm_visible_units(self) == LS_BOLTZMANN_GAUSSIAN;
}

static bool check_options(const ls_rbm *self, ls_error *error)
{
    if (is_gaussian(self) && self->binarize)
        return ls_error_set(error, LS_USAGE,
                            "binarize=1 makes numbers of 0 and 1, which units=gaussian is not for: "
                            "take units=bernoulli");
    if (self->layer == 0 && ls_rbm_lowest_units(self) == LS_BOLTZMANN_GAUSSIAN)
        return ls_error_set(error, LS_USAGE,
                            "lowest=gaussian is for a machine above others, and layer=%s is the "
                            "lowest itself: take units=gaussian",
                            self->net->layers[0]->name);
    return self->sparsity_cost == 0 || ls_rbm_hidden_units(self) == LS_BOLTZMANN_BERNOULLI ||
           ls_error_set(error, LS_USAGE,
                        "sparsity_cost=%g asks for a mean of units that are 0 or 1, which those of "
                        "hidden=nrelu are not: leave it out",
                        self->sparsity_cost);
}

/* The line that layer= names, or the first machine of the net. */
static bool find_line(ls_rbm *self, ls_error *error)
{
    const ls_net *net = self->net;
    const int named = ls_net_find(net, self->layer_name);
    char known[LS_WORD * 8] = "";
    self->layer = named;
    for (int i = net->count - 1; i >= 0; i--) {
        if (!ls_boltzmann_check(net->layers[i], NULL))
            continue;
        ls_format_join(known, sizeof known, net->layers[i]->name);
        self->layer = named < 0 && strcmp(self->layer_name, FIRST) == 0 ? i : self->layer;
    }
    if (self->layer >= 0)
        return ls_boltzmann_check(net->layers[self->layer], error);
    return ls_error_set(error, LS_USAGE, "layer=%s: the net %s has %s%s%s", self->layer_name,
                        net->name,
                        *known ? "no such line; restricted Boltzmann machines are: "
                               : "no line that is a restricted Boltzmann machine: `dense units=N "
                                 "visible=1`",
                        known, "");
}

/* The machine reads the line before it, and no line before reads above that. */
static bool check_below(const ls_rbm *self, ls_error *error)
{
    const ls_layer *line = self->net->layers[self->layer];
    return line->input[0] == self->layer - 1 ||
           ls_error_set(error, LS_USAGE,
                        "layer=%s: it does not read the line before it, so what it reads cannot be "
                        "computed by the lines below alone; let it stand after that",
                        line->name);
}

/* An activation after the machine must be that of its hidden units: by it the machine above, and
 * whoever takes its features, see their means. */
static bool check_above(const ls_rbm *self, ls_error *error)
{
    const ls_layer *line = self->net->layers[self->layer];
    const bool rectified = ls_rbm_hidden_units(self) == LS_BOLTZMANN_RECTIFIED;
    const char *wanted = rectified ? "relu" : "logistic";
    const ls_layer *next =
        self->layer + 1 < self->net->count ? self->net->layers[self->layer + 1] : NULL;
    const ls_activation *function =
        next && next->input[0] == self->layer ? ls_activation_of(next) : NULL;
    return !function || strcmp(function->name, wanted) == 0 ||
           (rectified && strcmp(function->name, "softplus") == 0) ||
           ls_error_set(error, LS_USAGE,
                        "layer=%s: hidden=%s is of units with function=%s, but the line after it, "
                        "%s, has function=%s: let that be %s, or take other units",
                        line->name, hidden_names[self->hidden_units], wanted, next->name,
                        function->name, wanted);
}

/* Bernoulli units above other lines need what rows of the data are checked for. */
static bool check_range(const ls_rbm *self, ls_error *error)
{
    double low, high;
    if (self->layer == 0 || is_gaussian(self))
        return true;
    ls_net_range(self->net, self->layer - 1, &low, &high);
    return (low >= 0 && high <= 1) ||
           ls_error_set(error, LS_USAGE,
                        "layer=%s: units=bernoulli is of numbers from 0 to 1, but those that %s "
                        "gives it can be others: let that be `activation function=logistic`, or "
                        "take units=gaussian",
                        self->net->layers[self->layer]->name,
                        self->net->layers[self->layer - 1]->name);
}

static bool is_finite(double number)
{
    return isfinite(number);
}

static const ls_target_rule normal_rule = {.takes = is_finite,
                                           .words =
                                               "units=gaussian is of visible units with variance 1",
                                           .standard = true};

static int add_metric(ls_objective *objective, ls_metric metric)
{
    objective->metric[objective->metrics] = metric;
    return objective->metrics++;
}

/* The reconstruction is that of the chain's first step in training, from samples of the hidden
 * units, which is there anyway; evaluation has it from their means. Persistent chains make none. */
static void list_metrics(ls_objective *objective)
{
    ls_rbm *self = objective->self;
    const bool persistent = self->chains > 0;
    const ls_metric rebuilt = {.name = "reconstruction",
                               .sum = LS_RBM_RECONSTRUCTION,
                               .lower = true,
                               .evaluated = persistent};
    if (!persistent)
        objective->judged = add_metric(objective, rebuilt);
    add_metric(objective, (ls_metric){.name = "energy", .sum = LS_RBM_ENERGY, .lower = true});
    self->activity = add_metric(objective, (ls_metric){.name = "activity", .sum = LS_RBM_ACTIVITY});
    if (persistent)
        objective->judged = add_metric(objective, rebuilt);
    add_metric(
        objective,
        (ls_metric){
            .name = "gap", .sum = LS_RBM_ENERGY, .lower = true, .evaluated = true, .gap = true});
    if (!is_gaussian(self))
        objective->judged = add_metric(
            objective,
            (ls_metric){.name = "pseudo_likelihood", .sum = LS_RBM_PSEUDO, .evaluated = true});
}

/* Whether its samples can become rows of the data, by the machines below. */
static bool leads_down(const ls_rbm *self)
{
    return self->layer > 0 && !is_gaussian(self) && ls_descent_leads_down(self->net, self->layer);
}

/* What evaluation returns: the machine's rows as rebuilt. */
static void set_outputs(ls_objective *objective)
{
    const ls_rbm *self = objective->self;
    const bool lowest = self->layer == 0;
    const char *loss = is_gaussian(self) ? "squared-error" : "bce";
    ls_error error;
    objective->output = lowest ? objective->task.x : (ls_shape){1, {self->visible}};
    objective->meaning = &ls_loss_find(loss, &error)->meaning;
    objective->outputs.rebuilds = lowest;
    objective->outputs.units = !lowest;
    if (lowest || leads_down(self))
        objective->generates = LS_GENERATE_PRIOR | LS_GENERATE_CHAINS;
    objective->x_rule = lowest && is_gaussian(self) ? &normal_rule
                        : lowest || self->binarize  ? &ls_pixels_rule
                                                    : NULL;
}

static bool setup(ls_objective *objective, ls_error *error)
{
    ls_rbm *self = objective->self;
    self->net = ls_objective_net(objective, self->net_name, error);
    if (!self->net || !ls_objective_takes(objective, self->net, error) || !find_line(self, error) ||
        !check_options(self, error) || !check_below(self, error) || !check_range(self, error) ||
        !check_above(self, error))
        return false;
    const ls_layer *line = self->net->layers[self->layer];
    self->visible = ls_shape_count(&line->x[0]);
    self->hidden = ls_shape_count(&line->y);
    objective->phases = 1;
    objective->phase[0] = (ls_phase){.name = "rbm", .times = 1, .fresh_batch = true};
    for (int k = 0; k <= LS_BOLTZMANN_VISIBLE; k++)
        ls_slots_add(&objective->phase[0].slots, line->slot[k], line->slot[k] + 1);
    objective->row_states.count = 1;
    objective->row_states.at[0] =
        (ls_row_state){.name = "chains", .rows = self->chains, .reals = self->visible};
    list_metrics(objective);
    set_outputs(objective);
    return true;
}

/* Rows that the arrays must have for a shard: its own, and a piece of the chains. */
static long training_rows(const ls_rbm *self, long shard_rows)
{
    return shard_rows ? ls_max(shard_rows, ls_min(self->chains, LS_RBM_PIECE)) : 0;
}

static void compile(ls_objective *objective, long shard_rows, long chunk_rows)
{
    ls_rbm *self = objective->self;
    const ls_rbm_rows *t = &self->training;
    if (chunk_rows)
        self->evaluation = ls_rbm_rows_create(self, chunk_rows);
    if (chunk_rows && leads_down(self))
        self->down =
            ls_descent_create(self->net, self->layer, ls_rbm_lowest_units(self), chunk_rows);
    if (!shard_rows)
        return;
    self->training = ls_rbm_rows_create(self, training_rows(self, shard_rows));
    if (t->below)
        ls_objective_view_run(objective, "below", t->below);
    ls_objective_view_run(objective, self->net->name, t->machine.run);
    const ls_shape *row = &self->net->layers[self->layer]->x[0];
    ls_objective_view_numbers(objective, "visible", t->visible, row);
    if (self->chains == 0) /* begins where a shard of shard_rows rows keeps its chains */
        ls_objective_view_numbers(objective, "chain", t->visible + shard_rows * self->visible, row);
}

static size_t bytes(const ls_objective *objective, long shard_rows, long chunk_rows)
{
    const ls_rbm *self = objective->self;
    return ls_rbm_rows_bytes(self, training_rows(self, shard_rows)) +
           ls_rbm_rows_bytes(self, chunk_rows) +
           (chunk_rows && leads_down(self) ? ls_descent_bytes(self->net, self->layer, chunk_rows)
                                           : 0);
}

/* The data up, its gradient, and as much for the ends of chains; down and up in each step of them.
 * Persistent chains, counted as if they were as many as rows, go up once more. */
static double flops(const ls_objective *objective)
{
    const ls_rbm *self = objective->self;
    const double products = (double)(2 * self->k + 3 + (self->chains > 0));
    return ls_net_flops(self->net, (ls_interval){0, self->layer}, NULL, false) +
           products * self->net->layers[self->layer]->flops;
}

static void begin_rows(ls_objective *objective, int state, uint64_t seed, long first, long n,
                       real *data)
{
    ls_rbm_begin(objective->self, ls_random_stream(seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_CHAINS),
                 first, n, data);
}

/* The logarithm of the logistic function. */
static double log_logistic(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

/* The sum over rows of n (v_i ln p + (1 - v_i) ln(1 - p)): p = s(F(v, v_i = 0) - F(v, v_i = 1)) is
 * the probability that one of its n units, which is drawn by seed and row, is 1 beside the others.
 * On average it is the logarithm of the pseudo-likelihood (Besag 1975), the product of the
 * probabilities of each unit by all the others; v_i between 0 and 1 count as probabilities. */
static double pseudo_likelihood(const ls_rbm *self, const ls_batch *batch, const ls_pass *pass,
                                const real *v, const real *inputs)
{
    const ls_rbm_rows *e = &self->evaluation;
    const ls_random stream = ls_random_stream(pass->seed, LS_RANDOM_NOISE, 0, 0, LS_STREAM_FLIPPED);
    double sum = 0;
    for (long r = 0; r < batch->rows; r++) {
        const long row = batch->row ? (long)batch->row[r] : pass->row + r;
        const real *own = v + r * self->visible;
        uint32_t bits;
        ls_random_bits(stream, (uint64_t)row, &bits, 1);
        const long i = (long)((uint64_t)bits * (uint64_t)self->visible >> 32);
        double change[2]; /* of F, where the unit becomes 0 and 1 */
        for (int k = 0; k < 2; k++)
            change[k] =
                ls_boltzmann_change(&e->machine, own, inputs + r * self->hidden, i, k, e->hidden);
        sum += (double)self->visible * (own[i] * log_logistic(change[0] - change[1]) +
                                        (1 - own[i]) * log_logistic(change[1] - change[0]));
    }
    return sum;
}

/* The rows' sums that hidden inputs and means tell. */
static void measure(const ls_rbm *self, const ls_batch *batch, const ls_pass *pass, const real *v,
                    const real *inputs, ls_sums *sums)
{
    const ls_rbm_rows *e = &self->evaluation;
    *sums = (ls_sums){.at = {[LS_SUM_WEIGHT] = (double)batch->rows}};
    ls_boltzmann_energies(&e->machine, batch->rows, v, inputs, e->slope, e->energy);
    for (long r = 0; r < batch->rows; r++)
        sums->at[LS_RBM_ENERGY] += e->energy[r];
    for (long i = 0; i < batch->rows * self->hidden; i++)
        sums->at[LS_RBM_ACTIVITY] += (double)e->slope[i] / (double)self->hidden;
    if (!is_gaussian(self))
        sums->at[LS_RBM_PSEUDO] = pseudo_likelihood(self, batch, pass, v, inputs);
}

static const real *evaluate(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums)
{
    const ls_rbm *self = objective->self;
    const ls_rbm_rows *e = &self->evaluation;
    const long n = rows->rows, visible = self->visible;
    const real *v = ls_rbm_see(self, e, rows, pass);
    const real *inputs = ls_boltzmann_hidden_inputs(&e->machine, n, v);
    if (sums) /* it leaves the hidden means in slope */
        measure(self, rows, pass, v, inputs, sums);
    else
        ls_boltzmann_means(e->machine.hidden_units, n * self->hidden, inputs, e->slope);
    ls_boltzmann_visible_inputs(&e->machine, n, e->slope, e->means);
    for (long r = 0; sums && r < n; r++) {
        ls_boltzmann_means(e->machine.visible_units, visible, e->means + r * visible, e->visible);
        sums->at[LS_RBM_RECONSTRUCTION] +=
            ls_rbm_distance(visible, v + r * visible, e->visible) / (double)visible;
    }
    return e->means;
}

static const char *trouble(const ls_objective *objective, const double *value)
{
    const ls_rbm *self = objective->self;
    const double wanted = self->sparsity_cost > 0 ? self->sparsity / 10 : 1;
    const double active = value[self->activity], few = fmin(1e-3, wanted);
    const bool rectified = ls_rbm_hidden_units(self) == LS_BOLTZMANN_RECTIFIED;
    if (active < few)
        return self->sparsity_cost > 0
                   ? "all hidden units are off for all rows: take a lower "
                     "rate=, or a smaller sparsity_cost="
                   : "all hidden units are off for all rows: take a lower rate=";
    return active > 1 - few && !rectified
               ? "all hidden units are on for all rows: take a lower rate=, or give the optimizer "
                 "decay="
               : NULL;
}

static void destroy(ls_objective *objective)
{
    ls_rbm *self = objective->self;
    ls_rbm_rows_destroy(&self->training);
    ls_rbm_rows_destroy(&self->evaluation);
    ls_descent_destroy(&self->down);
    ls_free(self->begun);
}

const ls_objective_type ls_objective_rbm = {
    .name = "rbm",
    .help = "restricted Boltzmann machine: a dense line with visible=1 learns the distribution of "
            "its input, by contrastive divergence or persistent chains",
    .size = sizeof(ls_rbm),
    .options = options,
    .adjustable = adjustable,
    .setup = setup,
    .compile = compile,
    .bytes = bytes,
    .flops = flops,
    .gradient = ls_rbm_gradient,
    .evaluate = evaluate,
    .generate = ls_rbm_generate,
    .begin_rows = begin_rows,
    .draws = ls_rbm_draws,
    .draw = ls_rbm_draw,
    .conclude = ls_rbm_conclude,
    .assess = ls_rbm_assess,
    .advice = {.trouble = trouble},
    .destroy = destroy,
};
