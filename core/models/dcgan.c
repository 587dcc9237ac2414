/* dcgan: the deep convolutional generative adversarial net of Radford, Metz and Chintala 2016
 * (figure 1), without dense layers, as in PyTorch's examples: its generator and discriminator at
 * 64x64x3 have 3,576,704 and 2,765,568 parameters. Smaller images have a convolution less on each
 * side; at 28x28 a kernel of 3 lies between 4x4 and 7x7. All convolutions start at N(0, 0.02^2). */
#include <stddef.h>
#include <string.h>

#include "core/model.h"

typedef struct dcgan {
    long size, filters, latent;
    bool spectral;
    char output[LS_WORD];
} dcgan;

static const ls_option options[] = {
    {"size", LS_OPTION_INT, offsetof(dcgan, size), "0", 0, 64, NULL,
     "side of the images: 28, 32 or 64; 0: that of the data's"},
    {"filters", LS_OPTION_INT, offsetof(dcgan, filters), "64", 1, 1e6, NULL,
     "channels of the discriminator's first convolution; twice as many in each that follows"},
    {"latent", LS_OPTION_INT, offsetof(dcgan, latent), "100", 1, 1e9, NULL,
     "numbers of noise a row"},
    {"spectral", LS_OPTION_BOOL, offsetof(dcgan, spectral), "0", 0, 1, NULL,
     "spectral norms in the discriminator, in the place of its batch norms (Miyato et al. 2018)"},
    {"output", LS_OPTION_WORD, offsetof(dcgan, output), "tanh", 0, 0, NULL,
     "what the generator ends in: tanh for data from -1 to 1, logistic from 0 to 1, linear for "
     "any"},
    {0}};

/* Halvings of an image's side, the last of them to 4. */
typedef struct plan {
    long size;
    int halvings;
    const char *last; /* the window of the last one */
} plan;
#define HALVE "kernel=4 stride=2 pad=1"
static const plan plans[] = {
    {28, 3, "kernel=3 stride=2 pad=1"}, {32, 3, HALVE}, {64, 4, HALVE}, {0}};

static const plan *find_plan(const dcgan *g, const ls_shape *input, ls_error *error)
{
    char text[96];
    if (!ls_model_takes("dcgan", input, 28, error))
        return NULL;
    const long size = g->size ? g->size : input->at[0];
    for (const plan *p = plans; p->size && input->at[0] == size && input->at[1] == size; p++)
        if (p->size == size)
            return p;
    ls_shape_text(input, text, sizeof text);
    const plan *asked = plans;
    while (asked->size && asked->size != g->size)
        asked++;
    if (g->size && !asked->size)
        ls_error_set(error, LS_USAGE, "dcgan: size=%ld: expected 28, 32 or 64", g->size);
    else if (g->size)
        ls_error_set(error, LS_USAGE,
                     "dcgan: size=%ld, but a row of the data is %s: expected images of 28x28, "
                     "32x32 or 64x64 that have that side; leave size= out, or make them fit by "
                     "transform: scale-crop size=%ld",
                     size, text, size);
    else
        ls_error_set(error, LS_USAGE,
                     "dcgan: makes images of 28x28, 32x32 or 64x64, but a row of the data is %s: "
                     "transform: scale-crop size=64 makes it fit",
                     text);
    return NULL;
}

#define START "init=normal scale=0.02"

static void write_generator(const dcgan *g, const plan *p, long channels, ls_model_nets *nets)
{
    const char *const net = "generator";
    ls_model_input(nets, net, &(ls_shape){3, {1, 1, g->latent}});
    ls_model_add(nets, net, "deconv2d out=%ld kernel=4 bias=0 " START "\nbatchnorm relu=1\n",
                 g->filters << (p->halvings - 1));
    for (int i = p->halvings - 1; i > 0; i--)
        ls_model_add(nets, net, "deconv2d out=%ld %s bias=0 " START "\nbatchnorm relu=1\n",
                     g->filters << (i - 1), i == p->halvings - 1 ? p->last : HALVE);
    ls_model_add(nets, net, "deconv2d out=%ld " HALVE " bias=0 " START "\n", channels);
    if (strcmp(g->output, "linear") != 0)
        ls_model_add(nets, net, "activation function=%s\n", g->output);
}

static void write_discriminator(const dcgan *g, const plan *p, ls_model_nets *nets)
{
    const char *const net = "discriminator", *const norm = g->spectral ? "spectral=1" : "bias=0";
    for (int i = 0; i < p->halvings; i++) {
        ls_model_add(nets, net, "conv2d out=%ld %s %s " START "\n", g->filters << i,
                     i == p->halvings - 1 ? p->last : HALVE, norm);
        if (i > 0 && !g->spectral)
            ls_model_add(nets, net, "batchnorm\n");
        ls_model_add(nets, net, "activation function=leaky-relu alpha=0.2\n");
    }
    ls_model_add(nets, net, "conv2d out=1 kernel=4 %s " START "\n", norm);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const dcgan *g = self;
    const plan *p = find_plan(g, input, error);
    if (!p)
        return false;
    write_generator(g, p, input->at[2], nets);
    write_discriminator(g, p, nets);
    return true;
}

const ls_model_type ls_model_dcgan = {
    .name = "dcgan",
    .help = "deep convolutional generative adversarial net",
    .input = "64,64,3",
    .nets = "generator discriminator",
    .bench = "dcgan",
    .size = sizeof(dcgan),
    .options = options,
    .recipe = {"gan loss=nonsaturating", "adam rate=0.0002 beta1=0.5", "constant", 128, 25},
    .write = write,
};
