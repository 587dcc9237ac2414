/* concat: inputs side by side along the last dimension (channels); the others must be equal. */
#include <string.h>

#include "core/layer.h"

static const char *const examples[] = {
    "6 | a: dense units=5; b: dense @input units=2; concat @a,b",
    "3,4,2 | a: conv2d out=3 kernel=1; b: maxpool @input kernel=1; concat @input,a,b",
    "5 | concat @input,input", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    char first[96], other[96];
    layer->y = layer->x[0];
    for (int k = 0; k < layer->inputs; k++) {
        const ls_shape *x = &layer->x[k];
        ls_shape same = layer->x[0];
        if (x->rank)
            same.at[same.rank - 1] = ls_shape_last(x);
        if (!x->rank || !ls_shape_equal(&same, x))
            return ls_error_set(error, LS_USAGE,
                                "concat takes inputs that differ in the last dimension only, but "
                                "input 1 is %s and input %d %s",
                                ls_shape_text(&layer->x[0], first, sizeof first), k + 1,
                                ls_shape_text(x, other, sizeof other));
        layer->y.at[layer->y.rank - 1] += k ? ls_shape_last(x) : 0;
    }
    return true;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long all = ls_shape_last(&layer->y),
               lines = args->rows * (ls_shape_count(&layer->y) / all);
    long begin = 0; /* index of the input's first number in a line of y */
    for (int k = 0; k < layer->inputs; k++) {
        long width = ls_shape_last(&layer->x[k]);
        for (long i = 0; i < lines; i++)
            memcpy(args->y + i * all + begin, args->x[k] + i * width,
                   (size_t)width * sizeof *args->y);
        begin += width;
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long all = ls_shape_last(&layer->y),
               lines = args->rows * (ls_shape_count(&layer->y) / all);
    long begin = 0; /* index of the input's first number in a line of y */
    for (int k = 0; k < layer->inputs; k++) {
        const long width = ls_shape_last(&layer->x[k]), wanted = args->dx[k] ? lines : 0;
        for (long i = 0; i < wanted; i++) {
            real *dx = args->dx[k] + i * width;
            const real *dy = args->dy + i * all + begin;
            for (long j = 0; j < width; j++)
                dx[j] = dy[j] + (args->add[k] ? dx[j] : 0);
        }
        begin += width;
    }
}

const ls_layer_type ls_layer_concat = {
    .name = "concat",
    .help = "inputs side by side along the last dimension: concat @a,b",
    .examples = examples,
    .inputs_min = 2,
    .inputs_max = 8,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .time.steps = ls_layer_same_steps,
};
