/* rnn: layers of simple recurrent units (layers/rnn.c). */
#include "core/models/sequence.h"

typedef struct rnn {
    ls_sequence sequence;
    char activation[LS_WORD];
} rnn;

static const ls_option options[] = {LS_SEQUENCE_OPTIONS,
                                    {"activation", LS_OPTION_WORD, offsetof(rnn, activation),
                                     "tanh", 0, 0, NULL, "tanh, relu or logistic"},
                                    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const rnn *m = self;
    char more[2 * LS_WORD];
    snprintf(more, sizeof more, "activation=%s", m->activation);
    return ls_sequence_write(&m->sequence, "rnn", more, input, nets, error);
}

const ls_model_type ls_model_rnn = {
    .name = "rnn",
    .help = "layers of simple recurrent units over tokens or features",
    .input = LS_SEQUENCE_INPUT,
    .bench = "rnn classes=98 embed=512",
    .size = sizeof(rnn),
    .options = options,
    .recipe = LS_SEQUENCE_RECIPE,
    .write = write,
};
