/* activation: y = f(x) for each number. Functions and derivatives are those of Raschka's table of
 * activation functions; at x = 0 the derivative of ReLU, PReLU and ELU is 1. */
#include "core/layers/activation.h"

#include <string.h>

#include "core/vector_math.h"

typedef struct activation {
    char function[LS_WORD], alpha_text[LS_WORD];
    int surrogate;
    const ls_activation *f;
    real alpha; /* unless it is learned */
} activation;

#define HALF ((real)0.5)

/* In all functions below a NaN fails every comparison, and so comes out as NaN. */
static LS_INLINE real step(real z, real below, real at_zero)
{
    if (z < 0)
        return below;
    if (z > 0)
        return 1;
    return z == 0 ? at_zero : z;
}

static LS_INLINE real ramp(real z)
{
    if (z >= HALF)
        return 1;
    return z <= -HALF ? 0 : z + HALF;
}

/* A(id, "name", f(z), f'(z), flat, takes, alpha, "f", "f'"). The expressions may use a, which is
 * alpha, and f'(z) also f, which is f(z). */
#define ACTIVATIONS(A)                                                                             \
    A(unit_step, "unit-step", step(z, 0, HALF), 0, true, LS_ALPHA_NONE, 0,                         \
      "0 for z < 0; 0.5 for z = 0; 1 for z > 0", "0")                                              \
    A(binary_step, "binary-step", step(z, 0, 1), 0, true, LS_ALPHA_NONE, 0,                        \
      "0 for z < 0; 1 for z >= 0", "0")                                                            \
    A(sign, "sign", step(z, -1, 0), 0, true, LS_ALPHA_NONE, 0,                                     \
      "-1 for z < 0; 0 for z = 0; 1 for z > 0", "0")                                               \
    A(linear, "linear", z, 1, false, LS_ALPHA_NONE, 0, "z", "1")                                   \
    A(identity, "identity", z, 1, false, LS_ALPHA_NONE, 0, "z", "1")                               \
    A(piecewise_linear, "piecewise-linear", ramp(z), z > -HALF && z < HALF, false, LS_ALPHA_NONE,  \
      0, "1 for z >= 1/2; z + 1/2 for -1/2 < z < 1/2; 0 for z <= -1/2",                            \
      "1 for -1/2 < z < 1/2; else 0")                                                              \
    A(logistic, "logistic", ls_math_logistic(z), (1 - f) * f, false, LS_ALPHA_NONE, 0,             \
      "1 / (1 + e^-z)", "f(z) (1 - f(z))")                                                         \
    A(tanh, "tanh", ls_math_tanh(z), 1 - f * f, false, LS_ALPHA_NONE, 0,                           \
      "(e^z - e^-z) / (e^z + e^-z)", "1 - f(z)^2")                                                 \
    A(arctan, "arctan", ls_math_atan(z), 1 / (z * z + 1), false, LS_ALPHA_NONE, 0, "atan(z)",      \
      "1 / (z^2 + 1)")                                                                             \
    A(relu, "relu", z < 0 ? 0 : z, !(z < 0), false, LS_ALPHA_NONE, 0, "max(0, z)",                 \
      "0 for z < 0; 1 for z >= 0")                                                                 \
    A(prelu, "prelu", z < 0 ? a * z : z, z < 0 ? a : 1, false, LS_ALPHA_LEARNED, 0.25,             \
      "alpha z for z < 0; z for z >= 0; alpha is learned", "alpha for z < 0; 1 for z >= 0")        \
    A(leaky_relu, "leaky-relu", z < 0 ? a * z : z, z < 0 ? a : 1, false, LS_ALPHA_FIXED, 0.01,     \
      "alpha z for z < 0; z for z >= 0", "alpha for z < 0; 1 for z >= 0")                          \
    A(elu, "elu", z < 0 ? a * ls_math_expm1(z) : z, z < 0 ? f + a : 1, false, LS_ALPHA_FIXED, 1,   \
      "alpha (e^z - 1) for z < 0; z for z >= 0", "f(z) + alpha for z < 0; 1 for z >= 0")           \
    A(softplus, "softplus", ls_math_softplus(z), ls_math_logistic(z), false, LS_ALPHA_NONE, 0,     \
      "ln(1 + e^z)", "1 / (1 + e^-z)")

