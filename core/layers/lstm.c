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
 * order i, f, z, o, as PyTorch's are; "peephole" is [3, units] in the order i, f, o.
 *
 * With norm=1 what each gate's function is applied to is normalized over the units, and so is the
 * cell on its way into h (layer normalization: Ba et al. 2016; in the form of Ha et al. 2016, which
 * normalizes W x + R h of each gate by itself):
 *
 *     LN(a) = scale o (a - mean(a)) / sqrt(variance(a) + EPSILON) + shift
 *     i = s(LN(W^i x + R^i h)), f, z and o likewise;  h' = o o tanh(LN(c'))
 *
 * "scale" and "shift" are [5, units] in the order i, f, z, o, c'; the shifts are in the place of
 * the biases, and with bias=0 there are none. */
#include <math.h>

#include "core/layers/recurrent.h"
#include "core/vector_math.h"

#define EPSILON 1e-5

typedef struct lstm {
    ls_recurrent common;
    bool peephole, norm;
    double forget_bias;
    bool shifts;                 /* set up: with norm=1, and without bias=0 */
    int peepholes, scale, shift; /* slots */
} lstm;

/* The fields of a line; C is the cell before the step. With norm=1 there are two more for each of
 * the NORMS that are normalized, I to O and CELL: field NORMAL + k is the k-th before scale and
 * shift; field BY + k is after backward the gradient by what scale and shift make of it. Forward
 * leaves 1 / sqrt(variance + EPSILON) in the first number of BY + k. */
enum { I, F, Z, O, H, C, FIELDS, NEW_C = FIELDS, PEEPHOLE_FIELDS };
enum { CELL = O + 1, NORMS, NORMAL = FIELDS, BY = NORMAL + NORMS, NORM_FIELDS = BY + NORMS };

static const ls_option options[] = {
    LS_RECURRENT_OPTIONS,
    {"peephole", LS_OPTION_BOOL, offsetof(lstm, peephole), "0", 0, 1, NULL,
     "the gates see the memory cell of their own unit (Gers and Schmidhuber 2000)"},
    {"norm", LS_OPTION_BOOL, offsetof(lstm, norm), "0", 0, 1, NULL,
     "1: normalizes the sums of each gate and the cell over the units (Ba et al. 2016)"},
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
    "4,3 | lstm units=5 norm=1 carry=1 recurrent_dropout=0.3; lstm units=34 norm=1 bias=0 last=1",
    "5,3 | lstm units=4 reverse=1 norm=1; lstm units=33 norm=1",
    "4,2 | a: lstm units=3; b: lstm @input units=3 reverse=1; concat @a,b; lstm units=2",
    NULL};

/* A row of a step: g [4 fields, p reals apart] from sums to gates, c and h to the next. w: [3, n]
 * peepholes, NULL: none. h NULL: it is not made. */
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
        if (h)
            h[j] = o * ls_math_tanh(after);
    }
}

/* The way back of a unit through c' = f o c + i o z: by_c is the gradient by c', `before` is c. The
 * gates i, f and z become the gradients by their sums; returns the gradient by c. */
static LS_INLINE real memory_slope(real before, real by_c, real *i, real *f, real *z)
{
    const real in = *i, keep = *f, input = *z;
    *i = by_c * input * in * (1 - in);
    *f = by_c * before * keep * (1 - keep);
    *z = by_c * in * (1 - input * input);
    return by_c * keep;
}

/* The way back: g from gates to the gradients by their sums, dc to that by the c before. */
static LS_INLINE void slope(long n, long p, const real *w, const real *restrict c,
                            const real *restrict dh, real *restrict g, real *restrict dc)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real t = ls_math_tanh(g[p + j] * c[j] + g[j] * g[2 * p + j]), o = g[3 * p + j];
        const real by_o = dh[j] * t * o * (1 - o);
        const real by_c = dc[j] + dh[j] * o * (1 - t * t) + (w ? w[2 * n + j] * by_o : 0);
        const real by_before = memory_slope(c[j], by_c, &g[j], &g[p + j], &g[2 * p + j]);
        g[3 * p + j] = by_o;
        dc[j] = by_before + (w ? w[j] * g[j] + w[n + j] * g[p + j] : 0);
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
    return self->peephole ? ls_layer_value(step->layer, self->peepholes) : NULL;
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

/* a = (x - mean) * inverse, with inverse = 1 / sqrt(variance + EPSILON); y = scale o a + shift,
 * which may be x. shift NULL: of zeros. */
