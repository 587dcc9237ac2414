/* batchnorm: each channel brought to mean 0 and variance 1 over rows and places, then scaled and
 * shifted (Ioffe and Szegedy 2015, algorithm 1); a second input is added, then ReLU, in the same
 * pass over memory. With m numbers a channel, x^ = (x - mean) / sqrt(variance + epsilon):
 *
 *   y  = scale x^ + shift (+ other)                          other: the second input
 *   g  = dy, or 0 where ReLU made y 0                        dother = g
 *   dscale = sum g x^,  dshift = sum g
 *   dx = scale / sqrt(variance + epsilon) (g - dshift / m - x^ dscale / m)
 *
 * Training takes mean and variance (over m) of the shard's rows, or with sync=1 of the whole batch;
 * evaluation the running ones, which follow mean and variance (over m - 1, PyTorch's rule) by
 * `momentum` a step: their gradient is rows * momentum * (statistic - running value). */
#include <math.h>
#include <string.h>

#include "core/kernels/norm.h"
#include "core/layer.h"

typedef struct batchnorm {
    double momentum, epsilon, scale;
    bool relu, sync;
} batchnorm;

enum { SCALE, SHIFT, MEAN, VARIANCE };       /* slots */
enum { CENTRE, SLOPE, TILT, OFFSET, LINES }; /* lines of scratch */
enum { SUMS = 3 };                           /* doubles of scratch a channel */

static const ls_option options[] = {
    {"momentum", LS_OPTION_REAL, offsetof(batchnorm, momentum), "0.1", 0, 1, NULL,
     "share of a step's mean and variance in the running ones"},
    {"epsilon", LS_OPTION_REAL, offsetof(batchnorm, epsilon), "1e-5", 1e-30, 1e6, NULL,
     "added to the variance"},
    {"scale", LS_OPTION_REAL, offsetof(batchnorm, scale), "1", -1e6, 1e6, NULL,
     "what the learned scale starts at; 0: a residual block starts as its shortcut"},
    {"relu", LS_OPTION_BOOL, offsetof(batchnorm, relu), "0", 0, 1, NULL,
     "ReLU in the end, after a second input is added; its derivative at 0 is 0"},
    {"sync", LS_OPTION_BOOL, offsetof(batchnorm, sync), "0", 0, 1, NULL,
     "statistics of the whole batch, summed over the ranks, instead of the shard's"},
    {0}};

static const char *const examples[] = {
    "5 | batchnorm", "3,2,4 | batchnorm relu=1 scale=0.5",
    "2,3,3 | conv2d out=3 kernel=1 bias=0; batchnorm @conv2d1,input relu=1",
    "20 | a: dense units=70; b: batchnorm @a sync=1 epsilon=0.1; batchnorm @b,a momentum=0.5",
    NULL};

static long channels_of(const ls_layer *layer)
{
    return layer->y.rank ? layer->y.at[layer->y.rank - 1] : 1;
}

static void claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, double start)
{
    ls_layer_claim(layer, parameter, kind, &(ls_shape){1, {channels_of(layer)}},
                   &(ls_initializer){.kind = LS_INIT_CONSTANT, .scale = start}, NULL);
}

static bool setup(ls_layer *layer, ls_error *error)
{
    const batchnorm *self = layer->self;
    char first[96], second[96];
    if (layer->inputs == 2 && !ls_shape_equal(&layer->x[0], &layer->x[1]))
        return ls_error_set(error, LS_USAGE,
                            "the second input is added to the first, so both have one shape; here "
                            "are %s and %s",
                            ls_shape_text(&layer->x[0], first, sizeof first),
                            ls_shape_text(&layer->x[1], second, sizeof second));
    layer->y = layer->x[0];
    claim(layer, "scale", LS_SLOT_BIAS, self->scale);
    claim(layer, "shift", LS_SLOT_BIAS, 0);
    claim(layer, "mean", LS_SLOT_STATE, 0);
    claim(layer, "variance", LS_SLOT_STATE, 1);
    size_t channels = (size_t)channels_of(layer);
    size_t width = (size_t)ls_norm_width((long)channels);
    size_t block = self->relu ? (size_t)ls_norm_block((long)width) : 0;
    layer->kept.fixed = (1 + 2 * channels) * sizeof(double);
    layer->scratch.fixed =
        SUMS * channels * sizeof(double) + (LINES * width + block) * sizeof(real);
    layer->sums = self->sync;
    layer->flops = 8 * (double)ls_shape_count(&layer->y);
    return true;
}

