/* batchnorm: each channel brought to mean 0 and variance 1 over rows and pixels, then scaled and
 * shifted (Ioffe and Szegedy 2015, algorithm 1); a second input is added, then ReLU, in the same
 * pass over memory. With m numbers a channel, x^ = (x - mean) / sqrt(variance + epsilon):
 *
 *   y  = scale x^ + shift (+ other)                          other: the second input
 *   g  = dy, or 0 where ReLU made y 0                        dother = g
 *   dscale = sum g x^,  dshift = sum g
 *   dx = scale / sqrt(variance + epsilon) (g - dshift / m - x^ dscale / m)
 *
 * Of sequences of unequal length the steps that count are meant; behind them dy is 0.
 *
 * Training uses mean and variance (over m) of the shard's rows, or with sync=1 of the whole batch.
 * Evaluation, and training that may not change them, uses the running ones: each step moves them
 * towards mean and variance (over m - 1, PyTorch's rule) by the share `momentum`. They are state
 * slots, to which a step adds the sum of the shards' "gradients": numbers of the shard / (numbers
 * of the whole batch) * momentum * (statistic - running value), where numbers are those that count
 * of a channel. If a step applies the layer once more, the running value moves on from there, as by
 * PyTorch's next forward pass: since that is linear in what the shards' gradients hold by then,
 * each takes off momentum times its own. */
#include <math.h>
#include <string.h>

#include "core/kernels/norm.h"
#include "core/layer.h"
#include "core/minmax.h"

typedef struct batchnorm {
    double momentum, epsilon, scale;
    bool relu, sync;
} batchnorm;

enum { SCALE, SHIFT, MEAN, VARIANCE };       /* slots */
enum { CENTRE, SLOPE, TILT, OFFSET, LINES }; /* lines of scratch */
enum { SUMS = 3 };                           /* doubles of scratch for each channel */
/* Threads share the rows in chunks, and the sums of chunks are added in order. There are CHUNKS of
 * them, fewer if a chunk would have less than CHUNK_REALS: never a function of the threads. */
enum { CHUNKS = 16, CHUNK_REALS = 1 << 16, CHUNK_SUMS = 2 };

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
    "5 | batchnorm",
    "3,2,4 | batchnorm relu=1 scale=0.5",
    "2,3,3 | conv2d out=3 kernel=1 bias=0; batchnorm @conv2d1,input relu=1",
    "20 | a: dense units=70; b: batchnorm @a sync=1 epsilon=0.1; batchnorm @b,a momentum=0.5",
    "4 | a: batchnorm; dense units=4 bias=0; batchnorm relu=1 share=a",
    NULL};

