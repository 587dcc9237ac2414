/* mlp: multilayer perceptron: dense layers with an activation between them. */
#include <stddef.h>

#include "core/model.h"

typedef struct mlp {
    ls_list widths;
    char activation[LS_WORD];
    double dropout;
} mlp;

static const ls_option options[] = {{"widths", LS_OPTION_LIST, offsetof(mlp, widths), NULL, 1, 1e9,
                                     NULL, "units of input, hidden layers, output"},
                                    {"activation", LS_OPTION_WORD, offsetof(mlp, activation),
                                     "relu", 0, 0, NULL,
                                     "between the layers: see `lockstep list activations`"},
                                    {"dropout", LS_OPTION_REAL, offsetof(mlp, dropout), "0", 0,
                                     0.99, NULL, "share of hidden units dropped in training"},
                                    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const mlp *m = self;
    long given = ls_shape_count(input);
    if (m->widths.count < 2)
        return ls_error_set(error, LS_USAGE,
                            "mlp: widths= needs the input and the output at least: widths=%ld,10",
                            given);
    if (m->widths.at[0] != given)
        return ls_error_set(error, LS_USAGE,
                            "mlp: widths= begins with %ld, but a row of the data has %ld numbers",
                            m->widths.at[0], given);
    for (int i = 1; i < m->widths.count; i++) {
        ls_model_add(nets, "net", "dense units=%ld\n", m->widths.at[i]);
        if (i == m->widths.count - 1)
            break;
        ls_model_add(nets, "net", "activation function=%s\n", m->activation);
        if (m->dropout > 0)
            ls_model_add(nets, "net", "dropout rate=%g\n", m->dropout);
    }
    return true;
}

const ls_model_type ls_model_mlp = {
    .name = "mlp",
    .help = "multilayer perceptron",
    .input = "784",
    .bench = "mlp widths=784,1024,1024,10",
    .size = sizeof(mlp),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "momentum rate=0.05 momentum=0.9 decay=5e-4",
               "cosine warmup=1", 128, 12},
    .write = write,
};