/* What a call works with. */
typedef struct work {
    const batchnorm *self;
    long channels, width, n; /* n: reals of x */
    /* Kept: how many numbers of a channel the statistics are of (0: they are the running ones, and
     * constants for the derivative), and the statistics. */
    double *count, *mean, *variance;
    double *sums;      /* [SUMS * channels], scratch */
    real *line[LINES]; /* [width], scratch */
    real *masked;      /* a block, scratch; with relu */
} work;

static work work_of(const ls_layer *layer, const ls_io *io)
{
    work w = {.self = layer->self,
              .channels = channels_of(layer),
              .n = io->rows * ls_shape_count(&layer->y),
              .count = io->kept,
              .sums = io->scratch};
    w.width = ls_norm_width(w.channels);
    w.mean = w.count + 1;
    w.variance = w.mean + w.channels;
    real *lines = (real *)(w.sums + SUMS * w.channels);
    for (int k = 0; k < LINES; k++)
        w.line[k] = lines + k * w.width;
    w.masked = lines + LINES * w.width;
    return w;
}

static void take_running(const ls_layer *layer, const work *w)
{
    *w->count = 0;
    for (long c = 0; c < w->channels; c++) {
        w->mean[c] = (double)ls_layer_value(layer, MEAN)[c];
        w->variance[c] = (double)ls_layer_value(layer, VARIANCE)[c];
    }
}

/* From this rank's moments (in mean and variance: sums of squares) to those of all ranks, by sums
 * of x - running mean and of its square: the same shift everywhere, and near the mean. */
static void join_ranks(const ls_layer *layer, const ls_pass *pass, const work *w)
{
    const real *shift = ls_layer_value(layer, MEAN);
    double *sum = w->sums + 1, *square = sum + w->channels, own = *w->count;
    w->sums[0] = own;
    for (long c = 0; c < w->channels; c++) {
        double apart = own > 0 ? w->mean[c] - (double)shift[c] : 0;
        sum[c] = own * apart;
        square[c] = w->variance[c] + own * apart * apart;
    }
    pass->sum(pass->context, w->sums, 1 + 2 * w->channels);
    double all = *w->count = w->sums[0];
    for (long c = 0; all > 0 && c < w->channels; c++) {
        w->mean[c] = (double)shift[c] + sum[c] / all;
        double squares = square[c] - sum[c] * sum[c] / all;
        w->variance[c] = squares < 0 ? 0 : squares; /* by rounding */
    }
}

static void take_moments(const ls_layer *layer, const ls_pass *pass, const ls_io *io, const work *w)
{
    *w->count = (double)(w->n / w->channels);
    ls_norm_moments(io->x[0], w->n, w->channels, w->mean, w->variance, w->line[0]);
    if (w->self->sync && pass->sum)
        join_ranks(layer, pass, w);
    for (long c = 0; *w->count > 0 && c < w->channels; c++)
        w->variance[c] /= *w->count;
}

/* centre is the mean as a real; what that rounds off is in the offset. */
static void set_centre(const work *w)
{
    ls_norm_spread(w->mean, w->channels, w->width, w->line[CENTRE]);
}

static double slope_at(const ls_layer *layer, const work *w, long c)
{
    return (double)ls_layer_value(layer, SCALE)[c] / sqrt(w->variance[c] + w->self->epsilon);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    work w = work_of(layer, io);
    if (pass->training)
        take_moments(layer, pass, io, &w);
    else
        take_running(layer, &w);
    set_centre(&w);
    double *slope = w.sums, *offset = w.sums + w.channels;
    for (long c = 0; c < w.channels; c++) {
        slope[c] = slope_at(layer, &w, c);
        offset[c] = (double)ls_layer_value(layer, SHIFT)[c] +
                    ((double)w.line[CENTRE][c] - w.mean[c]) * slope[c];
    }
    ls_norm_spread(slope, w.channels, w.width, w.line[SLOPE]);
    ls_norm_spread(offset, w.channels, w.width, w.line[OFFSET]);
    ls_norm_apply(io->x[0], layer->inputs == 2 ? io->x[1] : NULL, w.n, w.width, w.line[CENTRE],
                  w.line[SLOPE], w.line[OFFSET], w.self->relu, io->y);
}

/* g of the block at i. */
static const real *masked(const work *w, const ls_io *io, long i, long count)
{
    if (!w->self->relu)
        return io->dy + i;
    ls_norm_mask(io->y + i, io->dy + i, count, w->masked);
    return w->masked;
}

