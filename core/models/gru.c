/* gru: layers of gated recurrent units (layers/gru.c). */
#include "core/models/sequence.h"

typedef struct gru {
    ls_sequence sequence;
    int reset;
} gru;

static const char *const resets[] = {"before", "after", NULL};

static const ls_option options[] = {
    LS_SEQUENCE_OPTIONS,
    {"reset", LS_OPTION_CHOICE, offsetof(gru, reset), "before", 0, 0, resets,
     "whether the reset gate acts before the product with the recurrent weight or after it, as "
     "PyTorch's does"},
    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const gru *m = self;
    return ls_sequence_write(&m->sequence, "gru", m->reset ? "reset=after" : "", input, nets,
                             error);
}

const ls_model_type ls_model_gru = {
    .name = "gru",
    .help = "layers of gated recurrent units over tokens or features",
    .input = LS_SEQUENCE_INPUT,
    .bench = "gru classes=98 embed=512",
    .size = sizeof(gru),
    .options = options,
    .recipe = LS_SEQUENCE_RECIPE,
    .write = write,
};
