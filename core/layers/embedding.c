/* embedding: a vector for each token. x [...] are whole numbers from 0 to vocabulary - 1, y
 * [..., width] the rows of the weight [vocabulary, width] that they name. dx is 0.
 *
 * Whoever reads the data refuses other numbers (ls_net_vocabulary); here they become NaN. */
#include <math.h>
#include <string.h>

#include "core/layer.h"

typedef struct embedding {
    long vocabulary, width;
    double scale;
} embedding;

static const ls_option options[] = {
    {"vocabulary", LS_OPTION_INT, offsetof(embedding, vocabulary), NULL, 1, LS_LAYER_TOKENS, NULL,
     "tokens: x is from 0 to vocabulary - 1"},
    {"width", LS_OPTION_INT, offsetof(embedding, width), NULL, 1, 1e6, NULL,
     "numbers of each token's vector"},
    {"scale", LS_OPTION_REAL, offsetof(embedding, scale), "1", 0, 1e6, NULL,
     "the vectors start as normal numbers of this deviation"},
    {0}};

static const char *const examples[] = {
    "4 | embedding vocabulary=3 width=5", "2,3 | embedding vocabulary=40 width=33",
    "4 | a: embedding vocabulary=7 width=2; b: embedding @input share=a vocabulary=7 width=2; "
    "concat @a,b; lstm units=3",
    NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const embedding *self = layer->self;
    const ls_initializer normal = {.kind = LS_INIT_NORMAL, .scale = self->scale};
    if (!ls_layer_takes_tokens(layer, self->width, error))
        return false;
    ls_layer_claim(layer, "weight", LS_SLOT_WEIGHT, &(ls_shape){2, {self->vocabulary, self->width}},
                   &normal, NULL);
    return true;
}

static long vocabulary(const ls_layer *layer)
{
    return ((const embedding *)layer->self)->vocabulary;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const embedding *self = layer->self;
    const real *weight = ls_layer_value(layer, 0);
    const long tokens = args->rows * ls_shape_count(&layer->x[0]), width = self->width;
    for (long i = 0; i < tokens; i++) {
        const long token = ls_layer_token(self->vocabulary, args->x[0][i]);
        real *to = args->y + i * width;
        if (token >= 0)
            memcpy(to, weight + token * width, (size_t)width * sizeof *to);
        for (long j = 0; token < 0 && j < width; j++)
            to[j] = (real)NAN;
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    ls_layer_args_dx(layer, args, 0);
}

/* Each part adds the vectors of its own tokens, in the order of x. */
static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const embedding *self = layer->self;
    real *dweight = ls_layer_gradient(layer, pass, 0);
    const ls_interval own = ls_layer_args_part(args, self->vocabulary, 1);
    const long tokens = args->rows * ls_shape_count(&layer->x[0]), width = self->width;
    for (long i = 0; i < tokens; i++) {
        const long token = ls_layer_token(self->vocabulary, args->x[0][i]);
        if (token < own.begin || token >= own.end)
            continue;
        real *to = dweight + token * width;
        const real *dy = args->dy + i * width;
        for (long j = 0; j < width; j++)
            to[j] += dy[j];
    }
}

const ls_layer_type ls_layer_embedding = {
    .name = "embedding",
    .help = "a learned vector for each token; x holds their numbers",
    .examples = examples,
    .size = sizeof(embedding),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .vocabulary = vocabulary,
    .time.steps = ls_layer_same_steps,
};
