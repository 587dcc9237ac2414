/* lenet: LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, figure 2) on 28x28 images padded by 2, with
 * tanh and average pooling; all maps of conv1 are read by all of conv2: 61,706 parameters. */
#include <stddef.h>

#include "core/model.h"

typedef struct lenet {
    long classes;
} lenet;

static const ls_option options[] = {
    {"classes", LS_OPTION_INT, offsetof(lenet, classes), "10", 2, 1e9, NULL, "output classes"},
    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    if (!ls_model_takes("lenet", input, 12, error))
        return false;
    ls_model_add(nets, "net", "conv1: conv2d out=6 kernel=5 pad=2\n");
    ls_model_add(nets, "net", "activation function=tanh\navgpool kernel=2\n");
    ls_model_add(nets, "net", "conv2: conv2d out=16 kernel=5\n");
    ls_model_add(nets, "net", "activation function=tanh\navgpool kernel=2\n");
    ls_model_add(nets, "net", "dense1: dense units=120\nactivation function=tanh\n");
    ls_model_add(nets, "net", "dense2: dense units=84\nactivation function=tanh\n");
    ls_model_add(nets, "net", "dense3: dense units=%ld\n", ((const lenet *)self)->classes);
    return true;
}

const ls_model_type ls_model_lenet = {
    .name = "lenet",
    .help = "LeNet-5 with tanh and average pooling",
    .input = "28,28,1",
    .bench = "lenet",
    .size = sizeof(lenet),
    .options = options,
    .recipe = {"supervised loss=cross-entropy", "momentum rate=0.05 momentum=0.9 decay=5e-4",
               "cosine warmup=1", 128, 12},
    .write = write,
};
