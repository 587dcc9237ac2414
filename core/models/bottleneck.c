/* bottleneck: a deep net with a narrow layer, the line `narrow`, whose outputs are features for
 * another model (Grezl et al. 2007): `lockstep extract RUN --layer narrow` makes a data set of
 * them. */
#include <stddef.h>

#include "core/model.h"

typedef struct bottleneck {
    ls_list widths;
    char activation[LS_WORD];
    double dropout;
} bottleneck;

static const ls_option options[] = {
    {"widths", LS_OPTION_LIST, offsetof(bottleneck, widths), NULL, 1, 1e9, NULL,
     "units of input, hidden layers, output: 784,512,512,39,512,10. The narrowest of the hidden "
     "layers is the bottleneck, which has no activation"},
    {"activation", LS_OPTION_WORD, offsetof(bottleneck, activation), "relu", 0, 0, NULL,
     "after the other hidden layers: see `lockstep list activations`"},
    {"dropout", LS_OPTION_REAL, offsetof(bottleneck, dropout), "0", 0, 0.99, NULL,
     "share of their units that is dropped in training"},
    {0}};

/* The hidden layer of fewest units, the first of them; the layers are numbered from 1. */
static int find_narrow(const ls_list *widths)
{
    int narrow = 1;
    for (int i = 2; i < widths->count - 1; i++)
        narrow = widths->at[i] < widths->at[narrow] ? i : narrow;
    return narrow;
}

static bool check_widths(const ls_list *widths, const ls_shape *input, long given, ls_error *error)
{
    char text[96];
    if (widths->count < 3)
        return ls_error_set(error, LS_USAGE,
                            "bottleneck: widths= needs the input, a narrow layer and the output at "
                            "least: widths=%ld,39,10",
                            given);
    return widths->at[0] == given ||
           ls_error_set(
               error, LS_USAGE,
               "bottleneck: widths= begins with %ld, but a row of the data is %s: expected "
               "%ld",
               widths->at[0], ls_shape_text(input, text, sizeof text), given);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const bottleneck *m = self;
    const bool each = input->rank == 2 && m->widths.at[0] == input->at[1]; /* of a frame */
    const long given = each ? input->at[1] : ls_shape_count(input);
    if (!check_widths(&m->widths, input, given, error))
        return false;
    const int narrow = find_narrow(&m->widths), last = m->widths.count - 1;
    for (int i = 1; i <= last; i++) {
        if (i == narrow)
            ls_model_add(nets, "net", "narrow: ");
        ls_model_add(nets, "net", "dense units=%ld%s\n", m->widths.at[i], each ? " each=1" : "");
        if (i == narrow || i == last)
            continue;
        ls_model_add(nets, "net", "activation function=%s\n", m->activation);
        if (m->dropout > 0)
            ls_model_add(nets, "net", "dropout rate=%g\n", m->dropout);
    }
    return true;
}

const ls_model_type ls_model_bottleneck = {
    .name = "bottleneck",
    .help = "a deep net with a narrow layer, whose outputs are features for another model",
    .input = "784",
    .bench = "bottleneck widths=784,1024,1024,39,1024,10",
    .size = sizeof(bottleneck),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "momentum rate=0.05 momentum=0.9 decay=5e-4",
               "cosine warmup=1", 128, 20},
    .write = write,
};