static LS_CLONES void normalize(long n, const real *restrict scale, const real *restrict shift,
                                const real *x, real *restrict a, real *restrict inverse, real *y)
{
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (long j = 0; j < n; j++)
        sum += x[j];
    const real mean = sum / (real)n;
#pragma omp simd reduction(+ : squares)
    for (long j = 0; j < n; j++)
        squares += (x[j] - mean) * (x[j] - mean);
    const real by = (real)(1 / sqrt((double)(squares / (real)n) + EPSILON));
#pragma omp simd
    for (long j = 0; j < n; j++) {
        a[j] = (x[j] - mean) * by;
        y[j] = scale[j] * a[j] + (shift ? shift[j] : 0);
    }
    *inverse = by;
}

/* The way back through normalize: d is the gradient by y and becomes that by x. by_y[0] is
 * `inverse` and by_y becomes the gradient by y. */
static LS_CLONES void normalize_slope(long n, const real *restrict scale, const real *restrict a,
                                      real *restrict d, real *restrict by_y)
{
    const real inverse = by_y[0];
    real sum = 0, along = 0;
#pragma omp simd reduction(+ : sum, along)
    for (long j = 0; j < n; j++) {
        const real by_a = scale[j] * d[j];
        sum += by_a;
        along += by_a * a[j];
    }
    sum /= (real)n;
    along /= (real)n;
#pragma omp simd
    for (long j = 0; j < n; j++) {
        by_y[j] = d[j];
        d[j] = (scale[j] * d[j] - sum - along * a[j]) * inverse;
    }
}

/* value of gates whose sums are normalized; h is made by norm_output. */
static LS_CLONES void norm_value(long n, long p, real *restrict g, real *restrict c)
{
    value(n, p, NULL, g, c, NULL);
}

/* h = o o tanh(y), of the output gate o and the normalized cell y. */
static LS_CLONES void norm_output(long n, const real *restrict o, const real *restrict y,
                                  real *restrict h)
{
#pragma omp simd
    for (long j = 0; j < n; j++)
        h[j] = o[j] * ls_math_tanh(y[j]);
}

/* The way back through norm_output: o to the gradient by its sum; d is that by the normalized cell,
 * scale o a + shift. */
static LS_CLONES void norm_output_slope(long n, const real *restrict scale,
                                        const real *restrict shift, const real *restrict a,
                                        const real *restrict dh, real *restrict o, real *restrict d)
{
#pragma omp simd
    for (long j = 0; j < n; j++) {
        const real t = ls_math_tanh(scale[j] * a[j] + (shift ? shift[j] : 0));
        d[j] = dh[j] * o[j] * (1 - t * t);
        o[j] = dh[j] * t * o[j] * (1 - o[j]);
    }
}

/* The way back through norm_value, but for the output gate; d is the gradient by the new c on its
 * way into h. */
static LS_CLONES void norm_slope(long n, long p, const real *restrict c, const real *restrict d,
                                 real *restrict g, real *restrict dc)
{
#pragma omp simd
    for (long j = 0; j < n; j++)
        dc[j] = memory_slope(c[j], dc[j] + d[j], &g[j], &g[p + j], &g[2 * p + j]);
}

/* The scales of what is normalized k-th, and its shifts; NULL: it has none. */
static const real *scale_of(const ls_recurrent_step *step, int k)
{
    const lstm *self = step->layer->self;
    return ls_layer_value(step->layer, self->scale) + k * step->self->units;
}

static const real *shift_of(const ls_recurrent_step *step, int k)
{
    const lstm *self = step->layer->self;
    return self->shifts ? ls_layer_value(step->layer, self->shift) + k * step->self->units : NULL;
}

static void norm_row(const ls_recurrent_step *step, long i, int k, const real *x, real *y)
{
    normalize(step->self->units, scale_of(step, k), shift_of(step, k), x,
              ls_recurrent_field(step, i, NORMAL + k), ls_recurrent_field(step, i, BY + k), y);
}

static void norm_row_slope(const ls_recurrent_step *step, long i, int k, real *d)
{
    normalize_slope(step->self->units, scale_of(step, k), ls_recurrent_field(step, i, NORMAL + k),
                    d, ls_recurrent_field(step, i, BY + k));
}

static void norm_forward(const ls_recurrent_step *step)
{
    const long n = step->self->units, p = step->self->padded;
    ls_recurrent_multiply(step, 0, step->state[0], true);
    for (long i = 0; i < step->rows; i++) {
        real *g = ls_recurrent_field(step, i, I), *c = step->state[1] + i * n;
        for (int k = I; k <= O; k++)
            norm_row(step, i, k, g + k * p, g + k * p);
        norm_value(n, p, g, c);
        norm_row(step, i, CELL, c, step->spare);
        norm_output(n, g + O * p, step->spare, step->state[0] + i * n);
    }
}

