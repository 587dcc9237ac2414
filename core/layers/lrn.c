/* lrn: local response normalisation over neighbouring channels (the last dimension), as in
 * Krizhevsky, Sutskever, Hinton 2012, section 3.3, with n = size, an odd number:
 *
 *     s[c] = k + alpha * sum over |j - c| <= n / 2 of x[j]^2,        y = x s^-beta
 *     dx[c] = dy[c] s[c]^-beta - 2 alpha beta x[c] * sum over |j - c| <= n / 2 of dy[j] y[j] / s[j]
 *
 * PyTorch's LocalResponseNorm divides alpha by size: its alpha is n times ours. */
#include <string.h>

#include "core/layer.h"
#include "core/vector_math.h"

typedef struct lrn {
    long size;
    double alpha, beta, k;
} lrn;

static const ls_option options[] = {
    {"size", LS_OPTION_INT, offsetof(lrn, size), "5", 1, 1e4, NULL, "channels of a sum, odd"},
    {"alpha", LS_OPTION_REAL, offsetof(lrn, alpha), "1e-4", 0, 1e6, NULL,
     "factor of the sum (PyTorch's, divided by size)"},
    {"beta", LS_OPTION_REAL, offsetof(lrn, beta), "0.75", 0, 100, NULL, "power of the divisor"},
    {"k", LS_OPTION_REAL, offsetof(lrn, k), "2", 1e-6, 1e6, NULL, "added to the sum"},
    {0}};

static const char *const examples[] = {"2,3,7 | lrn alpha=0.1",
                                       "4,2 | lrn size=3 alpha=0.3 beta=0.6 k=0.5",
                                       "3 | lrn size=7 alpha=1 k=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const lrn *self = layer->self;
    const ls_shape *x = &layer->x[0];
    if (x->rank == 0)
        return ls_error_set(error, LS_USAGE,
                            "lrn normalises over channels, but its input is a scalar");
    if (self->size % 2 == 0)
        return ls_error_set(error, LS_USAGE,
                            "size=%ld has no middle: take an odd number of channels, %ld or %ld",
                            self->size, self->size - 1, self->size + 1);
    layer->y = *x;
    layer->scratch.fixed = (size_t)(3 * ls_shape_last(x) + self->size) * sizeof(real);
    layer->flops = (double)(ls_shape_count(x) * (self->size + 4));
    return true;
}

/* The channels of one pixel, in scratch. */
typedef struct pixel {
    long count, channels, size; /* count: of all pixels */
    real *padded;               /* [size / 2 + channels + size / 2], zeros on both sides */
    real *sum;                  /* [channels] */
    real *power;                /* [channels] s^-beta */
} pixel;

static pixel pixel_of(const ls_layer *layer, const ls_layer_args *args)
{
    const lrn *self = layer->self;
    real *scratch = args->scratch;
    long channels = ls_shape_last(&layer->y);
    pixel p = {.count = args->rows * (ls_shape_count(&layer->y) / channels),
               .channels = channels,
               .size = self->size,
               .padded = scratch + 2 * channels,
               .sum = scratch,
               .power = scratch + channels};
    memset(p.padded, 0, (size_t)(channels + self->size) * sizeof *scratch);
    return p;
}

/* sum[c] = start + alpha times the numbers of `padded` around c. */
static LS_INLINE void sum_neighbours(const pixel *p, real start, real alpha)
{
    const real *restrict padded = p->padded;
    real *restrict sum = p->sum;
    for (long c = 0; c < p->channels; c++)
        sum[c] = padded[c];
    for (long j = 1; j < p->size; j++)
        for (long c = 0; c < p->channels; c++)
            sum[c] += padded[c + j];
    for (long c = 0; c < p->channels; c++)
        sum[c] = start + alpha * sum[c];
}

/* power = s^-beta; 3/4, the usual beta, needs no pow. */
static LS_INLINE void invert(long n, const real *restrict s, double beta, real *restrict power)
{
    if (beta == 0.75)
        for (long c = 0; c < n; c++) {
            real root = ls_math_sqrt(s[c]);
            power[c] = 1 / (root * ls_math_sqrt(root));
        }
    else
        for (long c = 0; c < n; c++)
            power[c] = (real)pow((double)s[c], -beta);
}

/* sum = s and power = s^-beta, of the channels x. */
static LS_INLINE void divisors(const lrn *self, const pixel *p, const real *x)
{
    real *middle = p->padded + p->size / 2;
    for (long c = 0; c < p->channels; c++)
        middle[c] = x[c] * x[c];
    sum_neighbours(p, (real)self->k, (real)self->alpha);
    invert(p->channels, p->sum, self->beta, p->power);
}

static LS_CLONES void normalise(const lrn *self, const pixel *p, const real *x, real *y)
{
    const real *power = p->power;
    for (long i = 0; i < p->count; i++, x += p->channels, y += p->channels) {
        divisors(self, p, x);
        for (long c = 0; c < p->channels; c++)
            y[c] = x[c] * power[c];
    }
}

/* dx = or (add) += */
static LS_CLONES void slope(const lrn *self, const pixel *p, const real *x, const real *dy,
                            bool add, real *dx)
{
    const real *power = p->power, *sum = p->sum;
    real *middle = p->padded + p->size / 2;
    long n = p->channels;
    for (long i = 0; i < p->count; i++, x += n, dy += n, dx += n) {
        divisors(self, p, x);
        for (long c = 0; c < n; c++)
            middle[c] = dy[c] * x[c] * power[c] / sum[c];
        sum_neighbours(p, 0, (real)(2 * self->alpha * self->beta));
        for (long c = 0; c < n; c++)
            dx[c] = dy[c] * power[c] - x[c] * sum[c] + (add ? dx[c] : 0);
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    pixel p = pixel_of(layer, args);
    normalise(layer->self, &p, args->x[0], args->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    pixel p = pixel_of(layer, args);
    if (args->dx[0])
        slope(layer->self, &p, args->x[0], args->dy, args->add[0], args->dx[0]);
}

const ls_layer_type ls_layer_lrn = {
    .name = "lrn",
    .help = "local response normalisation over channels, as in AlexNet",
    .examples = examples,
    .size = sizeof(lrn),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .time.steps = ls_layer_same_steps,
};
