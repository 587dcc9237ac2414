/* boltzmann: restricted Boltzmann machines; sums in 16 lanes, whose order depends on n only. */
#include "core/boltzmann.h"

#include <math.h>
#include <string.h>

#include "core/kernels/tile.h"
#include "core/minmax.h"
#include "core/pixels.h"
#include "core/vector_math.h"

/* A block is summed in reals, lane by lane; lanes and blocks are added in double. */
enum { LANES = 16, BLOCK = 64 * LANES };

/* -Li2(-e^x), the integral of ln(1 + e^x) from minus infinity: for x <= 0 the series of Li2(1 -
 * e^-s) in s = ln(1 + e^x), whose coefficients are B_k / (k + 1)!, and by the inversion formula
 * pi^2 / 6 + x^2 / 2 less that of -x above (Lewin 1981, 1.3 and 1.7). */
static LS_INLINE real dilogarithm(real x)
{
    static const double coefficient[] = {1.0 / 36,
                                         -1.0 / 3600,
                                         1.0 / 211680,
                                         -1.0 / 10886400,
                                         1.0 / 526901760,
                                         -691.0 / 16999766784000.0,
                                         1.0 / 1120863744000.0};
    const real s = ls_math_log1p_unit(ls_math_exp(x < 0 ? x : -x)), z = s * s;
    real q = 0;
    for (int k = (int)(sizeof coefficient / sizeof *coefficient) - 1; k >= 0; k--)
        q = q * z + (real)coefficient[k];
    const real below = s + z / 4 + s * z * q;
    return x < 0 ? below : (real)(M_PI * M_PI / 6) + x * x / 2 - below;
}

/* What one kind of units makes of up to a block of inputs: their means, and G = term + ln factor. A
 * sum of logarithms is the logarithm of a product, here of numbers up to 2: 64 of a lane are below
 * 2^65. */
typedef void make_units(long n, const real *restrict inputs, real *restrict means,
                        real *restrict term, real *restrict factor);

static LS_CLONES void make_bernoulli(long n, const real *restrict inputs, real *restrict means,
                                     real *restrict term, real *restrict factor)
{
    for (long j = 0; j < n; j++) {
        const real x = inputs[j], e = ls_math_exp(x < 0 ? x : -x);
        term[j] = x < 0 ? 0 : x;
        factor[j] = 1 + e;
        means[j] = (x < 0 ? e : 1) / (1 + e);
    }
}

static LS_CLONES void make_rectified(long n, const real *restrict inputs, real *restrict means,
                                     real *restrict term, real *restrict factor)
{
    for (long j = 0; j < n; j++) {
        term[j] = dilogarithm(inputs[j]);
        factor[j] = 1;
        means[j] = ls_math_softplus(inputs[j]);
    }
}

static LS_CLONES void make_gaussian(long n, const real *restrict inputs, real *restrict means,
                                    real *restrict term, real *restrict factor)
{
    for (long j = 0; j < n; j++) {
        term[j] = inputs[j] * inputs[j] / 2;
        factor[j] = 1;
        means[j] = inputs[j];
    }
}

typedef real lanes __attribute__((vector_size(LANES * sizeof(real)), may_alias));

/* Of a block that is filled up with terms of 0 and factors of 1. */
static LS_CLONES double add_lanes(long n, const real *term, const real *factor)
{
    lanes sum = {0}, product = sum + 1;
    for (long j = 0; j < n; j += LANES) {
        sum += *(const lanes *)(term + j);
        product *= *(const lanes *)(factor + j);
    }
    double total = 0, products[2] = {1, 1}; /* of eight lanes each: below 2^520, fits a double */
    for (int k = 0; k < LANES; k++) {
        total += (double)sum[k];
        products[k % 2] *= (double)product[k];
    }
    return total + log(products[0]) + log(products[1]);
}

double ls_boltzmann_means(ls_boltzmann_units units, long n, const real *inputs, real *means)
{
    static make_units *const make[] = {[LS_BOLTZMANN_BERNOULLI] = make_bernoulli,
                                       [LS_BOLTZMANN_GAUSSIAN] = make_gaussian,
                                       [LS_BOLTZMANN_RECTIFIED] = make_rectified};
    _Alignas(LANES * sizeof(real)) real term[BLOCK], factor[BLOCK], made[BLOCK];
    double total = 0;
    for (long begin = 0; begin < n; begin += BLOCK) {
        const long count = ls_min(n - begin, BLOCK), whole = (count + LANES - 1) / LANES * LANES;
        for (long j = whole - LANES; j < whole; j++)
            term[j] = 0, factor[j] = 1;
        make[units](count, inputs + begin, made, term, factor);
        if (means)
            memcpy(means + begin, made, (size_t)count * sizeof *made);
        total += add_lanes(whole, term, factor);
    }
    return total;
}

/* normals[n] become samples of rectified units. */
static LS_CLONES void rectify(long n, const real *restrict inputs, real *restrict normals)
{
    for (long j = 0; j < n; j++) {
        const real x = inputs[j] + normals[j] * ls_math_sqrt(ls_math_logistic(inputs[j]));
        normals[j] = x < 0 ? 0 : x;
    }
}

static LS_CLONES void add(long n, const real *restrict means, real *restrict normals)
{
    for (long j = 0; j < n; j++)
        normals[j] += means[j];
}