static void norm_backward(const ls_recurrent_step *step)
{
    const long n = step->self->units, p = step->self->padded;
    for (long i = 0; i < step->rows; i++) {
        real *g = ls_recurrent_field(step, i, I), *dc = step->state[1] + i * n;
        norm_output_slope(n, scale_of(step, CELL), shift_of(step, CELL),
                          ls_recurrent_field(step, i, NORMAL + CELL), step->state[0] + i * n,
                          g + O * p, step->spare);
        norm_row_slope(step, i, CELL, step->spare);
        norm_slope(n, p, ls_recurrent_field(step, i, C), step->spare, g, dc);
        for (int k = I; k <= O; k++)
            norm_row_slope(step, i, k, g + k * p);
    }
    ls_recurrent_back(step, 0, false, step->state[0]);
}

enum { PLAIN, PEEPHOLE, NORM };
static const ls_recurrent_cell cells[] = {
    [PLAIN] = {.gates = 4,
               .states = 2,
               .fields = FIELDS,
               .products = 1,
               .product = {{0, 4, H, I, H}},
               .forward = forward,
               .backward = backward},
    [PEEPHOLE] = {.gates = 4,
                  .states = 2,
                  .fields = PEEPHOLE_FIELDS,
                  .products = 1,
                  .product = {{0, 4, H, I, H}},
                  .forward = forward,
                  .backward = backward},
    [NORM] = {.gates = 4,
              .states = 2,
              .fields = NORM_FIELDS,
              .products = 1,
              .product = {{0, 4, H, I, H}},
              .forward = norm_forward,
              .backward = norm_backward},
};

static bool setup(ls_layer *layer, ls_error *error)
{
    lstm *self = layer->self;
    const long units = self->common.units;
    const ls_initializer bias = {
        .kind = LS_INIT_CONSTANT, .scale = self->forget_bias, .only = {F * units, (F + 1) * units}};
    if (self->norm && self->peephole)
        return ls_error_set(error, LS_USAGE,
                            "norm=1 does not go with peephole=1: leave one of them out");
    self->shifts = self->norm && self->common.bias;
    self->common.bias = self->common.bias && !self->norm;
    const int cell = self->norm ? NORM : self->peephole ? PEEPHOLE : PLAIN;
    if (!ls_recurrent_setup(layer, &cells[cell], &bias, error))
        return false;
    if (self->norm)
        self->scale = ls_layer_claim(layer, "scale", LS_SLOT_BIAS, &(ls_shape){2, {NORMS, units}},
                                     &(ls_initializer){.kind = LS_INIT_CONSTANT, .scale = 1}, NULL);
    if (self->shifts)
        self->shift = ls_layer_claim(layer, "shift", LS_SLOT_BIAS, &(ls_shape){2, {NORMS, units}},
                                     &bias, NULL);
    if (self->peephole)
        self->peepholes =
            ls_layer_claim(layer, "peephole", LS_SLOT_WEIGHT, &(ls_shape){2, {3, units}},
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

/* to[units] += the sum over all lines that count of the products of two fields' numbers. */
static void add_fields(const ls_layer *layer, const ls_layer_args *args, int a, int b, real *to)
{
    const ls_recurrent *common = layer->self;
    const ls_interval own = ls_layer_args_part(args, common->units, WIDTH);
    const real *kept = args->kept;
    for (long row = 0; row < args->rows;) {
        const ls_interval lines = ls_layer_next_lines(args, common->steps, &row);
        const real *const first = kept + lines.begin * common->line;
        for (long j = own.begin; j < own.end; j += WIDTH)
            add_products(lines.end - lines.begin, common->line, first + a * common->padded + j,
                         first + b * common->padded + j, own.end - j < WIDTH ? own.end - j : WIDTH,
                         to + j);
    }
}

static void norm_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const lstm *self = layer->self;
    const ls_recurrent *common = &self->common;
    real *const scale = ls_layer_gradient(layer, pass, self->scale);
    real *const shift = self->shifts ? ls_layer_gradient(layer, pass, self->shift) : NULL;
    const ls_interval own = ls_layer_args_part(args, common->units, 1);
    const real *by = (const real *)args->kept + BY * common->padded + own.begin;
    for (int k = 0; k < NORMS; k++) {
        if (scale)
            add_fields(layer, args, BY + k, NORMAL + k, scale + k * common->units);
        if (shift)
            ls_recurrent_sum(layer, args, by + k * common->padded, own.end - own.begin,
                             shift + k * common->units + own.begin);
    }
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const lstm *self = layer->self;
    static const struct {
        int gate, cell;
    } sees[] = {{I, C}, {F, C}, {O, NEW_C}};
    ls_recurrent_gradient(layer, pass, args);
    real *const to = self->peephole ? ls_layer_gradient(layer, pass, self->peepholes) : NULL;
    for (int k = 0; to && k < 3; k++)
        add_fields(layer, args, sees[k].gate, sees[k].cell, to + k * self->common.units);
    if (self->norm)
        norm_gradient(layer, pass, args);
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
