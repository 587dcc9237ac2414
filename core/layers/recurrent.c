/* recurrent: the steps of rnn, gru and lstm, and the products over all of them. */
#include "core/layers/recurrent.h"

#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/kernels/rows.h"
#include "core/minmax.h"
#include "core/net.h"
#include "core/random.h"

enum { EMPTY = 16 }; /* reals at the end of a line */

/* Columns of the gates, with their padding. */
static long columns_of(const ls_recurrent *self)
{
    return self->cell->gates * self->padded;
}

/* The weight of the inputs; that of a product; and that one turned round. */
static ls_matrix input_matrix(const ls_recurrent *self)
{
    return (ls_matrix){columns_of(self), self->in};
}

static ls_matrix product_matrix(const ls_recurrent *self, int product)
{
    return (ls_matrix){self->cell->product[product].gates * self->padded, self->units};
}

static ls_matrix turned_matrix(const ls_recurrent *self, int product)
{
    const ls_matrix m = product_matrix(self, product);
    return (ls_matrix){m.in, m.out};
}

/* Where a product's rows of R begin, in its slot. */
static long product_offset(const ls_recurrent *self, int product)
{
    return self->cell->product[product].first * ls_panel_size(self->units, self->units);
}

/* Prepared memory: R of each product, turned round, and the biases with the gates' padding. */
static real *turned_of(const ls_layer *layer, int product)
{
    const ls_recurrent *self = layer->self;
    real *at = layer->params->prepared + layer->prepared;
    for (int p = 0; p < product; p++) {
        const ls_matrix m = turned_matrix(self, p);
        at += ls_panel_size(m.out, m.in);
    }
    return at;
}

static real *padded_bias(const ls_layer *layer)
{
    const ls_recurrent *self = layer->self;
    return turned_of(layer, self->cell->products);
}

static long prepared_reals(const ls_recurrent *self)
{
    long reals = self->bias ? columns_of(self) : 0;
    for (int p = 0; p < self->cell->products; p++) {
        const ls_matrix m = turned_matrix(self, p);
        reals += ls_panel_size(m.out, m.in);
    }
    return reals;
}

/* Reals of scratch for the products, in whole vectors. */
static long scratch_reals(const ls_recurrent *self)
{
    const ls_matrix input = input_matrix(self);
    long most = ls_matrix_scratch(&input);
    for (int p = 0; p < self->cell->products; p++) {
        const ls_matrix m = product_matrix(self, p), t = turned_matrix(self, p);
        most = ls_max(most, ls_max(ls_matrix_scratch(&m), ls_matrix_scratch(&t)));
    }
    return (most + EMPTY - 1) / EMPTY * EMPTY;
}

static void claim_slots(ls_layer *layer, const ls_initializer *bias)
{
    const ls_recurrent *self = layer->self;
    const long units = self->units, all = self->cell->gates * units;
    ls_layout layout = ls_panel_layout;
    layout.groups = self->cell->gates;
    ls_layer_claim(layer, "weight", LS_SLOT_WEIGHT, &(ls_shape){2, {all, self->in}},
                   &(ls_initializer){.kind = LS_INIT_XAVIER,
                                     .fan_in = (double)self->in,
                                     .fan_out = (double)units},
                   &layout);
    ls_layer_claim(
        layer, "recurrent", LS_SLOT_WEIGHT, &(ls_shape){2, {all, units}},
        &(ls_initializer){.kind = self->orthogonal ? LS_INIT_ORTHOGONAL : LS_INIT_UNIFORM,
                          .scale = 1 / sqrt((double)units)},
        &layout);
    if (self->bias)
        ls_layer_claim(layer, "bias", LS_SLOT_BIAS, &(ls_shape){1, {all}}, bias, NULL);
}

