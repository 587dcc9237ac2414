/* perceptron: one layer of step units, trained by the delta rule (Rosenblatt 1958).
 *
 * With the straight-through surrogate the gradient of the squared error is -(d - y) x: the
 * perceptron's own learning rule, and with batch=1 its pattern-by-pattern form. */
#include <stddef.h>

#include "core/model.h"

typedef struct perceptron {
    long classes;
} perceptron;

static const ls_option options[] = {{"classes", LS_OPTION_INT, offsetof(perceptron, classes), "10",
                                     1, 1e9, NULL, "output units; 1 for labels 0 and 1"},
                                    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const perceptron *p = self;
    ls_model_add(nets, "net", "dense units=%ld init=zero\n", p->classes);
    ls_model_add(nets, "net", "activation function=unit-step surrogate=ste\n");
    return true;
}

const ls_model_type ls_model_perceptron = {
    .name = "perceptron",
    .help = "one layer of step units, the delta rule",
    .input = "784",
    .size = sizeof(perceptron),
    .options = options,
    .recipe = {"supervised loss=squared-error", "sgd rate=0.01", "constant", 1, 5},
    .write = write,
};
