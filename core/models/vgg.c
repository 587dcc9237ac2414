/* vgg: the nets A, B, D and E of Simonyan and Zisserman 2014 (table 1): five groups of 3x3
 * convolutions, each with a pool after it. VGG-16 has 138,357,544 parameters at 224x224x3 and 1000
 * classes. With batchnorm=1 the convolutions keep their biases, as in torchvision. */
#include <stddef.h>

#include "core/model.h"

typedef struct vgg {
    int depth; /* index into depths and convolutions */
    long classes;
    double width, dropout;
    bool batchnorm;
} vgg;

enum { GROUPS = 5 };
static const char *const depths[] = {"11", "13", "16", "19", NULL};
static const int convolutions[][GROUPS] = {
    {1, 1, 2, 2, 2}, {2, 2, 2, 2, 2}, {2, 2, 3, 3, 3}, {2, 2, 4, 4, 4}};
static const long channels[GROUPS] = {64, 128, 256, 512, 512};

static const ls_option options[] = {
    {"depth", LS_OPTION_CHOICE, offsetof(vgg, depth), "16", 0, 0, depths, "layers with weights"},
    {"classes", LS_OPTION_INT, offsetof(vgg, classes), "1000", 2, 1e9, NULL, "output classes"},
    {"width", LS_OPTION_REAL, offsetof(vgg, width), "1", 1e-3, 100, NULL,
     "factor on the channels and hidden units"},
    {"dropout", LS_OPTION_REAL, offsetof(vgg, dropout), "0.5", 0, 0.99, NULL,
     "share dropped after each hidden dense layer in training"},
    {"batchnorm", LS_OPTION_BOOL, offsetof(vgg, batchnorm), "0", 0, 1, NULL,
     "batch norm after each convolution"},
    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const vgg *v = self;
    if (!ls_model_takes("vgg", input, 32, error))
        return false;
    for (int g = 0; g < GROUPS; g++) {
        for (int i = 1; i <= convolutions[v->depth][g]; i++) {
            ls_model_add(nets, "net", "conv%d_%d: conv2d out=%ld kernel=3 pad=1\n", g + 1, i,
                         ls_model_units(v->width, channels[g]));
            if (v->batchnorm)
                ls_model_add(nets, "net", "norm%d_%d: batchnorm relu=1\n", g + 1, i);
            else
                ls_model_add(nets, "net", "activation function=relu\n");
        }
        ls_model_add(nets, "net", "maxpool kernel=2\n");
    }
    for (int i = 1; i < 3; i++) {
        ls_model_add(nets, "net", "dense%d: dense units=%ld\nactivation function=relu\n", i,
                     ls_model_units(v->width, 4096));
        if (v->dropout > 0)
            ls_model_add(nets, "net", "dropout rate=%g\n", v->dropout);
    }
    ls_model_add(nets, "net", "dense3: dense units=%ld\n", v->classes);
    return true;
}

const ls_model_type ls_model_vgg = {
    .name = "vgg",
    .help = "VGG: groups of 3x3 convolutions",
    .input = "224,224,3",
    .bench = "vgg depth=16",
    .size = sizeof(vgg),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "momentum rate=0.01 momentum=0.9 decay=5e-4",
               "step every=30 gamma=0.1", 256, 74},
    .write = write,
};
