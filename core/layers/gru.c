/* gru: gated recurrent unit (Cho et al. 2014). With s the logistic function, o the product of
 * numbers in the same place, and h the state of the step before:
 *
 *     r = s(W^r x + R^r h + b^r)                      reset gate
 *     z = s(W^z x + R^z h + b^z)                      update gate
 *     n = tanh(W^n x + R^n (r o h) + b^n)             candidate
 *     h' = (1 - z) o h + z o n
 *
 * With reset=after, the form of PyTorch and cuDNN, the gate acts on the product, which then has a
 * bias of its own, "recurrent_bias"; and z weighs the old state:
 *
 *     n = tanh(W^n x + b^n + r o (R^n h + b^rn))
 *     h' = (1 - z) o n + z o h
 *
 * Gates are stored in the order r, z, n, as PyTorch's are. */
#include "core/layers/recurrent.h"
#include "core/vector_math.h"

typedef struct gru {
    ls_recurrent common;
    int reset;
    int slot; /* of the recurrent bias */
} gru;

enum { BEFORE, AFTER };
static const char *const reset_names[] = {"before", "after", NULL};

/* RESET: r o h, or with reset=after R^n h + b^rn; MASKED: h under recurrent dropout. */
enum { R, Z, N, H, RESET, FIELDS, MASKED = FIELDS };

static const ls_option options[] = {
    LS_RECURRENT_OPTIONS,
    {"reset", LS_OPTION_CHOICE, offsetof(gru, reset), "before", 0, 0, reset_names,
     "whether the reset gate acts before the product with the recurrent weight (Cho et al. 2014) "
     "or after it (PyTorch, cuDNN), where also z and 1 - z change places"},
    {0}};

static const char *const examples[] = {
    "4,3 | gru units=5",
    "1,2 | gru units=33 bias=0",
    "4,3 | gru units=5 reset=after",
    "1,2 | gru units=33 bias=0 reset=after",
    "3,2 | gru units=4 carry=1; gru units=3; gru units=3 carry=1 reset=after",
    "4,3 | gru units=5 recurrent_dropout=0.4; gru units=34 reset=after recurrent_dropout=0.5",
    "5,2 | gru units=34 last=1 reverse=1; dense units=2",
    "5,3 | gru units=40 reverse=1 reset=after; gru units=3 last=1",
    NULL};

/* Loops of one row: g [3 fields, p reals apart] are gates, in backward their gradients. */

/* r and z, and r o h twice. */
static LS_CLONES void gates_value(long n, long p, real *restrict g, const real *restrict h,
                                  real *restrict kept, real *restrict reset)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real r = ls_math_logistic(g[j]);
        g[j] = r;
        g[p + j] = ls_math_logistic(g[p + j]);
        kept[j] = reset[j] = r * h[j];
    }
}

static LS_CLONES void state_value(long n, const real *restrict z, real *restrict candidate,
                                  real *restrict h)
{
    for (long j = 0; j < n; j++) {
        const real c = ls_math_tanh(candidate[j]);
        candidate[j] = c;
        h[j] += z[j] * (c - h[j]);
    }
}

static LS_CLONES void state_slope(long n, const real *restrict h, real *restrict z,
                                  real *restrict candidate, real *restrict dh)
{
    for (long j = 0; j < n; j++) {
        const real u = z[j], c = candidate[j], d = dh[j];
        z[j] = d * (c - h[j]) * u * (1 - u);
        candidate[j] = d * u * (1 - c * c);
        dh[j] = d * (1 - u);
    }
}

static LS_CLONES void reset_slope(long n, const real *restrict h, const real *restrict dreset,
                                  real *restrict r, real *restrict dh)
{
    for (long j = 0; j < n; j++) {
        const real u = r[j], d = dreset[j];
        r[j] = d * h[j] * u * (1 - u);
        dh[j] += d * u;
    }
}

static void forward_before(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    real *const h = step->state[0];
    ls_recurrent_multiply(step, 0, h, true);
    for (long i = 0; i < step->rows; i++)
        gates_value(n, step->self->padded, ls_recurrent_field(step, i, R), h + i * n,
                    ls_recurrent_field(step, i, RESET), step->spare + i * n);
    ls_recurrent_multiply(step, 1, step->spare, true);
    for (long i = 0; i < step->rows; i++)
        state_value(n, ls_recurrent_field(step, i, Z), ls_recurrent_field(step, i, N), h + i * n);
}

