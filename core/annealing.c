/* annealing: the runs are the rows of two products a temperature, with W and with its transpose,
 * and of two loops that sample from what the products made. The loop over hidden units also adds up
 * the weight's logarithm, since a sample and the next ratio need the same exponentials. */
#include "core/annealing.h"

#include <math.h>
#include <string.h>

#include "core/kernels/matrix.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/partition.h"
#include "core/random.h"
#include "core/vector_math.h"

/* Rows are as long as whole lanes. Beyond the units inputs, base and slope are 0, and so is what
 * they add to a sum; states there are drawn, but no product reads them. Within a block, a product
 * of a lane's numbers, up to 2 each, is below 2^65. */
enum { LANES = 16, HALF = LANES / 2, BLOCK = 64 * LANES };

typedef struct runs {
    const ls_annealing *of;
    uint64_t seed;
    long first, count, step;
    long v_row, h_row;  /* reals from row to row */
    real *v, *y;        /* [count, v_row] visible states, and their inputs a + h W */
    real *h, *x;        /* [count, h_row] hidden states, and their inputs b + W v */
    real *random;       /* of a row */
    real *base, *slope; /* [v_row] a0, a - a0 */
    double *linear;     /* [count] slope v */
    double constant;    /* that the visible term has beside slope v */
    real *turned, *scratch;
    double *log_weight; /* [count] */
} runs;

static long whole_lanes(long units)
{
    return (units + LANES - 1) / LANES * LANES;
}

static real *reals(long count)
{
    return ls_alloc((size_t)count, sizeof(real));
}

static runs create(const ls_annealing *a, long count)
{
    const ls_matrix up = {.out = a->hidden, .in = a->visible};
    const ls_matrix down = {.out = a->visible, .in = a->hidden};
    runs r = {.of = a, .count = count};
    r.v_row = whole_lanes(a->visible);
    r.h_row = whole_lanes(a->hidden);
    r.v = reals(count * r.v_row);
    r.y = reals(count * r.v_row);
    r.h = reals(count * r.h_row);
    r.x = reals(count * r.h_row);
    r.random = reals(ls_max(r.v_row, r.h_row));
    r.base = reals(r.v_row);
    r.slope = reals(r.v_row);
    r.turned = reals(ls_panel_size(a->visible, a->hidden));
    r.scratch = reals(ls_max(ls_matrix_scratch(&up), ls_matrix_scratch(&down)));
    r.linear = ls_alloc((size_t)count, sizeof(double));
    ls_matrix_turn(&up, a->weight, r.turned);
    for (long i = 0; i < a->visible; i++) {
        const double bias = (double)a->visible_bias[i], base = (double)a->base[i];
        r.base[i] = a->base[i];
        r.slope[i] = (real)(bias - base);
        r.constant -= a->normal ? (bias * bias - base * base) / 2 : 0;
    }
    return r;
}