void ls_boltzmann_samples(ls_boltzmann_units units, ls_random stream, long row, long rows, long n,
                          const real *inputs, const real *means, real *samples)
{
    if (units != LS_BOLTZMANN_BERNOULLI)
        ls_random_normals(stream, (uint64_t)row, rows, n, samples);
    for (long r = 0; r < rows; r++) {
        real *own = samples + r * n;
        if (units == LS_BOLTZMANN_BERNOULLI) {
            ls_random_uniform(stream, (uint64_t)(row + r), own, n);
            ls_pixels_draw(n, means + r * n, own);
        } else if (units == LS_BOLTZMANN_RECTIFIED) {
            rectify(n, inputs + r * n, own);
        } else {
            add(n, means + r * n, own);
        }
    }
}

/* The products know nothing of the step. */
static const ls_pass plain = {.seed = 0};

bool ls_boltzmann_check(const ls_layer *line, ls_error *error)
{
    const int last = LS_BOLTZMANN_VISIBLE;
    return (line->slots > last && line->params->slots[line->slot[last]].kind == LS_SLOT_ASIDE) ||
           ls_error_set(error, LS_USAGE,
                        "%s/%s is of type %s and has no bias of visible units; a restricted "
                        "Boltzmann machine is a line `dense units=N visible=1`",
                        line->net->name, line->name, line->type->name);
}

static ls_interval lines_of(const ls_layer *line)
{
    const long i = ls_net_find(line->net, line->name);
    return (ls_interval){i, i + 1};
}

ls_boltzmann ls_boltzmann_create(const ls_layer *line, ls_boltzmann_units visible,
                                 ls_boltzmann_units hidden, long rows)
{
    return (ls_boltzmann){
        .line = line,
        .visible_units = visible,
        .hidden_units = hidden,
        .visible = ls_shape_count(&line->x[0]),
        .hidden = ls_shape_count(&line->y),
        .run = ls_workspace_create_part(line->net, lines_of(line), rows, LS_TRAINING)};
}

void ls_boltzmann_destroy(ls_boltzmann *machine)
{
    ls_workspace_destroy(machine->run);
    machine->run = NULL;
}

size_t ls_boltzmann_bytes(const ls_layer *line, long rows)
{
    return ls_workspace_bytes_part(line->net, lines_of(line), rows, LS_TRAINING);
}

const real *ls_boltzmann_hidden_inputs(const ls_boltzmann *machine, long rows, const real *v)
{
    return ls_workspace_forward(machine->run, &plain, v, rows);
}

void ls_boltzmann_visible_inputs(const ls_boltzmann *machine, long rows, const real *h, real *y)
{
    const real *bias = ls_layer_value(machine->line, LS_BOLTZMANN_VISIBLE);
    ls_workspace_enter(machine->run, NULL, rows);
    ls_workspace_backward(machine->run, &plain, h, y);
    for (long r = 0; r < rows; r++)
        add(machine->visible, bias, y + r * machine->visible);
}

void ls_boltzmann_gradient(const ls_boltzmann *machine, const ls_pass *pass, long rows,
                           const real *v, const real *slope)
{
    ls_workspace_enter(machine->run, v, rows);
    ls_workspace_backward(machine->run, pass, slope, NULL);
}

void ls_boltzmann_energies(const ls_boltzmann *machine, long rows, const real *v,
                           const real *inputs, real *means, double *energy)
{
    const real *bias = ls_layer_value(machine->line, LS_BOLTZMANN_VISIBLE);
    const long visible = machine->visible, hidden = machine->hidden;
    for (long r = 0; r < rows; r++) {
        const double own = machine->visible_units == LS_BOLTZMANN_GAUSSIAN
                               ? ls_pixels_squared(visible, v + r * visible, bias, NULL)
                               : -ls_math_dot(visible, bias, v + r * visible);
        energy[r] = own - ls_boltzmann_means(machine->hidden_units, hidden, inputs + r * hidden,
                                             means ? means + r * hidden : NULL);
    }
}

/* y[n] = x + W[:, i] by, from the weight in panels: of input i each has 32 outputs side by side. */
static LS_CLONES void add_column(const real *weight, long in, long i, long n, double by,
                                 const real *restrict x, real *restrict y)
{
    for (long o = 0; o < n; o += LS_PANEL) {
        const real *column = weight + o * in + i * LS_PANEL;
        for (long k = 0; k < ls_min(LS_PANEL, n - o); k++)
            y[o + k] = x[o + k] + column[k] * (real)by;
    }
}

double ls_boltzmann_change(const ls_boltzmann *machine, const real *v, const real *inputs, long i,
                           real value, real *column)
{
    const ls_layer *line = machine->line;
    const long n = machine->hidden;
    const double bias = (double)ls_layer_value(line, LS_BOLTZMANN_VISIBLE)[i];
    const double before = (double)v[i], after = (double)value, by = after - before;
    add_column(ls_layer_value(line, LS_BOLTZMANN_WEIGHT), machine->visible, i, n, by, inputs,
               column);
    const double own =
        machine->visible_units == LS_BOLTZMANN_GAUSSIAN
            ? ((after - bias) * (after - bias) - (before - bias) * (before - bias)) / 2
            : -bias * by;
    return own + ls_boltzmann_means(machine->hidden_units, n, inputs, NULL) -
           ls_boltzmann_means(machine->hidden_units, n, column, NULL);
}