static void backward_before(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    real *const dh = step->state[0];
    for (long i = 0; i < step->rows; i++)
        state_slope(n, ls_recurrent_field(step, i, H), ls_recurrent_field(step, i, Z),
                    ls_recurrent_field(step, i, N), dh + i * n);
    ls_recurrent_back(step, 1, false, step->spare);
    for (long i = 0; i < step->rows; i++)
        reset_slope(n, ls_recurrent_field(step, i, H), step->spare + i * n,
                    ls_recurrent_field(step, i, R), dh + i * n);
    ls_recurrent_back(step, 0, true, dh);
}

/* bias: b^rn, NULL: 0. */
static LS_CLONES void after_value(long n, long p, const real *restrict bias, real *restrict g,
                                  real *restrict product, real *restrict h)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real r = ls_math_logistic(g[j]), z = ls_math_logistic(g[p + j]);
        const real q = product[j] + (bias ? bias[j] : 0);
        const real c = ls_math_tanh(g[2 * p + j] + r * q);
        g[j] = r;
        g[p + j] = z;
        g[2 * p + j] = c;
        product[j] = q;
        h[j] = c + z * (h[j] - c);
    }
}

static LS_CLONES void after_slope(long n, long p, const real *restrict h, real *restrict g,
                                  real *restrict product, real *restrict dh)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real r = g[j], z = g[p + j], c = g[2 * p + j], q = product[j], d = dh[j];
        const real by_c = d * (1 - z) * (1 - c * c);
        g[j] = by_c * q * r * (1 - r);
        g[p + j] = d * (h[j] - c) * z * (1 - z);
        g[2 * p + j] = by_c;
        product[j] = by_c * r;
        dh[j] = d * z;
    }
}

static void forward_after(const ls_recurrent_step *step)
{
    const gru *self = step->layer->self;
    const long n = step->self->units;
    real *const h = step->state[0];
    const real *bias = step->self->bias ? ls_layer_value(step->layer, self->slot) : NULL;
    ls_recurrent_multiply(step, 0, h, true);
    ls_recurrent_multiply(step, 1, h, false);
    for (long i = 0; i < step->rows; i++)
        after_value(n, step->self->padded, bias, ls_recurrent_field(step, i, R),
                    ls_recurrent_field(step, i, RESET), h + i * n);
}

static void backward_after(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    real *const dh = step->state[0];
    for (long i = 0; i < step->rows; i++)
        after_slope(n, step->self->padded, ls_recurrent_field(step, i, H),
                    ls_recurrent_field(step, i, R), ls_recurrent_field(step, i, RESET), dh + i * n);
    ls_recurrent_back(step, 0, true, dh);
    ls_recurrent_back(step, 1, true, dh);
}

static const ls_recurrent_cell cells[] = {
    [BEFORE] = {.gates = 3,
                .states = 1,
                .fields = FIELDS,
                .products = 2,
                .product = {{R, 2, H, R, MASKED}, {N, 1, RESET, N, RESET}},
                .forward = forward_before,
                .backward = backward_before},
    [AFTER] = {.gates = 3,
               .states = 1,
               .fields = FIELDS,
               .products = 2,
               .product = {{R, 2, H, R, MASKED}, {N, 1, H, RESET, MASKED}},
               .forward = forward_after,
               .backward = backward_after},
};

static bool setup(ls_layer *layer, ls_error *error)
{
    gru *self = layer->self;
    const ls_initializer zero = {.kind = LS_INIT_ZERO};
    if (!ls_recurrent_setup(layer, &cells[self->reset], &zero, error))
        return false;
    if (self->common.bias && self->reset == AFTER)
        self->slot = ls_layer_claim(layer, "recurrent_bias", LS_SLOT_BIAS,
                                    &(ls_shape){1, {self->common.units}}, &zero, NULL);
    return true;
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const gru *self = layer->self;
    const ls_recurrent *common = &self->common;
    ls_recurrent_gradient(layer, pass, args);
    const bool has = common->bias && self->reset == AFTER;
    real *const to = has ? ls_layer_gradient(layer, pass, self->slot) : NULL;
    const ls_interval own = ls_layer_args_part(args, common->units, 1);
    const real *products = (const real *)args->kept + RESET * common->padded;
    if (to)
        ls_recurrent_sum(layer, args, products + own.begin, own.end - own.begin, to + own.begin);
}

const ls_layer_type ls_layer_gru = {
    .name = "gru",
    .help = "recurrent: gated recurrent unit",
    .examples = examples,
    .size = sizeof(gru),
    .options = options,
    .setup = setup,
    .time.carries = ls_recurrent_carries,
    .time.looks_ahead = ls_recurrent_looks_ahead,
    .prepare = ls_recurrent_prepare,
    .forward = ls_recurrent_forward,
    .backward = ls_recurrent_backward,
    .gradient = gradient,
    .time.steps = ls_layer_same_steps,
    .draws = ls_recurrent_draws,
};
