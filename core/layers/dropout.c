/* dropout: in training each number is set to 0 with probability `rate`, and the others are
 * multiplied by 1 / (1 - rate), so that evaluation passes numbers on as they are (Srivastava et al.
 * 2014, inverted form). What is dropped is a function of (seed, step, draw, layer, row). */
#include <string.h>

#include "core/layer.h"
#include "core/random.h"
#include "core/vector_math.h"

typedef struct dropout {
    double rate;
} dropout;

static const ls_option options[] = {{"rate", LS_OPTION_REAL, offsetof(dropout, rate), "0.5", 0,
                                     0.999, NULL, "probability of dropping a number"},
                                    {0}};

static bool setup(ls_layer *layer, ls_error *error)
{
    layer->y = layer->x[0];
    layer->kept.per_row = (size_t)ls_shape_count(&layer->y) * sizeof(real); /* the mask */
    return true;
}

static LS_CLONES void multiply(long n, const real *restrict x, const real *restrict mask,
                               real *restrict y)
{
    for (long i = 0; i < n; i++)
        y[i] = x[i] * mask[i];
}

/* Of the r-th row of the pass. */
static void draw(const ls_layer *layer, const ls_pass *pass, long r, real *mask)
{
    const dropout *self = layer->self;
    const ls_random stream =
        ls_random_stream(pass->seed, LS_RANDOM_DROPOUT, pass->step, pass->draw, layer->stream);
    ls_random_mask(stream, (uint64_t)(pass->row + r), self->rate, mask, ls_shape_count(&layer->y));
}

static ls_shape draws(const ls_layer *layer, const ls_pass *pass, long rows, real *masks)
{
    for (long r = 0; pass->training && r < rows; r++)
        draw(layer, pass, r, masks + r * ls_shape_count(&layer->y));
    return pass->training ? layer->y : (ls_shape){.rank = 0};
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long width = ls_shape_count(&layer->y);
    if (!pass->training) {
        memcpy(args->y, args->x[0], (size_t)(args->rows * width) * sizeof *args->y);
        return;
    }
    for (long r = 0; r < args->rows; r++) {
        real *mask = (real *)args->kept + r * width;
        draw(layer, pass, r, mask);
        multiply(width, args->x[0] + r * width, mask, args->y + r * width);
    }
}

/* mask NULL: of ones. */
static LS_CLONES void spread(long n, const real *restrict mask, const real *restrict dy, bool add,
                             real *restrict dx)
{
    for (long i = 0; i < n; i++) {
        const real slope = mask ? dy[i] * mask[i] : dy[i];
        dx[i] = add ? dx[i] + slope : slope;
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    if (args->dx[0])
        spread(args->rows * ls_shape_count(&layer->y), pass->training ? args->kept : NULL, args->dy,
               args->add[0], args->dx[0]);
}

static const char *const examples[] = {"3,2 | dropout rate=0.3", "5 | dense units=9; dropout",
                                       NULL};

const ls_layer_type ls_layer_dropout = {
    .name = "dropout",
    .help = "sets numbers to 0 at random while training",
    .examples = examples,
    .size = sizeof(dropout),
    .options = options,
    .passes_on = true,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .draws = draws,
    .time.steps = ls_layer_same_steps,
};