bool ls_recurrent_setup(ls_layer *layer, const ls_recurrent_cell *cell, const ls_initializer *bias,
                        ls_error *error)
{
    ls_recurrent *self = layer->self;
    const ls_shape *x = &layer->x[0];
    char text[96];
    if (x->rank != 2)
        return ls_error_set(error, LS_USAGE,
                            "%s takes sequences, [time, features] a row, found %s: `embedding` "
                            "makes them of [time] tokens, `reshape` of numbers in another shape",
                            layer->type->name, ls_shape_text(x, text, sizeof text));
    self->carry = self->carry || layer->net->build.carry;
    if (self->carry && self->reverse)
        return ls_error_set(error, LS_USAGE,
                            "carry=1 goes from one row of a stream to the next, reverse=1 against "
                            "it: leave one of them out");
    self->cell = cell;
    self->steps = x->at[0];
    self->in = x->at[1];
    self->padded = ls_panel_count(self->units) * LS_PANEL;
    const bool drops = self->recurrent_dropout > 0;
    int fields = cell->fields;
    for (int p = 0; drops && p < cell->products; p++)
        fields = cell->product[p].masked < fields ? fields : cell->product[p].masked + 1;
    self->line = fields * self->padded + EMPTY;
    layer->y = self->last ? (ls_shape){1, {self->units}} : (ls_shape){2, {x->at[0], self->units}};
    claim_slots(layer, bias);
    layer->prepared_size = prepared_reals(self);
    layer->kept.per_row = (size_t)(self->steps * self->line) * sizeof(real);
    layer->scratch.fixed = (size_t)scratch_reals(self) * sizeof(real);
    layer->scratch.per_row =
        (size_t)((cell->states + (drops ? 3 : 1)) * self->units + columns_of(self)) * sizeof(real);
    layer->flops =
        2.0 * (double)(self->steps * cell->gates * self->units) * (double)(self->in + self->units);
    return true;
}

long ls_recurrent_carries(const ls_layer *layer)
{
    const ls_recurrent *self = layer->self;
    return self->carry ? self->cell->states * self->units : 0;
}

bool ls_recurrent_looks_ahead(const ls_layer *layer)
{
    const ls_recurrent *self = layer->self;
    return self->reverse;
}

void ls_recurrent_prepare(const ls_layer *layer)
{
    const ls_recurrent *self = layer->self;
    const real *recurrent = ls_layer_value(layer, LS_RECURRENT_RECURRENT);
    for (int p = 0; p < self->cell->products; p++) {
        const ls_matrix m = product_matrix(self, p);
        ls_matrix_turn(&m, recurrent + product_offset(self, p), turned_of(layer, p));
    }
    if (!self->bias)
        return;
    const real *bias = ls_layer_value(layer, LS_RECURRENT_BIAS);
    real *padded = padded_bias(layer);
    memset(padded, 0, (size_t)columns_of(self) * sizeof *padded);
    for (int g = 0; g < self->cell->gates; g++)
        memcpy(padded + g * self->padded, bias + g * self->units,
               (size_t)self->units * sizeof *padded);
}

/* y = (add: +=) x o mask. */
static LS_CLONES void apply_mask(long n, const real *restrict x, const real *restrict mask,
                                 bool add, real *restrict y)
{
    for (long j = 0; j < n; j++)
        y[j] = x[j] * mask[j] + (add ? y[j] : 0);
}

/* x o mask of a product, in `packed`, which is free in forward, and in the lines kept. */
static const real *mask_operand(const ls_recurrent_step *step, int product, const real *x)
{
    const long units = step->self->units;
    for (long i = 0; i < step->rows; i++) {
        real *masked = step->packed + i * units;
        apply_mask(units, x + i * units, step->mask + i * units, false, masked);
        memcpy(ls_recurrent_field(step, i, step->self->cell->product[product].masked), masked,
               (size_t)units * sizeof *masked);
    }
    return step->packed;
}

void ls_recurrent_multiply(const ls_recurrent_step *step, int product, const real *x, bool add)
{
    const ls_recurrent *self = step->self;
    const ls_matrix m = product_matrix(self, product);
    const ls_product p = {.rows = step->rows,
                          .x = step->mask ? mask_operand(step, product, x) : x,
                          .x_row = self->units,
                          .weight = ls_layer_value(step->layer, LS_RECURRENT_RECURRENT) +
                                    product_offset(self, product),
                          .add = add,
                          .y = ls_recurrent_field(step, 0, self->cell->product[product].to),
                          .y_row = step->apart,
                          .scratch = step->scratch};
    ls_matrix_apply(&m, &p);
}