static void claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, double start)
{
    ls_layer_claim(layer, parameter, kind, &(ls_shape){1, {ls_shape_last(&layer->y)}},
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
    layer->params->slots[layer->slot[VARIANCE]].squares = !layer->share.refused;
    size_t channels = (size_t)ls_shape_last(&layer->y);
    size_t width = (size_t)ls_norm_width((long)channels);
    layer->kept.fixed = (1 + 2 * channels) * sizeof(double);
    layer->scratch.fixed = (SUMS * channels + 2 * CHUNKS * CHUNK_SUMS * width) * sizeof(double) +
                           (LINES + CHUNKS * CHUNK_SUMS) * width * sizeof(real);
    layer->sums = self->sync;
    layer->flops = 8 * (double)ls_shape_count(&layer->y);
    return true;
}

static void range(const ls_layer *layer, double *low, double *high)
{
    const batchnorm *self = layer->self;
    *low = self->relu ? 0 : *low;
}

/* What one call of forward or backward uses. */
typedef struct work {
    const ls_layer *layer;
    const batchnorm *self;
    const ls_layer_args *args;
    long channels, width, n; /* n: reals of x */
    long chunks;
    /* Kept: how many numbers of a channel the statistics were made of (0: they are the running
     * ones, which are constants for the derivative), and the statistics. */
    double *count, *mean, *variance;
    /* Scratch. */
    double *sums;       /* [SUMS, channels] */
    double *chunk_sums; /* [CHUNKS, CHUNK_SUMS, width] */
    double *row_sums;   /* the same, of one row of each chunk */
    real *line[LINES];  /* [width] */
    real *chunk_lines;  /* [CHUNKS, CHUNK_SUMS, width] */
} work;

static work work_of(const ls_layer *layer, const ls_layer_args *args)
{
    work w = {.layer = layer,
              .self = layer->self,
              .args = args,
              .channels = ls_shape_last(&layer->y),
              .n = args->rows * ls_shape_count(&layer->y),
              .count = args->kept,
              .sums = args->scratch};
    w.width = ls_norm_width(w.channels);
    w.mean = w.count + 1;
    w.variance = w.mean + w.channels;
    w.chunk_sums = w.sums + SUMS * w.channels;
    w.row_sums = w.chunk_sums + CHUNKS * CHUNK_SUMS * w.width;
    real *lines = (real *)(w.row_sums + CHUNKS * CHUNK_SUMS * w.width);
    for (int k = 0; k < LINES; k++)
        w.line[k] = lines + k * w.width;
    w.chunk_lines = lines + LINES * w.width;
    w.chunks = ls_max(1, ls_min(CHUNKS, w.n / CHUNK_REALS));
    return w;
}

/* The reals of chunk k. */
static ls_interval chunk_of(const work *w, long k)
{
    long pixels = w->n / w->channels;
    return (ls_interval){pixels * k / w->chunks * w->channels,
                         pixels * (k + 1) / w->chunks * w->channels};
}

typedef void chunk_task(const work *w, long k);

/* Runs the task for every chunk, shared among the threads. Tasks of a second walk over the same
 * memory count chunks from the last, since the cache holds what was read last. */
static void each_chunk(const work *w, chunk_task *task)
{
#pragma omp parallel for num_threads(w->args->threads) if (w->args->threads > 1)
    for (long k = 0; k < w->chunks; k++)
        task(w, k);
}

static double *sums_of(const work *w, long k)
{
    return w->chunk_sums + k * CHUNK_SUMS * w->width;
}

/* w->sums[CHUNK_SUMS, channels] = the sums that the task makes of all chunks. */
static void sum_chunks(const work *w, chunk_task *task)
{
    each_chunk(w, task);
    memset(w->sums, 0, CHUNK_SUMS * (size_t)w->channels * sizeof *w->sums);
    for (long k = 0; k < w->chunks; k++)
        for (long s = 0; s < CHUNK_SUMS; s++)
            ls_norm_fold(sums_of(w, k) + s * w->width, w->channels, w->width,
                         w->sums + s * w->channels);
}

/* Sets a line of scratch to values[channels]. CENTRE gets the mean, rounded to `real`; OFFSET
 * corrects for the rounding. */
static void set_line(const work *w, int line, const double *values)
{
    ls_norm_spread(values, w->channels, w->width, w->line[line]);
}

static void take_running(const work *w)
{
    *w->count = 0;
    for (long c = 0; c < w->channels; c++) {
        w->mean[c] = (double)ls_layer_value(w->layer, MEAN)[c];
        w->variance[c] = (double)ls_layer_value(w->layer, VARIANCE)[c];
    }
}

/* From this rank's moments (w->variance: sums of squares) to those of all ranks. They add up sums
 * of x - running mean, which is the same on every rank, and near the mean: little is cancelled. */
static void join_ranks(const work *w, const ls_pass *pass)
{
    const real *shift = ls_layer_value(w->layer, MEAN);
    double *sum = w->sums + 1, *square = sum + w->channels, here = *w->count;
    w->sums[0] = here;
    for (long c = 0; c < w->channels; c++) {
        double apart = here > 0 ? w->mean[c] - (double)shift[c] : 0;
        sum[c] = here * apart;
        square[c] = w->variance[c] + here * apart * apart;
    }
    pass->sum(pass->context, w->sums, 1 + 2 * w->channels);
    const double all = w->sums[0];
    *w->count = all;
    if (all == 0)
        return;
    for (long c = 0; c < w->channels; c++) {
        w->mean[c] = (double)shift[c] + sum[c] / all;
        double squares = square[c] - sum[c] * sum[c] / all;
        w->variance[c] = squares < 0 ? 0 : squares; /* below 0 by rounding only */
    }
}

/* Reals [begin, end) of the arguments, for a pass of kernels/norm.h. */
static ls_norm norm_of(const work *w, ls_interval part)
{
    const long i = part.begin;
    return (ls_norm){.n = part.end - i,
                     .width = w->width,
                     .x = w->args->x[0] + i,
                     .other = w->layer->inputs == 2 ? w->args->x[1] + i : NULL,
                     .least = w->self->relu ? 0 : -INFINITY,
                     .y = w->self->relu ? w->args->y + i : NULL,
                     .dy = w->args->dy ? w->args->dy + i : NULL,
                     .centre = w->line[CENTRE],
                     .slope = w->line[SLOPE],
                     .tilt = w->line[TILT],
                     .shift = w->line[OFFSET]};
}

/* The reals of row r whose steps count. */
static ls_interval counting(const work *w, long r)
{
    const ls_shape *x = &w->layer->x[0];
    const long all = ls_shape_count(x);
    return (ls_interval){r * all, r * all + w->args->steps[r] * (all / x->at[0])};
}

/* Of sequences of unequal length, chunk k has some of the rows. */
static void chunk_of_rows(const work *w, long k)
{
    const long rows = w->args->rows, room = CHUNK_SUMS * w->width;
    double *sums = sums_of(w, k), *own = w->row_sums + k * room;
    memset(sums, 0, (size_t)room * sizeof *sums);
    for (long r = rows * k / w->chunks; r < rows * (k + 1) / w->chunks; r++) {
        const ls_norm norm = norm_of(w, counting(w, r));
        ls_norm_moments(&norm, own);
        for (long i = 0; i < room; i++)
            sums[i] += own[i];
    }
}

static void chunk_moments(const work *w, long k)
{
    const ls_norm norm = norm_of(w, chunk_of(w, k));
    ls_norm_moments(&norm, sums_of(w, k));
}

/* Numbers of a channel. */
static double count_numbers(const work *w)
{
    long reals = w->args->steps ? 0 : w->n;
    for (long r = 0; w->args->steps && r < w->args->rows; r++) {
        const ls_interval row = counting(w, r);
        reals += row.end - row.begin;
    }
    return (double)(reals / w->channels);
}

/* With a, the first row: mean = a + sum(x - a) / m, m variance = sum(x - a)^2 - m (mean - a)^2. If
 * a lies d from the mean, the subtraction loses about m d^2 times the epsilon of double; but
 * m variance is then at least about d^2, since a is one of the m numbers: so the relative error
 * stays near m epsilon. */
static void take_moments(const work *w, const ls_pass *pass)
{
    const double *sum = w->sums, *square = sum + w->channels;
    const double count = count_numbers(w);
    *w->count = count;
    for (long c = 0; c < w->channels; c++)
        w->mean[c] = count > 0 ? (double)w->args->x[0][c] : 0;
    set_line(w, CENTRE, w->mean);
    sum_chunks(w, w->args->steps ? chunk_of_rows : chunk_moments);
    for (long c = 0; c < w->channels; c++) {
        double apart = count > 0 ? sum[c] / count : 0;
        w->mean[c] += apart;
        w->variance[c] = square[c] - sum[c] * apart;
    }
    if (w->self->sync && pass->sum)
        join_ranks(w, pass);
    if (*w->count > 0)
        for (long c = 0; c < w->channels; c++)
            w->variance[c] /= *w->count;
}

static double slope_at(const work *w, long c)
{
    return (double)ls_layer_value(w->layer, SCALE)[c] / sqrt(w->variance[c] + w->self->epsilon);
}

static void chunk_apply(const work *w, long k)
{
    const ls_interval chunk = chunk_of(w, w->chunks - 1 - k);
    const ls_norm norm = norm_of(w, chunk);
    ls_norm_apply(&norm, w->args->y + chunk.begin);
}

/* Whether the pass normalises by the statistics of its rows and moves the running ones. */
static bool takes_rows(const ls_layer *layer, const ls_pass *pass)
{
    return pass->training && !ls_layer_frozen(layer, pass, MEAN) &&
           !ls_layer_frozen(layer, pass, VARIANCE);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    work w = work_of(layer, args);
    if (takes_rows(layer, pass))
        take_moments(&w, pass);
    else
        take_running(&w);
    set_line(&w, CENTRE, w.mean);
    double *slope = w.sums, *offset = w.sums + w.channels;
    for (long c = 0; c < w.channels; c++) {
        slope[c] = slope_at(&w, c);
        offset[c] = (double)ls_layer_value(layer, SHIFT)[c] +
                    ((double)w.line[CENTRE][c] - w.mean[c]) * slope[c];
    }
    set_line(&w, SLOPE, slope);
    set_line(&w, OFFSET, offset);
    each_chunk(&w, chunk_apply);
}

/* The shard's share of the numbers of the whole batch; shares of all shards add up to 1. */
static double share_of(const work *w, const ls_pass *pass)
{
    long own = 0;
    for (long r = 0; w->args->all_steps && r < w->args->rows; r++)
        own += w->args->steps[r];
    return w->args->all_steps ? (double)own / (double)w->args->all_steps
                              : ls_layer_pass_share(pass, w->args->rows);
}

static void add_running(const work *w, const ls_pass *pass)
{
    real *mean = ls_layer_gradient(w->layer, pass, MEAN);
    real *variance = ls_layer_gradient(w->layer, pass, VARIANCE);
    const double momentum = w->self->momentum;
    double share = share_of(w, pass) * momentum;
    double unbiased = *w->count > 1 ? *w->count / (*w->count - 1) : 1;
    for (long c = 0; c < w->channels; c++) {
        mean[c] += (real)(share * (w->mean[c] - (double)ls_layer_value(w->layer, MEAN)[c]) -
                          momentum * (double)mean[c]);
        variance[c] += (real)(share * (w->variance[c] * unbiased -
                                       (double)ls_layer_value(w->layer, VARIANCE)[c]) -
                              momentum * (double)variance[c]);
    }
}

static void chunk_products(const work *w, long k)
{
    const ls_norm norm = norm_of(w, chunk_of(w, k));
    ls_norm_products(&norm, sums_of(w, k), w->chunk_lines + k * CHUNK_SUMS * w->width);
}

/* w->sums[2, channels] = the sums of g, and of g (x - mean). */
static void sum_products(const work *w)
{
    double *sum = w->sums, *product = w->sums + w->channels;
    sum_chunks(w, chunk_products);
    for (long c = 0; c < w->channels; c++)
        product[c] += ((double)w->line[CENTRE][c] - w->mean[c]) * sum[c];
}

static void add_gradients(const work *w, const ls_pass *pass)
{
    real *scale = ls_layer_gradient(w->layer, pass, SCALE);
    real *shift = ls_layer_gradient(w->layer, pass, SHIFT);
    for (long c = 0; scale && c < w->channels; c++)
        scale[c] += (real)(w->sums[w->channels + c] / sqrt(w->variance[c] + w->self->epsilon));
    for (long c = 0; shift && c < w->channels; c++)
        shift[c] += (real)w->sums[c];
}

/* Lines for dx = slope g + tilt (x - centre) + offset; tilt and offset hold what comes from the
 * derivatives of the statistics. */
static void set_lines(const work *w)
{
    double *offset = w->sums, *tilt = offset + w->channels, *slope = tilt + w->channels;
    double part = *w->count > 0 ? 1 / *w->count : 0;
    for (long c = 0; c < w->channels; c++) {
        slope[c] = slope_at(w, c);
        tilt[c] *= -slope[c] * part / (w->variance[c] + w->self->epsilon);
        offset[c] =
            -slope[c] * part * offset[c] + tilt[c] * ((double)w->line[CENTRE][c] - w->mean[c]);
    }
    set_line(w, SLOPE, slope);
    set_line(w, TILT, tilt);
    set_line(w, OFFSET, offset);
}

static void chunk_dx(const work *w, long k)
{
    enum { BLOCK = 1 << 13 }; /* reals that stay in the cache between the two passes */
    const ls_interval chunk = chunk_of(w, w->chunks - 1 - k);
    const long block = ls_max(1, BLOCK / w->width) * w->width;
    for (long i = chunk.begin; i < chunk.end; i += block) {
        const ls_interval part = {i, ls_min(i + block, chunk.end)};
        const ls_norm norm = norm_of(w, part);
        if (w->args->dx[0])
            ls_norm_dx(&norm, w->args->add[0], w->args->dx[0] + i);
        if (w->args->dx[1])
            ls_norm_pass_on(&norm, w->args->add[1], w->args->dx[1] + i);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    work w = work_of(layer, args);
    set_line(&w, CENTRE, w.mean);
    sum_products(&w);
    add_gradients(&w, pass);
    if (pass->gradient && takes_rows(layer, pass))
        add_running(&w, pass);
    if (w.self->sync && pass->sum && takes_rows(layer, pass))
        pass->sum(pass->context, w.sums, 2 * w.channels);
    set_lines(&w);
    each_chunk(&w, chunk_dx);
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
    .time.steps = ls_layer_same_steps,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .range = range,
};
