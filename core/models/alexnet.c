/* alexnet: AlexNet in one column (Krizhevsky 2014): the net of Krizhevsky, Sutskever and Hinton
 * 2012 without the split over two processors: 61,100,840 parameters at 224x224x3 and 1000 classes.
 * Names and numbers of channels as in torchvision. */
#include <stddef.h>

#include "core/model.h"

typedef struct alexnet {
    long classes;
    double width, dropout;
    bool lrn;
} alexnet;

static const ls_option options[] = {
    {"classes", LS_OPTION_INT, offsetof(alexnet, classes), "1000", 2, 1e9, NULL, "output classes"},
    {"width", LS_OPTION_REAL, offsetof(alexnet, width), "1", 1e-3, 100, NULL,
     "factor on the channels and hidden units"},
    {"dropout", LS_OPTION_REAL, offsetof(alexnet, dropout), "0.5", 0, 0.99, NULL,
     "share dropped before each hidden dense layer in training"},
    {"lrn", LS_OPTION_BOOL, offsetof(alexnet, lrn), "0", 0, 1, NULL,
     "the paper's local response normalisation after conv1 and conv2"},
    {0}};

static const struct convolution {
    long out;
    const char *window;
    bool pool, lrn;
} convolutions[] = {{64, "kernel=11 stride=4 pad=2", true, true},
                    {192, "kernel=5 pad=2", true, true},
                    {384, "kernel=3 pad=1", false, false},
                    {256, "kernel=3 pad=1", false, false},
                    {256, "kernel=3 pad=1", true, false}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const alexnet *a = self;
    if (!ls_model_takes("alexnet", input, 63, error))
        return false;
    for (int i = 0; i < 5; i++) {
        const struct convolution *c = &convolutions[i];
        ls_model_add(nets, "net", "conv%d: conv2d out=%ld %s\nactivation function=relu\n", i + 1,
                     ls_model_units(a->width, c->out), c->window);
        if (c->lrn && a->lrn)
            ls_model_add(nets, "net", "lrn size=5 alpha=1e-4 beta=0.75 k=2\n");
        if (c->pool)
            ls_model_add(nets, "net", "maxpool kernel=3 stride=2\n");
    }
    for (int i = 1; i < 3; i++) {
        if (a->dropout > 0)
            ls_model_add(nets, "net", "dropout rate=%g\n", a->dropout);
        ls_model_add(nets, "net", "dense%d: dense units=%ld\nactivation function=relu\n", i,
                     ls_model_units(a->width, 4096));
    }
    ls_model_add(nets, "net", "dense3: dense units=%ld\n", a->classes);
    return true;
}

const ls_model_type ls_model_alexnet = {
    .name = "alexnet",
    .help = "AlexNet in one column",
    .input = "224,224,3",
    .bench = "alexnet",
    .size = sizeof(alexnet),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "momentum rate=0.01 momentum=0.9 decay=5e-4",
               "step every=30 gamma=0.1", 128, 90},
    .write = write,
};