static void destroy(const runs *r)
{
    real *const all[] = {r->v,    r->y,     r->h,      r->x,      r->random,
                         r->base, r->slope, r->turned, r->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ls_free(all[i]);
    ls_free(r->linear);
}

real ls_annealing_temperature(const ls_annealing *a, long k)
{
    const double first = 500.0 / 14500, second = 4500.0 / 14500; /* shares of the steps */
    const double at = (double)k / (double)a->temperatures;
    if (at <= first)
        return (real)(0.5 * at / first);
    return (real)(at <= second ? 0.5 + 0.4 * (at - first) / (second - first)
                               : 1 - 0.1 * (1 - at) / (1 - second));
}

/* 1 if u, uniform in [0, 1), is below the logistic function of z; e = e^-|z|. */
static LS_INLINE real sample(real u, real z, real e)
{
    return u * (1 + e) < (z < 0 ? e : 1);
}

/* h[n] = samples by to x. Returns the sum of ln(1 + e^(to x)) - ln(1 + e^(from x)): each is
 * max(z, 0) + ln(1 + e^-|z|), and the logarithms are added up as those of products. */
static LS_CLONES double sample_hidden(long n, const real *restrict x, const real *restrict u,
                                      real from, real to, real *restrict h)
{
    double total = 0;
    for (long begin = 0; begin < n; begin += BLOCK) {
        const long end = ls_min(begin + BLOCK, n);
        real high[LANES] = {0}, above[LANES], below[LANES];
        for (int k = 0; k < LANES; k++)
            above[k] = below[k] = 1;
        for (long j = begin; j < end; j += LANES)
            for (int k = 0; k < LANES; k++) {
                const real size = x[j + k] < 0 ? x[j + k] : -x[j + k];
                const real e = ls_math_exp(to * size);
                high[k] += x[j + k] < 0 ? 0 : x[j + k];
                above[k] += above[k] * e;
                below[k] += below[k] * ls_math_exp(from * size);
                h[j + k] = sample(u[j + k], x[j + k], e);
            }
        double ratio[2] = {1, 1};
        for (int k = 0; k < LANES; k++) {
            total += ((double)to - (double)from) * (double)high[k];
            ratio[k / HALF] *= (double)above[k] / (double)below[k];
        }
        total += log(ratio[0]) + log(ratio[1]);
    }
    return total;
}

/* v[n] = samples by the inputs z = to y + (1 - to) base. Returns the sum of slope v. */
static LS_CLONES double sample_bernoulli(long n, const real *restrict y, const real *restrict u,
                                         const runs *r, real to, real *restrict v)
{
    const real *restrict base = r->base, *restrict slope = r->slope;
    real sum[LANES] = {0};
    double total = 0;
    for (long i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const real z = to * y[i + k] + (1 - to) * base[i + k];
            v[i + k] = sample(u[i + k], z, ls_math_exp(z < 0 ? z : -z));
            sum[k] += slope[i + k] * v[i + k];
        }
    for (int k = 0; k < LANES; k++)
        total += (double)sum[k];
    return total;
}

static LS_CLONES double sample_normal(long n, const real *restrict y, const real *restrict u,
                                      const runs *r, real to, real *restrict v)
{
    const real *restrict base = r->base, *restrict slope = r->slope;
    real sum[LANES] = {0};
    double total = 0;
    for (long i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            v[i + k] = to * y[i + k] + (1 - to) * base[i + k] + u[i + k];
            sum[k] += slope[i + k] * v[i + k];
        }
    for (int k = 0; k < LANES; k++)
        total += (double)sum[k];
    return total;
}

/* v = samples by the visible inputs y, and `linear` of them. */
static void sample_visible(runs *r, real to)
{
    const ls_annealing *a = r->of;
    const ls_random stream =
        ls_random_stream(r->seed, LS_RANDOM_NOISE, (uint64_t)r->step, 1, LS_STREAM_ANNEALING);
    for (long i = 0; i < r->count; i++) {
        real *y = r->y + i * r->v_row, *v = r->v + i * r->v_row;
        const uint64_t run = (uint64_t)(r->first + i);
        if (a->normal)
            ls_random_normals(stream, run, 1, a->visible, r->random);
        else
            ls_random_uniform(stream, run, r->random, a->visible);
        r->linear[i] =
            (a->normal ? sample_normal : sample_bernoulli)(r->v_row, y, r->random, r, to, v);
    }
}

/* The step from a temperature to the next: the weights get p_to(v) / p_from(v), then v moves. */
static void move(runs *r, real from, real to)
{
    const ls_annealing *a = r->of;
    const ls_product up = {.rows = r->count,
                           .x = r->v,
                           .x_row = r->v_row,
                           .weight = a->weight,
                           .bias = a->hidden_bias,
                           .y = r->x,
                           .y_row = r->h_row,
                           .scratch = r->scratch};
    const ls_product down = {.rows = r->count,
                             .x = r->h,
                             .x_row = r->h_row,
                             .weight = r->turned,
                             .bias = a->visible_bias,
                             .y = r->y,
                             .y_row = r->v_row,
                             .scratch = r->scratch};
    const ls_random stream =
        ls_random_stream(r->seed, LS_RANDOM_NOISE, (uint64_t)++r->step, 0, LS_STREAM_ANNEALING);
    ls_matrix_apply(&(ls_matrix){.out = a->hidden, .in = a->visible}, &up);
    for (long i = 0; i < r->count; i++) {
        ls_random_uniform(stream, (uint64_t)(r->first + i), r->random, a->hidden);
        r->log_weight[i] += ((double)to - (double)from) * (r->linear[i] + r->constant) +
                            sample_hidden(r->h_row, r->x + i * r->h_row, r->random, (real)from,
                                          (real)to, r->h + i * r->h_row);
    }
    ls_matrix_apply(&(ls_matrix){.out = a->visible, .in = a->hidden}, &down);
    sample_visible(r, to);
}

/* Samples of the base model, moved up to the machine; the weights of that. */
static void ascend(runs *r)
{
    const ls_annealing *a = r->of;
    for (long i = 0; i < r->count; i++)
        r->log_weight[i] = 0;
    r->step++;
    sample_visible(r, 0);
    for (long k = 1; k <= a->temperatures; k++)
        move(r, ls_annealing_temperature(a, k - 1), ls_annealing_temperature(a, k));
}

/* Takes the states that an ascent has ended in, in place of those kept, with the probability
 * min(1, weight / kept weight): Metropolis's rule for independent proposals (Hastings 1970). */
static void accept(runs *r, real *kept, double *kept_weight)
{
    const ls_random stream =
        ls_random_stream(r->seed, LS_RANDOM_NOISE, (uint64_t)r->step, 2, LS_STREAM_ANNEALING);
    for (long i = 0; i < r->count; i++) {
        real u;
        ls_random_uniform(stream, (uint64_t)(r->first + i), &u, 1);
        if (log((double)u) >= r->log_weight[i] - kept_weight[i])
            continue;
        kept_weight[i] = r->log_weight[i];
        memcpy(kept + i * r->v_row, r->v + i * r->v_row, (size_t)r->v_row * sizeof *kept);
    }
}

/* Samples of the machine, as good as they can be had: what is left of several ascents. */
static void settle(runs *r)
{
    real *kept = reals(r->count * r->v_row);
    double *kept_weight = ls_alloc((size_t)r->count, sizeof *kept_weight);
    for (long i = 0; i < r->count; i++)
        kept_weight[i] = -INFINITY;
    for (int k = 0; k < LS_ANNEALING_ASCENTS; k++) {
        ascend(r);
        accept(r, kept, kept_weight);
    }
    memcpy(r->v, kept, (size_t)(r->count * r->v_row) * sizeof *kept);
    for (long i = 0; i < r->count; i++) {
        r->linear[i] = 0;
        for (long k = 0; k < r->v_row; k++)
            r->linear[i] += (double)r->slope[k] * (double)r->v[i * r->v_row + k];
    }
    ls_free(kept);
    ls_free(kept_weight);
}

void ls_annealing_run(const ls_annealing *a, uint64_t seed, long first, long count,
                      double *log_weight)
{
    runs r = create(a, count);
    r.seed = seed;
    r.first = first;
    r.log_weight = log_weight;
    if (a->reverse) {
        settle(&r);
        for (long i = 0; i < count; i++)
            log_weight[i] = 0;
        for (long k = a->temperatures; k > 0; k--)
            move(&r, ls_annealing_temperature(a, k), ls_annealing_temperature(a, k - 1));
    } else {
        ascend(&r);
    }
    destroy(&r);
}

/* ln Z_0: each hidden unit of the base model has the factor 2. */
static double base_log_z(const ls_annealing *a)
{
    const double pi = 3.14159265358979323846;
    double sum = (double)a->hidden * log(2);
    for (long i = 0; i < a->visible; i++) {
        const double bias = (double)a->base[i];
        sum += a->normal ? log(2 * pi) / 2 : fmax(bias, 0) + log1p(exp(-fabs(bias)));
    }
    return sum;
}

ls_annealing_estimate ls_annealing_conclude(const ls_annealing *a, long runs,
                                            const double *log_weight)
{
    const double n = (double)runs, mean = ls_partition_add(runs, log_weight) - log(n);
    double squares = 0;
    for (long i = 0; i < runs; i++)
        squares += exp(2 * (log_weight[i] - mean));
    /* Of weights whose mean is 1. */
    const double error = sqrt(fmax(squares / n - 1, 0) / (n - 1));
    const double less = error < 1.0 / 3 ? log1p(-3 * error) : -INFINITY, more = log1p(3 * error);
    const double log_z = base_log_z(a) + (a->reverse ? -mean : mean);
    return (ls_annealing_estimate){.log_z = log_z,
                                   .error = error,
                                   .low = log_z + (a->reverse ? -more : less),
                                   .high = log_z + (a->reverse ? -less : more),
                                   .runs = n * n / squares};
}
