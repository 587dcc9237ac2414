/* sum: y = x_1 + x_2 + ..., of inputs of one shape; with relu=1, y = max(0, x_1 + x_2 + ...), whose
 * slope at 0 is 0 here: the end of a residual block. */
#include <math.h>
#include <string.h>

#include "core/clones.h"
#include "core/layer.h"

typedef struct sum {
    bool relu;
} sum;

static const ls_option options[] = {
    {"relu", LS_OPTION_BOOL, offsetof(sum, relu), "0", 0, 1, NULL, "1: max(0, sum)"}, {0}};

static const char *const examples[] = {
    "6 | a: dense units=5; b: dense @input units=5; sum @a,b",
    "3,2,2 | a: activation function=tanh; b: activation @input function=elu; sum @a,b,input relu=1",
    "5 | sum @input,input", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    char first[96], other[96];
    for (int k = 1; k < layer->inputs; k++)
        if (!ls_shape_equal(&layer->x[k], &layer->x[0]))
            return ls_error_set(error, LS_USAGE,
                                "sum adds inputs of one shape, but input 1 is %s and input %d %s",
                                ls_shape_text(&layer->x[0], first, sizeof first), k + 1,
                                ls_shape_text(&layer->x[k], other, sizeof other));
    layer->y = layer->x[0];
    layer->flops = (double)(ls_shape_count(&layer->y) * (layer->inputs - 1));
    return true;
}

/* y = max(a + b, least); a may be y. */
static LS_CLONES void add(long n, const real *a, const real *b, real least, real *y)
{
    for (long i = 0; i < n; i++) {
        real total = a[i] + b[i];
        y[i] = total < least ? least : total;
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const sum *self = layer->self;
    long n = args->rows * ls_shape_count(&layer->y);
    for (int k = 1; k < layer->inputs; k++) {
        bool last = k == layer->inputs - 1;
        add(n, k == 1 ? args->x[0] : args->y, args->x[k], self->relu && last ? 0 : -INFINITY,
            args->y);
    }
}

/* dx = or (add) += dy; with relu only where y is above 0. */
static LS_CLONES void spread(long n, const real *restrict y, const real *restrict dy, bool relu,
                             bool add, real *restrict dx)
{
    for (long i = 0; i < n; i++) {
        bool off = relu & (y[i] <= 0);
        real slope = off ? 0 : dy[i];
        dx[i] = slope + (add ? dx[i] : 0);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const sum *self = layer->self;
    long n = args->rows * ls_shape_count(&layer->y);
    for (int k = 0; k < layer->inputs; k++)
        if (args->dx[k])
            spread(n, args->y, args->dy, self->relu, args->add[k], args->dx[k]);
}

const ls_layer_type ls_layer_sum = {
    .name = "sum",
    .help = "sum of inputs of one shape: sum @a,b",
    .examples = examples,
    .size = sizeof(sum),
    .options = options,
    .inputs_min = 2,
    .inputs_max = 8,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .time.steps = ls_layer_same_steps,
};
