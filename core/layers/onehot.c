/* onehot: for each token the vector of zeros with a 1 at its number. x [...] are whole numbers from
 * 0 to vocabulary - 1, y is [..., vocabulary]. dx is 0.
 *
 * Whoever reads the data refuses other numbers (ls_net_vocabulary); here they become NaN. */
#include <math.h>

#include "core/layer.h"

typedef struct onehot {
    long vocabulary;
} onehot;

static const ls_option options[] = {{"vocabulary", LS_OPTION_INT, offsetof(onehot, vocabulary),
                                     NULL, 1, 1e6, NULL, "tokens: x is from 0 to vocabulary - 1"},
                                    {0}};

static const char *const examples[] = {"4 | onehot vocabulary=3",
                                       "3,2 | onehot vocabulary=5; dense units=2", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    return ls_layer_takes_tokens(layer, ((const onehot *)layer->self)->vocabulary, error);
}

static long vocabulary(const ls_layer *layer)
{
    return ((const onehot *)layer->self)->vocabulary;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const long width = vocabulary(layer);
    const long tokens = args->rows * ls_shape_count(&layer->x[0]);
    for (long i = 0; i < tokens; i++) {
        const long token = ls_layer_token(width, args->x[0][i]);
        real *to = args->y + i * width;
        for (long j = 0; j < width; j++)
            to[j] = token < 0 ? (real)NAN : (real)(j == token);
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    ls_layer_args_dx(layer, args, 0);
}

const ls_layer_type ls_layer_onehot = {
    .name = "onehot",
    .help = "0 but for a 1 at the token's number; x holds the numbers",
    .examples = examples,
    .size = sizeof(onehot),
    .options = options,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .vocabulary = vocabulary,
    .time.steps = ls_layer_same_steps,
};
