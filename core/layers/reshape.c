/* reshape: the numbers of a row in another shape, in the same order: a vector becomes an image, as
 * the first layers of a decoder or a generator want it. Only the shape changes; dx = dy. */
#include <stddef.h>
#include <string.h>

#include "core/net.h"

typedef struct reshape {
    ls_list shape;
} reshape;

static const ls_option options[] = {{"shape", LS_OPTION_LIST, offsetof(reshape, shape), NULL, 1,
                                     1e9, NULL, "of a row: height,width,channels of an image"},
                                    {0}};

static const char *const examples[] = {"12 | reshape shape=2,3,2",
                                       "5 | dense units=12; reshape shape=2,2,3; conv2d out=2 "
                                       "kernel=2",
                                       NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const reshape *self = layer->self;
    char given[96], wanted[96];
    if (self->shape.count > LS_MAX_RANK)
        return ls_error_set(error, LS_USAGE, "shape= has %d sizes; expected at most %d",
                            self->shape.count, LS_MAX_RANK);
    double numbers = 1;
    layer->y = (ls_shape){.rank = self->shape.count};
    for (int i = 0; i < self->shape.count; i++)
        numbers *= (double)(layer->y.at[i] = self->shape.at[i]);
    const long count = ls_shape_count(&layer->x[0]);
    return numbers == (double)count ||
           ls_error_set(error, LS_USAGE, "the input is %s, %ld numbers, but shape=%s has %.0f",
                        ls_shape_text(&layer->x[0], given, sizeof given), count,
                        ls_shape_text(&layer->y, wanted, sizeof wanted), numbers);
}

/* The numbers keep their order: those of the steps that count come first, and fill so many of the
 * new steps, the last perhaps with zeros. */
static long steps(const ls_layer *layer, long steps)
{
    const ls_shape *x = &layer->x[0], *y = &layer->y;
    const long numbers = steps * (ls_shape_count(x) / x->at[0]),
               width = ls_shape_count(y) / y->at[0];
    return (numbers + width - 1) / width;
}

static void range(const ls_layer *layer, double *low, double *high)
{
    const int from = layer->input[0];
    const ls_layer *before = from >= 0 ? layer->net->layers[from] : NULL;
    if (before && before->type->range)
        before->type->range(before, low, high);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const size_t numbers = (size_t)(args->rows * ls_shape_count(&layer->y));
    memcpy(args->y, args->x[0], numbers * sizeof(real));
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long numbers = args->rows * ls_shape_count(&layer->y);
    real *dx = args->dx[0];
    if (dx && !args->add[0])
        memcpy(dx, args->dy, (size_t)numbers * sizeof(real));
    for (long i = 0; dx && args->add[0] && i < numbers; i++)
        dx[i] += args->dy[i];
}

/* A new step is made of several old ones, or of a part of one. */
static bool looks_ahead(const ls_layer *layer)
{
    return layer->y.at[0] != layer->x[0].at[0];
}

const ls_layer_type ls_layer_reshape = {
    .name = "reshape",
    .help = "the same numbers in another shape",
    .examples = examples,
    .size = sizeof(reshape),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .range = range,
    .time.steps = steps,
    .time.looks_ahead = looks_ahead,
};