void ls_recurrent_back(const ls_recurrent_step *step, int product, bool add, real *dx)
{
    const ls_recurrent *self = step->self;
    const ls_recurrent_product *made = &self->cell->product[product];
    const long columns = columns_of(self);
    for (long i = 0; i < step->rows; i++)
        for (int g = 0; g < made->gates; g++) /* the padding between them is 0 and stays so */
            memcpy(step->packed + i * columns + g * self->padded,
                   ls_recurrent_field(step, i, made->to + g),
                   (size_t)self->units * sizeof *step->packed);
    const ls_matrix m = turned_matrix(self, product);
    const ls_product p = {.rows = step->rows,
                          .x = step->packed,
                          .x_row = columns,
                          .weight = turned_of(step->layer, product),
                          .add = add && !step->mask,
                          .y = step->mask ? step->unmasked : dx,
                          .y_row = self->units,
                          .scratch = step->scratch};
    ls_matrix_apply(&m, &p);
    if (step->mask)
        apply_mask(step->rows * self->units, step->unmasked, step->mask, add, dx);
}

/* Whether this pass masks what the recurrent products read. */
static bool masks(const ls_recurrent *self, const ls_pass *pass)
{
    return pass->training && self->recurrent_dropout > 0;
}

/* Forward and backward each draw the masks of their rows, which are the same numbers. */
ls_shape ls_recurrent_draws(const ls_layer *layer, const ls_pass *pass, long rows, real *mask)
{
    const ls_recurrent *self = layer->self;
    if (!masks(self, pass))
        return (ls_shape){.rank = 0};
    const ls_random stream =
        ls_random_stream(pass->seed, LS_RANDOM_DROPOUT, pass->step, pass->draw, layer->stream);
    for (long i = 0; i < rows; i++)
        ls_random_mask(stream, (uint64_t)(pass->row + i), self->recurrent_dropout,
                       mask + i * self->units, self->units);
    return (ls_shape){1, {self->units}};
}

/* Before the first step: scratch is cut up, states are 0, masks are drawn; no rows yet. */
static ls_recurrent_step begin(const ls_layer *layer, const ls_pass *pass,
                               const ls_layer_args *args)
{
    const ls_recurrent *self = layer->self;
    const long state = args->rows * self->units, packed = args->rows * columns_of(self);
    ls_recurrent_step step = {
        .layer = layer, .self = self, .apart = self->steps * self->line, .scratch = args->scratch};
    step.packed = step.scratch + scratch_reals(self);
    step.spare = step.packed + packed;
    for (int k = 0; k < self->cell->states; k++)
        step.state[k] = step.spare + (k + 1) * state;
    if (masks(self, pass)) {
        real *mask = step.spare + (self->cell->states + 1) * state;
        ls_recurrent_draws(layer, pass, args->rows, mask);
        step.mask = mask;
        step.unmasked = mask + state;
    }
    memset(step.packed, 0, (size_t)packed * sizeof(real));
    memset(step.state[0], 0, (size_t)(self->cell->states * state) * sizeof(real));
    return step;
}

/* The place in time of the n-th step that forward makes. */
static long time_of(const ls_recurrent *self, long n)
{
    return self->reverse ? self->steps - 1 - n : n;
}

/* The steps of row i that count. */
static long steps_of(const ls_recurrent *self, const ls_layer_args *args, long i)
{
    return args->steps ? args->steps[i] : self->steps;
}

/* To the n-th step, whose rows are those up to the last that has such a step: rows before that one
 * are computed even if they have ended; clear_lines and clear_states make that harmless. */
static void enter(ls_recurrent_step *step, const ls_layer_args *args, long n)
{
    const long time = time_of(step->self, n);
    step->kept = (real *)args->kept + time * step->self->line;
    step->rows = args->rows;
    while (step->rows > 0 && steps_of(step->self, args, step->rows - 1) <= time)
        step->rows--;
}

/* In forward, of rows that do not have the step: numbers to compute with. */
static void clear_lines(const ls_recurrent_step *step, const ls_layer_args *args, long n)
{
    const long time = time_of(step->self, n);
    for (long i = 0; i < step->rows; i++)
        if (steps_of(step->self, args, i) <= time)
            memset(ls_recurrent_field(step, i, 0), 0, (size_t)step->self->line * sizeof(real));
}

/* Where the output of row i after the n-th step is; -1: nowhere. */
static long output_of(const ls_recurrent *self, const ls_layer_args *args, long n, long i)
{
    const long time = time_of(self, n);
    if (!self->last)
        return (i * self->steps + time) * self->units;
    return time == (self->reverse ? 0 : steps_of(self, args, i) - 1) ? i * self->units : -1;
}

