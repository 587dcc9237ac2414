/* rnn: h_t = f(W x_t + R h_{t-1} + b), the simplest recurrent layer (Elman 1990). The derivative of
 * relu at 0 is 0. */
#include "core/layers/recurrent.h"
#include "core/vector_math.h"

typedef struct rnn {
    ls_recurrent common;
    int activation;
} rnn;

enum { Z, H, FIELDS }; /* Z: f(z), in backward dz */

/* F(name, f(z), f'(z)), the derivative from f = f(z). */
#define FUNCTIONS(F)                                                                               \
    F(tanh, ls_math_tanh(z), 1 - f * f)                                                            \
    F(relu, (z < 0 ? 0 : z), (f > 0))                                                              \
    F(logistic, ls_math_logistic(z), (f * (1 - f)))

/* h[n] = f(z[n]), and z too; z[n] is f(z), and becomes dh[n] f'(z). */
#define LOOPS(name, VALUE, SLOPE)                                                                  \
    static LS_CLONES void name##_value(long n, real *restrict at, real *restrict h)                \
    {                                                                                              \
        for (long j = 0; j < n; j++) {                                                             \
            const real z = at[j];                                                                  \
            at[j] = h[j] = (VALUE);                                                                \
        }                                                                                          \
    }                                                                                              \
    static LS_CLONES void name##_slope(long n, real *restrict at, real *restrict dh)               \
    {                                                                                              \
        for (long j = 0; j < n; j++) {                                                             \
            const real f = at[j];                                                                  \
            at[j] = dh[j] * (SLOPE);                                                               \
        }                                                                                          \
    }
FUNCTIONS(LOOPS)

#define NAME(name, VALUE, SLOPE) #name,
#define ENTRY(name, VALUE, SLOPE) {name##_value, name##_slope},
static const char *const names[] = {FUNCTIONS(NAME) NULL};
static const struct function {
    void (*value)(long n, real *restrict at, real *restrict h);
    void (*slope)(long n, real *restrict at, real *restrict dh);
} functions[] = {FUNCTIONS(ENTRY)};

static const ls_option options[] = {LS_RECURRENT_OPTIONS,
                                    {"activation", LS_OPTION_CHOICE, offsetof(rnn, activation),
                                     "tanh", 0, 0, names, "f of W x + R h + b"},
                                    {0}};

static const char *const examples[] = {
    "4,3 | rnn units=5",
    "1,2 | rnn units=33 bias=0",
    "5,2 | rnn units=40 activation=logistic last=1; dense units=2",
    "5,3 | rnn units=4 activation=relu reverse=1; rnn units=3 reverse=1 last=1",
    "4,3 | rnn units=34 recurrent_dropout=0.4",
    "3,4 | a: rnn units=4 carry=1; rnn units=4 share=a carry=1",
    NULL};

static const struct function *function_of(const ls_recurrent_step *step)
{
    const rnn *self = step->layer->self;
    return &functions[self->activation];
}

static void step_forward(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    ls_recurrent_multiply(step, 0, step->state[0], true);
    for (long i = 0; i < step->rows; i++)
        function_of(step)->value(n, ls_recurrent_field(step, i, Z), step->state[0] + i * n);
}

static void step_backward(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    for (long i = 0; i < step->rows; i++)
        function_of(step)->slope(n, ls_recurrent_field(step, i, Z), step->state[0] + i * n);
    ls_recurrent_back(step, 0, false, step->state[0]);
}

static const ls_recurrent_cell cell = {.gates = 1,
                                       .states = 1,
                                       .fields = FIELDS,
                                       .products = 1,
                                       .product = {{0, 1, H, Z, H}},
                                       .forward = step_forward,
                                       .backward = step_backward};

static bool setup(ls_layer *layer, ls_error *error)
{
    return ls_recurrent_setup(layer, &cell, &(ls_initializer){.kind = LS_INIT_ZERO}, error);
}

const ls_layer_type ls_layer_rnn = {
    .name = "rnn",
    .help = "recurrent: h_t = f(W x_t + R h_(t-1) + b)",
    .examples = examples,
    .size = sizeof(rnn),
    .options = options,
    .setup = setup,
    .time.carries = ls_recurrent_carries,
    .time.looks_ahead = ls_recurrent_looks_ahead,
    .prepare = ls_recurrent_prepare,
    .forward = ls_recurrent_forward,
    .backward = ls_recurrent_backward,
    .gradient = ls_recurrent_gradient,
    .time.steps = ls_layer_same_steps,
    .draws = ls_recurrent_draws,
};