static void add_running(const ls_layer *layer, const ls_pass *pass, const ls_io *io, const work *w)
{
    real *mean = ls_layer_gradient(layer, pass, MEAN);
    real *variance = ls_layer_gradient(layer, pass, VARIANCE);
    double share = (double)io->rows * w->self->momentum;
    double unbiased = *w->count > 1 ? *w->count / (*w->count - 1) : 1;
    for (long c = 0; c < w->channels; c++) {
        mean[c] += (real)(share * (w->mean[c] - (double)ls_layer_value(layer, MEAN)[c]));
        variance[c] += (real)(share * (w->variance[c] * unbiased -
                                       (double)ls_layer_value(layer, VARIANCE)[c]));
    }
}

/* sums[channels] of g, and of g (x - mean) after them. */
static void sum_products(const work *w, const ls_io *io)
{
    double *sum = w->sums, *product = w->sums + w->channels;
    long block = ls_norm_block(w->width);
    memset(sum, 0, 2 * (size_t)w->channels * sizeof *sum);
    for (long i = 0; i < w->n; i += block) {
        long count = w->n - i < block ? w->n - i : block;
        ls_norm_products(io->x[0] + i, masked(w, io, i, count), count, w->channels, w->line[CENTRE],
                         sum, product, w->line[SLOPE]);
    }
    for (long c = 0; c < w->channels; c++)
        product[c] += ((double)w->line[CENTRE][c] - w->mean[c]) * sum[c];
}

static void add_gradients(const ls_layer *layer, const ls_pass *pass, const work *w)
{
    real *scale = ls_layer_gradient(layer, pass, SCALE);
    real *shift = ls_layer_gradient(layer, pass, SHIFT);
    for (long c = 0; c < w->channels; c++) {
        scale[c] += (real)(w->sums[w->channels + c] / sqrt(w->variance[c] + w->self->epsilon));
        shift[c] += (real)w->sums[c];
    }
}

/* dx = slope g + tilt (x - centre) + offset; the statistics' own derivative is in tilt and offset.
 */
static void set_lines(const ls_layer *layer, const work *w)
{
    double *offset = w->sums, *tilt = offset + w->channels, *slope = tilt + w->channels;
    double part = *w->count > 0 ? 1 / *w->count : 0;
    for (long c = 0; c < w->channels; c++) {
        slope[c] = slope_at(layer, w, c);
        tilt[c] *= -slope[c] * part / (w->variance[c] + w->self->epsilon);
        offset[c] =
            -slope[c] * part * offset[c] + tilt[c] * ((double)w->line[CENTRE][c] - w->mean[c]);
    }
    ls_norm_spread(slope, w->channels, w->width, w->line[SLOPE]);
    ls_norm_spread(tilt, w->channels, w->width, w->line[TILT]);
    ls_norm_spread(offset, w->channels, w->width, w->line[OFFSET]);
}

static void set_dx(const work *w, const ls_io *io)
{
    long block = ls_norm_block(w->width);
    for (long i = 0; i < w->n; i += block) {
        long count = w->n - i < block ? w->n - i : block;
        const real *g = masked(w, io, i, count);
        if (io->dx[0])
            ls_norm_dx(io->x[0] + i, g, count, w->width, w->line[CENTRE], w->line[SLOPE],
                       w->line[TILT], w->line[OFFSET], io->add[0], io->dx[0] + i);
        if (io->dx[1])
            ls_norm_pass_on(g, count, io->add[1], io->dx[1] + i);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    work w = work_of(layer, io);
    set_centre(&w);
    sum_products(&w, io);
    if (pass->gradient)
        add_gradients(layer, pass, &w);
    if (pass->gradient && pass->training)
        add_running(layer, pass, io, &w);
    if (w.self->sync && pass->sum && pass->training)
        pass->sum(pass->context, w.sums, 2 * w.channels);
    set_lines(layer, &w);
    set_dx(&w, io);
}

const ls_layer_type ls_layer_batchnorm = {
    .name = "batchnorm",
    .help = "channels (the last dimension) brought to mean 0 and variance 1 over the rows; may add "
            "a second input and end in ReLU: batchnorm @conv3,shortcut relu=1",
    .examples = examples,
    .size = sizeof(batchnorm),
    .options = options,
    .inputs_min = 1,
    .inputs_max = 2,
    .mixes_rows = true,
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