/* The states between a row's last step and what lies behind its end are 0, and so are the gradients
 * by them: a row that is read from its end begins there. */
static void clear_states(const ls_recurrent_step *step, const ls_layer_args *args, long n)
{
    const ls_recurrent *self = step->self;
    const long time = time_of(self, n) + self->reverse;
    for (long i = 0; args->steps && i < step->rows; i++)
        for (int k = 0; time >= args->steps[i] && k < self->cell->states; k++)
            memset(step->state[k] + i * self->units, 0, (size_t)self->units * sizeof(real));
}

static void copy_rows(long rows, long n, const real *from, long from_row, real *to, long to_row)
{
    for (long i = 0; i < rows; i++)
        memcpy(to + i * to_row, from + i * from_row, (size_t)n * sizeof *to);
}

/* Of the n-th step: the state is the output, and its gradient gets that of the output. */
static void give_output(const ls_recurrent_step *step, const ls_layer_args *args, long n)
{
    const long units = step->self->units;
    for (long i = 0; i < step->rows; i++) {
        const long at = output_of(step->self, args, n, i);
        if (at >= 0)
            memcpy(args->y + at, step->state[0] + i * units, (size_t)units * sizeof *args->y);
    }
}

static void take_gradient(const ls_recurrent_step *step, const ls_layer_args *args, long n)
{
    const long units = step->self->units;
    for (long i = 0; i < step->rows; i++) {
        const long at = output_of(step->self, args, n, i);
        for (long j = 0; at >= 0 && j < units; j++)
            step->state[0][i * units + j] += args->dy[at + j];
    }
}

/* The states of `rows` rows before the first step, and those after the last, of rows that go on in
 * streams. */
static void take_states(const ls_recurrent_step *step, const ls_pass *pass, long rows)
{
    const long units = step->self->units;
    long apart;
    const real *from = ls_net_stream(step->layer, pass, &apart);
    for (int k = 0; from && k < step->self->cell->states; k++)
        copy_rows(rows, units, from + k * units, apart, step->state[k], units);
}

static void leave_states(const ls_recurrent_step *step, const ls_pass *pass, long rows)
{
    const long units = step->self->units;
    long apart;
    real *to = ls_net_stream(step->layer, pass, &apart);
    for (int k = 0; to && k < step->self->cell->states; k++)
        copy_rows(rows, units, step->state[k], units, to + k * units, apart);
}

/* A product of all lines that count: x of args->x and y of the lines kept (back: the other way
 * round), by `multiply`. `all` holds what is the same for all of them. */
static void multiply_lines(const ls_recurrent *self, const ls_layer_args *args,
                           const ls_product *all,
                           void (*multiply)(const ls_matrix *m, const ls_product *p))
{
    const ls_matrix m = input_matrix(self);
    ls_product p = *all;
    for (long row = 0; row < args->rows;) {
        const ls_interval lines = ls_layer_next_lines(args, self->steps, &row);
        p.rows = lines.end - lines.begin;
        p.x = all->x + lines.begin * p.x_row;
        p.y = all->y + lines.begin * p.y_row;
        multiply(&m, &p);
    }
}

void ls_recurrent_forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_recurrent *self = layer->self;
    const ls_product inputs = {.x = args->x[0],
                               .x_row = self->in,
                               .weight = ls_layer_value(layer, LS_RECURRENT_WEIGHT),
                               .bias = self->bias ? padded_bias(layer) : NULL,
                               .y = args->kept,
                               .y_row = self->line,
                               .scratch = args->scratch};
    multiply_lines(self, args, &inputs, ls_matrix_apply);
    ls_recurrent_step step = begin(layer, pass, args);
    take_states(&step, pass, args->rows);
    for (long n = 0; n < self->steps; n++) {
        enter(&step, args, n);
        clear_lines(&step, args, n);
        clear_states(&step, args, n);
        for (int k = 0; k < self->cell->states; k++)
            copy_rows(step.rows, self->units, step.state[k], self->units,
                      ls_recurrent_field(&step, 0, self->cell->gates + k), step.apart);
        self->cell->forward(&step);
        give_output(&step, args, n);
    }
    leave_states(&step, pass, args->rows);
}

