/* dense: y[rows, units] = x[rows, inputs] weight[units, inputs]^T + bias[units]; inputs of any
 * shape are flattened. With each=1 every vector along the last dimension, such as a step of a
 * sequence, counts as a row. For dx of many rows the weight is transposed (kernels/matrix.c).
 *
 * With transpose=1 the weight is another dense line's, [inputs, units]: y = x weight + bias. What
 * that line computes as dx is y here, and the other way round.
 *
 * With visible=1 there is a third slot, "visible_bias" [inputs], for boltzmann.h. No pass uses it.
 */
#include "core/kernels/matrix.h"
#include "core/kernels/rows.h"
#include "core/layers/weights.h"
#include "core/net.h"

typedef struct dense {
    ls_weights weights;
    long units;
    bool visible, each;
    long vectors; /* of a row of the data that are rows of the product */
    ls_matrix weight;
    bool transposed; /* by share= and transpose=1: the weight is [inputs, units] */
} dense;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(dense, units), "0", 0, 1e8, NULL,
     "outputs; beside share= they may be left out"},
    {"visible", LS_OPTION_BOOL, offsetof(dense, visible), "0", 0, 1, NULL,
     "1: a bias for each input too, for the objective rbm, which makes inputs of outputs as well; "
     "the line itself does not use it"},
    {"each", LS_OPTION_BOOL, offsetof(dense, each), "0", 0, 1, NULL,
     "1: applies to each vector along the last dimension (each step of a sequence), not to the row "
     "as a whole"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {
    "6 | dense units=5",
    "3,2,2 | dense units=4 bias=0",
    "5 | dense units=7 init=xavier; dense units=1",
    "5 | dense units=7; dense units=1 spectral=1", /* of one row sigma is exact at any u */
    "7 | dense units=5 visible=1; dense units=2",
    "3,4 | dense units=5 each=1; dense units=1 each=1 spectral=1",
    "2,3,4 | a: dense units=5 each=1; dense share=a transpose=1 each=1",
    "6 | a: dense units=4; activation function=tanh; "
    "dense share=a transpose=1",
    "40,2 | a: dense units=33; dense share=a transpose=1 bias=0; "
    "b: dense share=a; dense share=b transpose=1 units=80",
    NULL};

/* Sets how the line uses the weight, and units= if it is left out, by the dense line that it shares
 * with. */
static bool set_units(const ls_layer *layer, dense *self, ls_error *error)
{
    const ls_layer *from = layer->share.from;
    if (!from || from->type != layer->type)
        return self->units > 0 ||
               ls_error_set(error, LS_USAGE, "dense needs units=N: its outputs, 1 or more");
    const dense *other = from->self;
    self->transposed = other->transposed != layer->share.transpose;
    const long units = self->transposed ? other->weight.in : other->weight.out;
    if (self->units == 0)
        self->units = units;
    return self->units == units ||
           ls_error_set(error, LS_USAGE,
                        "units=%ld does not agree with share=: by the weight of %s/%s%s this line "
                        "has %ld outputs; leave units= out",
                        self->units, from->net->name, from->name,
                        layer->share.transpose ? ", transposed," : "", units);
}

/* The bias of the visible units: slot LS_BOLTZMANN_VISIBLE. */
static bool claim_visible(ls_layer *layer, long inputs, ls_error *error)
{
    const dense *self = layer->self;
    const ls_weights *weights = &self->weights;
    if (!self->visible)
        return true;
    if (!weights->bias || weights->spectral.on || self->transposed || self->each)
        return ls_error_set(error, LS_USAGE,
                            "visible=1 makes the line a restricted Boltzmann machine, whose hidden "
                            "units need bias=1 and the weight as it is: leave out %s",
                            !weights->bias     ? "bias=0"
                            : self->transposed ? "transpose=1"
                            : self->each       ? "each=1"
                                               : "spectral=1");
    ls_layer_claim(layer, "visible_bias", LS_SLOT_ASIDE, &(ls_shape){1, {inputs}},
                   &(ls_initializer){.kind = LS_INIT_ZERO}, NULL);
    return true;
}

static bool setup(ls_layer *layer, ls_error *error)
{
    dense *self = layer->self;
    if (!set_units(layer, self, error))
        return false;
    const long all = ls_shape_count(&layer->x[0]);
    const long inputs = self->each ? ls_shape_last(&layer->x[0]) : all;
    self->vectors = all / inputs;
    const ls_matrix weight = {self->units, inputs}, transposed = {inputs, self->units};
    const ls_matrix *m = &self->weight;
    self->weight = self->transposed ? transposed : weight;
    ls_weights_claim(layer, &(ls_shape){2, {m->out, m->in}}, self->units, (double)m->in,
                     (double)m->out, &ls_panel_layout);
    layer->scratch.fixed = (size_t)ls_matrix_scratch(m) * sizeof(real);
    layer->y = self->each ? layer->x[0] : (ls_shape){1, {self->units}};
    layer->y.at[layer->y.rank - 1] = self->units;
    layer->flops = 2.0 * (double)(self->vectors * m->in) * (double)m->out;
    return claim_visible(layer, inputs, error) && ls_spectral_claim(layer, 0, error);
}

/* The next rows of the product that count, from row *row of the data on. */
static ls_interval next_rows(const ls_layer *layer, const ls_layer_args *args, long *row)
{
    const dense *self = layer->self;
    const bool unequal = self->each && args->steps;
    const long steps = unequal ? layer->x[0].at[0] : 1, vectors = self->vectors / steps;
    const ls_layer_args own = {.rows = args->rows, .steps = unequal ? args->steps : NULL};
    const ls_interval lines = ls_layer_next_lines(&own, steps, row);
    return (ls_interval){lines.begin * vectors, lines.end * vectors};
}

/* Makes p->y from p->x with the weight as it is stored, or (back) the other way round. */
static void multiply(const ls_layer *layer, const ls_layer_args *args, bool back,
                     const ls_product *all)
{
    const dense *self = layer->self;
    const long inputs = ls_shape_count(&layer->x[0]) / self->vectors;
    ls_product p = *all;
    p.x_row = back ? self->units : inputs;
    p.y_row = back ? inputs : self->units;
    p.weight = ls_spectral_weight(layer);
    p.scratch = args->scratch;
    for (long row = 0; row < args->rows;) {
        const ls_interval rows = next_rows(layer, args, &row);
        p.rows = rows.end - rows.begin;
        p.x = all->x + rows.begin * p.x_row;
        p.y = all->y + rows.begin * p.y_row;
        (back != self->transposed ? ls_matrix_turned : ls_matrix_apply)(&self->weight, &p);
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const dense *self = layer->self;
    const ls_product p = {.x = args->x[0],
                          .bias = self->weights.bias ? ls_layer_value(layer, 1) : NULL,
                          .y = args->y};
    multiply(layer, args, false, &p);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_product p = {.x = args->dy, .y = args->dx[0], .add = args->add[0]};
    ls_spectral_backward(layer, pass, args);
    if (args->dx[0])
        multiply(layer, args, true, &p);
}

/* They belong to the weight as it is stored, so a transposed line exchanges x and dy. The steps
 * that count of rows of unequal length do not lie one after the other: then there are none. */
static bool factors(const ls_layer *layer, const ls_layer_args *args, ls_layer_factors *f)
{
    const dense *self = layer->self;
    *f = (ls_layer_factors){.out = self->weight.out,
                            .in = self->weight.in,
                            .rows = args->rows * self->vectors,
                            .per_row = self->vectors,
                            .x = self->transposed ? args->dy : args->x[0],
                            .dy = self->transposed ? args->x[0] : args->dy};
    return !self->weights.spectral.on && !(self->each && args->steps);
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const dense *self = layer->self;
    const ls_matrix *m = &self->weight;
    const ls_interval bias = ls_layer_args_part(args, self->units, 1);
    ls_layer_factors all;
    factors(layer, args, &all);
    ls_outer g = {.x_row = m->in,
                  .dy_row = m->out,
                  .part = ls_layer_args_part(args, m->out, LS_PANEL),
                  .dweight = ls_layer_gradient(layer, pass, 0),
                  .scratch = args->scratch};
    real *const dbias = self->weights.bias ? ls_layer_gradient(layer, pass, 1) : NULL;
    ls_spectral_before(layer, pass, &g.part);
    for (long row = 0; g.dweight && g.part.begin < g.part.end && row < args->rows;) {
        const ls_interval rows = next_rows(layer, args, &row);
        g.rows = rows.end - rows.begin;
        g.x = all.x + rows.begin * m->in;
        g.dy = all.dy + rows.begin * m->out;
        ls_matrix_gradient(m, &g);
    }
    ls_spectral_after(layer, pass, args, &g.part);
    if (dbias)
        ls_rows_sum(args->dy + bias.begin, args->rows * self->vectors, self->units,
                    bias.end - bias.begin, dbias + bias.begin);
}

const ls_layer_type ls_layer_dense = {
    .name = "dense",
    .help = "fully connected: x W^T + b",
    .examples = examples,
    .size = sizeof(dense),
    .options = options,
    .transposes = true,
    .setup = setup,
    .prepare = ls_spectral_prepare,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .factors = factors,
    .time.steps = ls_layer_same_steps,
};