/* dx = dy SLOPE, or dx += if `add`. */
#define SLOPE_LOOP(id, SLOPE)                                                                      \
    static LS_CLONES void id##_slope(long n, const real *restrict x, const real *restrict y,       \
                                     const real *restrict dy, real a, bool add, real *restrict dx) \
    {                                                                                              \
        for (long i = 0; i < n; i++) {                                                             \
            const real z = x[i], f = y[i], slope = (SLOPE);                                        \
            (void)z, (void)f;                                                                      \
            dx[i] = add ? dx[i] + dy[i] * slope : dy[i] * slope;                                   \
        }                                                                                          \
    }

#define LOOPS(id, name, VALUE, SLOPE, flat, takes, alpha, formula, derivative)                     \
    static LS_CLONES void id##_value(long n, const real *restrict x, real a, real *restrict y)     \
    {                                                                                              \
        for (long i = 0; i < n; i++) {                                                             \
            const real z = x[i];                                                                   \
            y[i] = (VALUE);                                                                        \
        }                                                                                          \
    }                                                                                              \
    SLOPE_LOOP(id, SLOPE)
ACTIVATIONS(LOOPS)

#define ENTRY(id, name, VALUE, SLOPE, flat, takes, alpha, formula, derivative)                     \
    {name, formula, derivative, flat, takes, alpha, id##_value, id##_slope},
const ls_activation ls_activations[] = {ACTIVATIONS(ENTRY){.name = NULL}};

/* Slopes that stand in for a flat function's. */
SLOPE_LOOP(straight, 1)
SLOPE_LOOP(clipped, z >= -1 && z <= 1)
enum { SURROGATE_NONE };
static const char *const surrogate_names[] = {"none", "ste", "clipped-ste", NULL};

static const ls_option options[] = {
    {"function", LS_OPTION_WORD, offsetof(activation, function), NULL, 0, 0, NULL,
     "its name; `lockstep list activations` has the formulas"},
    {"alpha", LS_OPTION_WORD, offsetof(activation, alpha_text), "usual", 0, 0, NULL,
     "number below 0: prelu starts at 0.25 and learns it, leaky-relu 0.01, elu 1"},
    {"surrogate", LS_OPTION_CHOICE, offsetof(activation, surrogate), "none", 0, 0, surrogate_names,
     "derivative that stands in for a step's 0: ste 1 (straight-through: Bengio, Léonard, "
     "Courville 2013, arXiv:1308.3432), clipped-ste 1 for |z| <= 1 (Hubara et al. 2016, "
     "arXiv:1602.02830)"},
    {0}};

const ls_activation *ls_activation_find(const char *name, ls_error *error)
{
    return ls_spec_find_entry(ls_activations, sizeof *ls_activations, name, "function",
                              "activations", error);
}

static bool read_alpha(activation *self, ls_error *error)
{
    const ls_option option = {.key = "alpha", .kind = LS_OPTION_REAL, .high = 1e6};
    double alpha = self->f->alpha;
    bool given = strcmp(self->alpha_text, "usual") != 0;
    if (given && self->f->takes == LS_ALPHA_NONE)
        return ls_error_set(error, LS_USAGE, "alpha=%s: function=%s takes no alpha; leave it out",
                            self->alpha_text, self->f->name);
    if (given && !ls_option_set(&option, self->alpha_text, &alpha, error))
        return false;
    self->alpha = (real)alpha;
    return true;
}

static bool setup(ls_layer *layer, ls_error *error)
{
    activation *self = layer->self;
    self->f = ls_activation_find(self->function, error);
    if (!self->f)
        return false;
    if (self->surrogate != SURROGATE_NONE && !self->f->flat)
        return ls_error_set(error, LS_USAGE,
                            "surrogate=%s: function=%s has a derivative of its own; a surrogate is "
                            "for unit-step, binary-step and sign",
                            surrogate_names[self->surrogate], self->f->name);
    if (!read_alpha(self, error))
        return false;
    if (self->f->takes == LS_ALPHA_LEARNED)
        ls_layer_claim(layer, "alpha", LS_SLOT_BIAS, &(ls_shape){.rank = 1, .at = {1}},
                       &(ls_initializer){.kind = LS_INIT_CONSTANT, .scale = self->alpha}, NULL);
    layer->blocks = self->f->flat && self->surrogate == SURROGATE_NONE;
    layer->y = layer->x[0];
    return true;
}

/* What the function comes to far out: right for functions that never fall, as all of the table (one
 * such as swish would need a range of its own). */
static void range(const ls_layer *layer, double *low, double *high)
{
    const activation *self = layer->self;
    const real far[2] = {-1e30F, 1e30F};
    real end[2];
    if (self->f->takes == LS_ALPHA_LEARNED)
        return;
    self->f->value(2, far, self->alpha, end);
    *low = end[0] < -1e3 ? *low : (double)end[0];
    *high = end[1] > 1e3 ? *high : (double)end[1];
}

static real alpha_of(const ls_layer *layer)
{
    const activation *self = layer->self;
    return self->f->takes == LS_ALPHA_LEARNED ? ls_layer_value(layer, 0)[0] : self->alpha;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const activation *self = layer->self;
    self->f->value(args->rows * ls_shape_count(&layer->y), args->x[0], alpha_of(layer), args->y);
}

/* dalpha = sum over x < 0 of dy x, in double, as 16 sums side by side so that it vectorises; with
 * min(x, 0), because gcc 12.2 at -O3 with AVX miscompiles such sums of (x < 0 ? dy x : 0). */
static LS_CLONES double alpha_gradient(long n, const real *restrict x, const real *restrict dy)
{
    enum { WIDE = 16 };
    double sum[WIDE] = {0}, total = 0;
    long whole = n - n % WIDE;
    for (long i = 0; i < whole; i += WIDE)
        for (int k = 0; k < WIDE; k++)
            sum[k] += (double)(x[i + k] < 0 ? x[i + k] : 0) * (double)dy[i + k];
    for (long i = whole; i < n; i++)
        sum[i - whole] += (double)(x[i] < 0 ? x[i] : 0) * (double)dy[i];
    for (int k = 0; k < WIDE; k++)
        total += sum[k];
    return total;
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const activation *self = layer->self;
    long n = args->rows * ls_shape_count(&layer->y);
    ls_slope *const slopes[] = {self->f->slope, straight_slope, clipped_slope};
    if (args->dx[0])
        slopes[self->surrogate](n, args->x[0], args->y, args->dy, alpha_of(layer), args->add[0],
                                args->dx[0]);
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const activation *self = layer->self;
    long n = args->rows * ls_shape_count(&layer->y);
    if (self->f->takes == LS_ALPHA_LEARNED && args->part == 0)
        ls_layer_gradient(layer, pass, 0)[0] += (real)alpha_gradient(n, args->x[0], args->dy);
}

static const char *const examples[] = {"3,2,2 | activation function=tanh",
                                       "5 | activation function=prelu alpha=0.3",
                                       "7 | activation function=elu alpha=0.5",
                                       "4 | dense units=6; activation function=leaky-relu",
                                       "4 | a: activation function=prelu; dense units=3; "
                                       "activation function=prelu share=a",
                                       NULL};

const ls_layer_type ls_layer_activation = {
    .name = "activation",
    .help = "a function of each number: relu, tanh, logistic, ...",
    .examples = examples,
    .size = sizeof(activation),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .range = range,
    .time.steps = ls_layer_same_steps,
};

const ls_activation *ls_activation_of(const ls_layer *layer)
{
    return layer->type == &ls_layer_activation ? ((const activation *)layer->self)->f : NULL;
}
