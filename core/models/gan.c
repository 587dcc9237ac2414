/* gan: a generative adversarial net of dense layers (Goodfellow et al. 2014). The generator turns
 * noise into a vector with as many numbers as a row of the data has. */
#include <stddef.h>
#include <string.h>

#include "core/model.h"

typedef struct gan {
    long latent;
    ls_list generator, discriminator;
    char activation[LS_WORD], output[LS_WORD];
    bool batchnorm;
    double dropout;
} gan;

static const ls_option options[] = {
    {"latent", LS_OPTION_INT, offsetof(gan, latent), "64", 1, 1e9, NULL, "numbers of noise a row"},
    {"generator", LS_OPTION_LIST, offsetof(gan, generator), "256,512", 1, 1e9, NULL,
     "units of its hidden layers"},
    {"discriminator", LS_OPTION_LIST, offsetof(gan, discriminator), "512,256", 1, 1e9, NULL,
     "units of its hidden layers"},
    {"activation", LS_OPTION_WORD, offsetof(gan, activation), "leaky-relu", 0, 0, NULL,
     "after the hidden layers: see `lockstep list activations`; leaky-relu with alpha=0.2"},
    {"output", LS_OPTION_WORD, offsetof(gan, output), "tanh", 0, 0, NULL,
     "what the generator ends in: tanh for data from -1 to 1, logistic from 0 to 1, linear for "
     "any"},
    {"batchnorm", LS_OPTION_BOOL, offsetof(gan, batchnorm), "0", 0, 1, NULL,
     "a batch norm after each hidden layer of the generator"},
    {"dropout", LS_OPTION_REAL, offsetof(gan, dropout), "0", 0, 0.99, NULL,
     "share of the discriminator's hidden units dropped in training"},
    {0}};

static void add_hidden(ls_model_nets *nets, const gan *g, const char *net, long units)
{
    const bool generates = strcmp(net, "generator") == 0, norm = g->batchnorm && generates;
    const bool leaky = strcmp(g->activation, "leaky-relu") == 0;
    ls_model_add(nets, net, "dense units=%ld%s\n", units, norm ? " bias=0\nbatchnorm" : "");
    ls_model_add(nets, net, "activation function=%s%s\n", g->activation, leaky ? " alpha=0.2" : "");
    if (g->dropout > 0 && !generates)
        ls_model_add(nets, net, "dropout rate=%g\n", g->dropout);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const gan *g = self;
    ls_model_input(nets, "generator", &(ls_shape){1, {g->latent}});
    for (int i = 0; i < g->generator.count; i++)
        add_hidden(nets, g, "generator", g->generator.at[i]);
    ls_model_add(nets, "generator", "dense units=%ld\n", ls_shape_count(input));
    if (strcmp(g->output, "linear") != 0)
        ls_model_add(nets, "generator", "activation function=%s\n", g->output);
    for (int i = 0; i < g->discriminator.count; i++)
        add_hidden(nets, g, "discriminator", g->discriminator.at[i]);
    ls_model_add(nets, "discriminator", "dense units=1\n");
    return true;
}

const ls_model_type ls_model_gan = {
    .name = "gan",
    .help = "generative adversarial net of dense layers",
    .input = "784",
    .nets = "generator discriminator",
    .bench = "gan",
    .size = sizeof(gan),
    .options = options,
    .recipe = {"gan loss=nonsaturating", "adam rate=0.0002 beta1=0.5", "constant", 128, 50},
    .write = write,
};
