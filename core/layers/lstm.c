/* lstm: long short-term memory (Hochreiter and Schmidhuber 1997; forget gates: Gers et al. 2000).
 * With s the logistic function, and o the product of numbers in the same place:
 *
 *     z = tanh(W^z x + R^z h + b^z)          block input
 *     i = s(W^i x + R^i h + b^i + p^i o c)   input gate; c and h are those of the step before
 *     f = s(W^f x + R^f h + b^f + p^f o c)   forget gate
 *     c' = f o c + i o z
 *     o = s(W^o x + R^o h + b^o + p^o o c')  output gate
 *     h' = o o tanh(c')
 *
 * p are the peepholes of Gers and Schmidhuber (2000), 0 without peephole=1. Gates are stored in the
 * order i, f, z, o, as PyTorch's are; "peephole" is [3, units] in the order i, f, o. */
#include "core/layers/recurrent.h"
#include "core/vector_math.h"

typedef struct lstm {
    ls_recurrent common;
    bool peephole;
    double forget_bias;
    int slot; /* of the peepholes */
} lstm;

enum { I, F, Z, O, H, C, FIELDS, NEW_C = FIELDS, PEEPHOLE_FIELDS }; /* C: before the step */

static const ls_option options[] = {
    LS_RECURRENT_OPTIONS,
    {"peephole", LS_OPTION_BOOL, offsetof(lstm, peephole), "0", 0, 1, NULL,
     "the gates see the memory cell of their own unit (Gers and Schmidhuber 2000)"},
    {"forget_bias", LS_OPTION_REAL, offsetof(lstm, forget_bias), "1", -100, 100, NULL,
     "what the forget gate's bias starts at, unless bias=0; above 0 memory lasts at first (Gers et "
     "al. 2000, "
     "Jozefowicz et al. 2015)"},
    {0}};

static const char *const examples[] = {
    "4,3 | lstm units=5",
    "1,2 | lstm units=33 bias=0",
    "5,2 | lstm units=34 last=1 peephole=1; dense units=2",
    "5,3 | lstm units=4 reverse=1 peephole=1; lstm units=3 reverse=1 last=1",
    "3,2 | lstm units=4 carry=1 peephole=1; lstm units=34 carry=1 last=1",
    "4,3 | lstm units=5 peephole=1 recurrent_dropout=0.4; lstm units=34 recurrent_dropout=0.5 "
    "last=1",
    "4,2 | a: lstm units=3; b: lstm @input units=3 reverse=1; concat @a,b; lstm units=2",
    NULL};

/* A row of a step: g [4 fields, p reals apart] from sums to gates, c and h to the next. w: [3, n]
 * peepholes, NULL: none. */
static LS_INLINE void value(long n, long p, const real *w, real *restrict g, real *restrict c,
                            real *restrict h)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real before = c[j];
        const real i = ls_math_logistic(g[j] + (w ? w[j] * before : 0));
        const real f = ls_math_logistic(g[p + j] + (w ? w[n + j] * before : 0));
        const real z = ls_math_tanh(g[2 * p + j]), after = f * before + i * z;
        const real o = ls_math_logistic(g[3 * p + j] + (w ? w[2 * n + j] * after : 0));
        g[j] = i;
        g[p + j] = f;
        g[2 * p + j] = z;
        g[3 * p + j] = o;
        c[j] = after;
        h[j] = o * ls_math_tanh(after);
    }
}

/* The way back: g from gates to the gradients by their sums, dc to that by the c before. */
static LS_INLINE void slope(long n, long p, const real *w, const real *restrict c,
                            const real *restrict dh, real *restrict g, real *restrict dc)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real i = g[j], f = g[p + j], z = g[2 * p + j], o = g[3 * p + j], before = c[j];
        const real t = ls_math_tanh(f * before + i * z);
        const real by_o = dh[j] * t * o * (1 - o);
        const real by_c = dc[j] + dh[j] * o * (1 - t * t) + (w ? w[2 * n + j] * by_o : 0);
        const real by_i = by_c * z * i * (1 - i), by_f = by_c * before * f * (1 - f);
        g[j] = by_i;
        g[p + j] = by_f;
        g[2 * p + j] = by_c * i * (1 - z * z);
        g[3 * p + j] = by_o;
        dc[j] = by_c * f + (w ? w[j] * by_i + w[n + j] * by_f : 0);
    }
}

static LS_CLONES void plain_value(long n, long p, real *restrict g, real *restrict c,
                                  real *restrict h)
{
    value(n, p, NULL, g, c, h);
}

static LS_CLONES void peephole_value(long n, long p, const real *restrict w, real *restrict g,
                                     real *restrict c, real *restrict h)
{
    value(n, p, w, g, c, h);
}

