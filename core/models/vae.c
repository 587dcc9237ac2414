/* vae: the variational autoencoder of Kingma and Welling 2014 with dense nets: an encoder that ends
 * in means and log-variances of a code, and a decoder of the same hidden layers in reverse. */
#include <stddef.h>
#include <string.h>

#include "core/model.h"

typedef struct vae {
    ls_list widths;
    long latent;
    char activation[LS_WORD];
    int output;
} vae;

static const char *const outputs[] = {"bernoulli", "gaussian", NULL};

static const ls_option options[] = {
    {"widths", LS_OPTION_LIST, offsetof(vae, widths), "784,500", 1, 1e9, NULL,
     "numbers of a row, then units of the encoder's hidden layers"},
    {"latent", LS_OPTION_INT, offsetof(vae, latent), "20", 1, 1e9, NULL, "numbers of a code"},
    {"activation", LS_OPTION_WORD, offsetof(vae, activation), "relu", 0, 0, NULL,
     "of the hidden layers: see `lockstep list activations`; or glu: gated layers, as Tomczak and "
     "Welling 2018 have them"},
    {"output", LS_OPTION_CHOICE, offsetof(vae, output), "bernoulli", 0, 0, outputs,
     "of the default objective: logits of numbers from 0 to 1, or means of any numbers"},
    {0}};

static void add_hidden(ls_model_nets *nets, const vae *m, const char *net, long units)
{
    if (strcmp(m->activation, "glu") == 0)
        ls_model_add(nets, net, "dense units=%ld\nglu\n", 2 * units);
    else
        ls_model_add(nets, net, "dense units=%ld\nactivation function=%s\n", units, m->activation);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const vae *m = self;
    const long *width = m->widths.at, given = ls_shape_count(input);
    if (width[0] != given)
        return ls_error_set(error, LS_USAGE,
                            "vae: widths= begins with %ld, but a row of the data has %ld numbers",
                            width[0], given);
    for (int i = 1; i < m->widths.count; i++)
        add_hidden(nets, m, "encoder", width[i]);
    ls_model_add(nets, "encoder", "dense units=%ld\n", 2 * m->latent);
    ls_model_input(nets, "decoder", &(ls_shape){.rank = 1, .at = {m->latent}});
    for (int i = m->widths.count - 1; i > 0; i--)
        add_hidden(nets, m, "decoder", width[i]);
    ls_model_add(nets, "decoder", "dense units=%ld\n", given);
    return true;
}

static void stages(const void *self, ls_recipe_list *list)
{
    const vae *m = self;
    ls_model_add_stage(list, &(ls_recipe){m->output == 0 ? "vae" : "vae output=gaussian",
                                          "adam rate=1e-3", "cosine warmup=1", 128, 100});
}

const ls_model_type ls_model_vae = {
    .name = "vae",
    .help = "variational autoencoder with dense nets",
    .nets = "encoder decoder",
    .fills = "output",
    .input = "784",
    .bench = "vae widths=784,400 latent=20",
    .size = sizeof(vae),
    .options = options,
    .stages = stages,
    .write = write,
};
