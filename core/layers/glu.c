/* glu: gated linear unit (Dauphin, Fan, Auli, Grangier 2017): the last dimension of x holds n
 * values a, then n gates b; y = a s(b), s the logistic function. Behind a dense line of 2 n units
 * it is the gated hidden layer of n units. da = dy s(b), db = dy a s(b) (1 - s(b)). */
#include "core/layer.h"
#include "core/vector_math.h"

static bool setup(ls_layer *layer, ls_error *error)
{
    char text[96];
    const ls_shape *x = &layer->x[0];
    if (x->rank == 0 || ls_shape_last(x) % 2 != 0)
        return ls_error_set(error, LS_USAGE,
                            "glu takes as many gates as values: an even last dimension, found %s",
                            ls_shape_text(x, text, sizeof text));
    layer->y = *x;
    layer->y.at[x->rank - 1] /= 2;
    layer->scratch.fixed = (size_t)ls_shape_last(x) * sizeof(real);
    return true;
}

static LS_CLONES void gate(long vectors, long n, const real *restrict x, real *restrict y)
{
    for (long v = 0; v < vectors; v++, x += 2 * n, y += n)
        for (long i = 0; i < n; i++)
            y[i] = x[i] * ls_math_logistic(x[n + i]);
}

/* dx of the values and of their gates, or what is to be added to it. */
static LS_CLONES void slopes(long n, const real *restrict x, const real *restrict dy,
                             real *restrict da, real *restrict db)
{
    for (long i = 0; i < n; i++) {
        const real s = ls_math_logistic(x[n + i]);
        da[i] = dy[i] * s;
        db[i] = dy[i] * x[i] * s * (1 - s);
    }
}

static long vectors_of(const ls_layer *layer, const ls_layer_args *args)
{
    return args->rows * (ls_shape_count(&layer->y) / ls_shape_last(&layer->y));
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    gate(vectors_of(layer, args), ls_shape_last(&layer->y), args->x[0], args->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long n = ls_shape_last(&layer->y), vectors = vectors_of(layer, args);
    for (long v = 0; args->dx[0] && v < vectors; v++) {
        const real *x = args->x[0] + v * 2 * n, *dy = args->dy + v * n;
        real *dx = args->dx[0] + v * 2 * n, *to = args->add[0] ? args->scratch : dx;
        slopes(n, x, dy, to, to + n);
        for (long i = 0; args->add[0] && i < 2 * n; i++)
            dx[i] += to[i];
    }
}

static const char *const examples[] = {"6 | glu", "3,2,4 | glu",
                                       "5 | dense units=8; glu; dense units=3", NULL};

const ls_layer_type ls_layer_glu = {
    .name = "glu",
    .help = "gated linear unit: the first half of the last dimension times the logistic function "
            "of the second",
    .examples = examples,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .time.steps = ls_layer_same_steps,
};