static LS_CLONES void plain_slope(long n, long p, const real *restrict c, const real *restrict dh,
                                  real *restrict g, real *restrict dc)
{
    slope(n, p, NULL, c, dh, g, dc);
}

static LS_CLONES void peephole_slope(long n, long p, const real *restrict w, const real *restrict c,
                                     const real *restrict dh, real *restrict g, real *restrict dc)
{
    slope(n, p, w, c, dh, g, dc);
}

static const real *peepholes(const ls_recurrent_step *step)
{
    const lstm *self = step->layer->self;
    return self->peephole ? ls_layer_value(step->layer, self->slot) : NULL;
}

static void forward(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    const real *w = peepholes(step);
    ls_recurrent_multiply(step, 0, step->state[0], true);
    for (long i = 0; i < step->rows; i++) {
        real *c = step->state[1] + i * n;
        real *gates = ls_recurrent_field(step, i, I), *h = step->state[0] + i * n;
        if (w) {
            peephole_value(n, step->self->padded, w, gates, c, h);
            memcpy(ls_recurrent_field(step, i, NEW_C), c, (size_t)n * sizeof *c);
        } else {
            plain_value(n, step->self->padded, gates, c, h);
        }
    }
}

static void backward(const ls_recurrent_step *step)
{
    const long n = step->self->units;
    const real *w = peepholes(step);
    for (long i = 0; i < step->rows; i++) {
        const real *c = ls_recurrent_field(step, i, C), *dh = step->state[0] + i * n;
        real *gates = ls_recurrent_field(step, i, I), *dc = step->state[1] + i * n;
        if (w)
            peephole_slope(n, step->self->padded, w, c, dh, gates, dc);
        else
            plain_slope(n, step->self->padded, c, dh, gates, dc);
    }
    ls_recurrent_back(step, 0, false, step->state[0]);
}

static const ls_recurrent_cell plain = {.gates = 4,
                                        .states = 2,
                                        .fields = FIELDS,
                                        .products = 1,
                                        .product = {{0, 4, H, I, H}},
                                        .forward = forward,
                                        .backward = backward};
static const ls_recurrent_cell with_peephole = {.gates = 4,
                                                .states = 2,
                                                .fields = PEEPHOLE_FIELDS,
                                                .products = 1,
                                                .product = {{0, 4, H, I, H}},
                                                .forward = forward,
                                                .backward = backward};

static bool setup(ls_layer *layer, ls_error *error)
{
    lstm *self = layer->self;
    const long units = self->common.units;
    const ls_initializer bias = {
        .kind = LS_INIT_CONSTANT, .scale = self->forget_bias, .only = {F * units, (F + 1) * units}};
    if (!ls_recurrent_setup(layer, self->peephole ? &with_peephole : &plain, &bias, error))
        return false;
    if (self->peephole)
        self->slot = ls_layer_claim(layer, "peephole", LS_SLOT_WEIGHT, &(ls_shape){2, {3, units}},
                                    &(ls_initializer){.kind = LS_INIT_UNIFORM, .scale = 0.1}, NULL);
    return true;
}

enum { WIDTH = 64 }; /* units whose sums are made together */

/* sum[n] += the sum over the lines of a[n] b[n]; n is at most WIDTH. */
static LS_CLONES void add_products(long lines, long line, const real *restrict a,
                                   const real *restrict b, long n, real *restrict sum)
{
    double total[WIDTH] = {0};
    for (long i = 0; i < lines; i++)
        for (long j = 0; j < n; j++)
            total[j] += (double)a[i * line + j] * (double)b[i * line + j];
    for (long j = 0; j < n; j++)
        sum[j] += (real)total[j];
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const lstm *self = layer->self;
    const ls_recurrent *common = &self->common;
    static const struct {
        int gate, cell;
    } sees[] = {{I, C}, {F, C}, {O, NEW_C}};
    ls_recurrent_gradient(layer, pass, args);
    real *const to = self->peephole ? ls_layer_gradient(layer, pass, self->slot) : NULL;
    const ls_interval own = ls_layer_args_part(args, common->units, WIDTH);
    const real *kept = args->kept;
    for (long row = 0; to && row < args->rows;) {
        const ls_interval lines = ls_layer_next_lines(args, common->steps, &row);
        const real *const first = kept + lines.begin * common->line;
        for (int k = 0; k < 3; k++)
            for (long j = own.begin; j < own.end; j += WIDTH)
                add_products(lines.end - lines.begin, common->line,
                             first + sees[k].gate * common->padded + j,
                             first + sees[k].cell * common->padded + j,
                             own.end - j < WIDTH ? own.end - j : WIDTH, to + k * common->units + j);
    }
}

const ls_layer_type ls_layer_lstm = {
    .name = "lstm",
    .help = "recurrent: long short-term memory",
    .examples = examples,
    .size = sizeof(lstm),
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