/* The padding of all fields of a step: the products over all steps read that of dG. */
static void clear_padding(const ls_recurrent_step *step)
{
    const ls_recurrent *self = step->self;
    const long padding = self->padded - self->units;
    for (long i = 0; padding > 0 && i < step->rows; i++)
        for (int k = 0; k < self->cell->fields; k++)
            memset(ls_recurrent_field(step, i, k) + self->units, 0,
                   (size_t)padding * sizeof *step->kept);
}

/* Zeroes numbers that are too small to matter. A gradient that vanishes over hundreds of steps
 * would come to denormal numbers, with which products take ten times as long. */
static LS_CLONES void drop_vanished(long n, real *d)
{
    for (long j = 0; j < n; j++) {
        const real size = d[j] < 0 ? -d[j] : d[j];
        d[j] = size < (real)1e-25 ? 0 : d[j];
    }
}

void ls_recurrent_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_recurrent *self = layer->self;
    ls_recurrent_step step = begin(layer, pass, args);
    for (long n = self->steps - 1; n >= 0; n--) {
        enter(&step, args, n);
        take_gradient(&step, args, n);
        self->cell->backward(&step);
        clear_states(&step, args, n);
        for (int k = 0; k < self->cell->states; k++)
            drop_vanished(step.rows * self->units, step.state[k]);
        clear_padding(&step);
    }
    const ls_product inputs = {.x = args->kept,
                               .x_row = self->line,
                               .weight = ls_layer_value(layer, LS_RECURRENT_WEIGHT),
                               .add = args->add[0],
                               .y = args->dx[0],
                               .y_row = self->in,
                               .scratch = args->scratch};
    if (args->dx[0])
        multiply_lines(self, args, &inputs, ls_matrix_turned);
}

/* Adds this part of dW or dR: of the outputs of `m`, from two fields of all lines that count or
 * from x. */
static void add_weight(const ls_recurrent *self, const ls_matrix *m, const ls_layer_args *args,
                       const ls_outer *all)
{
    ls_outer g = *all;
    g.part = ls_layer_args_part(args, m->out, LS_PANEL);
    g.scratch = args->scratch;
    for (long row = 0; g.part.begin < g.part.end && row < args->rows;) {
        const ls_interval lines = ls_layer_next_lines(args, self->steps, &row);
        g.rows = lines.end - lines.begin;
        g.x = all->x + lines.begin * g.x_row;
        g.dy = all->dy + lines.begin * g.dy_row;
        ls_matrix_gradient(m, &g);
    }
}

void ls_recurrent_sum(const ls_layer *layer, const ls_layer_args *args, const real *kept, long n,
                      real *sum)
{
    const ls_recurrent *self = layer->self;
    for (long row = 0; row < args->rows;) {
        const ls_interval lines = ls_layer_next_lines(args, self->steps, &row);
        ls_rows_sum(kept + lines.begin * self->line, lines.end - lines.begin, self->line, n, sum);
    }
}

void ls_recurrent_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_recurrent *self = layer->self;
    const real *const kept = args->kept;
    real *const dweight = ls_layer_gradient(layer, pass, LS_RECURRENT_WEIGHT);
    real *const drecurrent = ls_layer_gradient(layer, pass, LS_RECURRENT_RECURRENT);
    real *const dbias = self->bias ? ls_layer_gradient(layer, pass, LS_RECURRENT_BIAS) : NULL;
    ls_outer g = {.dy_row = self->line};
    if (dweight) {
        const ls_matrix m = input_matrix(self);
        g.x = args->x[0];
        g.x_row = self->in;
        g.dy = kept;
        g.dweight = dweight;
        add_weight(self, &m, args, &g);
    }
    for (int p = 0; drecurrent && p < self->cell->products; p++) {
        const ls_recurrent_product *product = &self->cell->product[p];
        const ls_matrix m = product_matrix(self, p);
        g.x = kept + (masks(self, pass) ? product->masked : product->from) * self->padded;
        g.x_row = self->line;
        g.dy = kept + product->to * self->padded;
        g.dweight = drecurrent + product_offset(self, p);
        add_weight(self, &m, args, &g);
    }
    const ls_interval own = ls_layer_args_part(args, self->units, 1);
    for (int k = 0; dbias && k < self->cell->gates; k++)
        ls_recurrent_sum(layer, args, kept + k * self->padded + own.begin, own.end - own.begin,
                         dbias + k * self->units + own.begin);
}
