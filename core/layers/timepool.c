/* timepool: one vector of a sequence, whatever its length and wherever in it something happens: x
 * [time, features] becomes y [features], over the steps t that count, n of them,
 *
 *     sum     y = sum of x[t]                     mean    y = sum of x[t] / n
 *     max     y = largest x[t], whose dx goes to the first such step
 *     stat    y = [m, s], m the mean, s = sqrt(sum of (x[t] - m)^2 / n + 1e-5)
 *             dx[t] = (dm + ds (x[t] - m) / s) / n
 *
 * The last is the statistics pooling of Snyder et al. 2018. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/layer.h"

typedef struct timepool {
    int type;
} timepool;

enum { SUM, MEAN, MAX, STAT };
static const char *const types[] = {"sum", "mean", "max", "stat", NULL};
static const double least_variance = 1e-5; /* a root has no slope at 0 */

static const ls_option options[] = {
    {"type", LS_OPTION_CHOICE, offsetof(timepool, type), "mean", 0, 0, types,
     "sum, mean or max over the steps, or stat: mean and deviation"},
    {0}};

static const char *const examples[] = {"5,3 | timepool type=sum",
                                       "5,3 | timepool",
                                       "5,3 | timepool type=max",
                                       "5,3 | timepool type=stat",
                                       "6,3 | lstm units=4; timepool type=stat; dense units=2",
                                       NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const timepool *self = layer->self;
    const ls_shape *x = &layer->x[0];
    char text[96];
    if (x->rank != 2)
        return ls_error_set(error, LS_USAGE,
                            "timepool takes sequences, [time, features] a row, found %s",
                            ls_shape_text(x, text, sizeof text));
    layer->y = (ls_shape){1, {x->at[1] * (self->type == STAT ? 2 : 1)}};
    layer->flops = (double)ls_shape_count(x) * (self->type == STAT ? 4 : 1);
    return true;
}

/* y = the sum of n vectors x, divided. */
static void add_up(long n, long width, const real *x, real divisor, real *y)
{
    memset(y, 0, (size_t)width * sizeof *y);
    for (long t = 0; t < n; t++)
        for (long j = 0; j < width; j++)
            y[j] += x[t * width + j];
    for (long j = 0; j < width; j++)
        y[j] /= divisor;
}

static void find_deviations(long n, long width, const real *x, const real *mean, real *y)
{
    memset(y, 0, (size_t)width * sizeof *y);
    for (long t = 0; t < n; t++)
        for (long j = 0; j < width; j++) {
            const real apart = x[t * width + j] - mean[j];
            y[j] += apart * apart;
        }
    for (long j = 0; j < width; j++)
        y[j] = (real)sqrt((double)(y[j] / (real)n) + least_variance);
}

/* The first step of the largest number of a feature; a NaN counts as larger. */
static long find_largest(long n, long width, const real *x)
{
    long at = 0;
    for (long t = 1; t < n && !isnan(x[at * width]); t++)
        at = x[t * width] <= x[at * width] ? at : t;
    return at;
}

static long steps_of(const ls_layer *layer, const ls_layer_args *args, long row)
{
    return args->steps ? args->steps[row] : layer->x[0].at[0];
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const timepool *self = layer->self;
    const long width = layer->x[0].at[1], all = ls_shape_count(&layer->x[0]);
    for (long r = 0; r < args->rows; r++) {
        const real *x = args->x[0] + r * all;
        real *y = args->y + r * ls_shape_count(&layer->y);
        const long n = steps_of(layer, args, r);
        if (self->type == MAX)
            for (long j = 0; j < width; j++)
                y[j] = x[find_largest(n, width, x + j) * width + j];
        else
            add_up(n, width, x, self->type == SUM ? 1 : (real)n, y);
        if (self->type == STAT)
            find_deviations(n, width, x, y, y + width);
    }
}

/* The slopes by the n steps of a row, added to dx. */
static void add_slopes(int type, long n, long width, const real *x, const real *y, const real *dy,
                       real *dx)
{
    const real share = type == SUM ? 1 : 1 / (real)n;
    for (long j = 0; type == MAX && j < width; j++)
        dx[find_largest(n, width, x + j) * width + j] += dy[j];
    for (long t = 0; type != MAX && t < n; t++)
        for (long j = 0; j < width; j++) {
            real slope = dy[j];
            if (type == STAT)
                slope += dy[width + j] * (x[t * width + j] - y[j]) / y[width + j];
            dx[t * width + j] += slope * share;
        }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const timepool *self = layer->self;
    const long width = layer->x[0].at[1], all = ls_shape_count(&layer->x[0]);
    const long outputs = ls_shape_count(&layer->y);
    real *dx = ls_layer_args_dx(layer, args, 0);
    for (long r = 0; dx && r < args->rows; r++)
        add_slopes(self->type, steps_of(layer, args, r), width, args->x[0] + r * all,
                   args->y + r * outputs, args->dy + r * outputs, dx + r * all);
}

static bool looks_ahead(const ls_layer *layer)
{
    return true;
}

const ls_layer_type ls_layer_timepool = {
    .name = "timepool",
    .help = "sum, mean, largest, or mean and deviation, over the steps of a sequence",
    .examples = examples,
    .size = sizeof(timepool),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .time.looks_ahead = looks_ahead,
};
