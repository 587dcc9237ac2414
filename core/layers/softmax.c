/* softmax: y_i = e^(x_i) / sum_j e^(x_j) over the last dimension; dx_i = y_i (dy_i - sum_j dy_j
 * y_j). For nets whose output must be probabilities; the loss cross-entropy includes a softmax and
 * needs none. */
#include "core/layer.h"
#include "core/vector_math.h"

static bool setup(ls_layer *layer, ls_error *error)
{
    if (layer->x[0].rank == 0)
        return ls_error_set(error, LS_USAGE,
                            "softmax needs at least one dimension, found a scalar");
    layer->y = layer->x[0];
    return true;
}

static void range(const ls_layer *layer, double *low, double *high)
{
    *low = 0;
    *high = 1;
}

/* A NaN is never found to be the largest, but it still reaches the sum. */
static real largest(long n, const real *x)
{
    real found = x[0];
    for (long i = 1; i < n; i++)
        found = x[i] > found ? x[i] : found;
    return found;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    long width = ls_shape_last(&layer->y),
         vectors = args->rows * (ls_shape_count(&layer->y) / width);
    for (long v = 0; v < vectors; v++) {
        const real *x = args->x[0] + v * width;
        real *y = args->y + v * width;
        double sum = 0;
        ls_math_exp_row(width, x, largest(width, x), y);
        for (long i = 0; i < width; i++)
            sum += (double)y[i];
        for (long i = 0; i < width; i++)
            y[i] *= (real)(1 / sum);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    long width = ls_shape_last(&layer->y),
         vectors = args->rows * (ls_shape_count(&layer->y) / width);
    if (!args->dx[0])
        return;
    for (long v = 0; v < vectors; v++) {
        const real *y = args->y + v * width, *dy = args->dy + v * width;
        real *dx = args->dx[0] + v * width;
        double sum = 0;
        for (long i = 0; i < width; i++)
            sum += (double)dy[i] * (double)y[i];
        for (long i = 0; i < width; i++)
            dx[i] = (args->add[0] ? dx[i] : 0) + y[i] * (dy[i] - (real)sum);
    }
}

static const char *const examples[] = {"5 | softmax", "3,2,4 | softmax",
                                       "6 | dense units=5; softmax; dense units=3", NULL};

const ls_layer_type ls_layer_softmax = {
    .name = "softmax",
    .help = "probabilities over the last dimension",
    .examples = examples,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .range = range,
    .time.steps = ls_layer_same_steps,
};
