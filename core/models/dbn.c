/* dbn: deep belief network (Hinton, Osindero, Teh 2006): a sigmoid multilayer perceptron whose
 * hidden layers are trained one after the other, each as a restricted Boltzmann machine on the mean
 * activations of those below; then labels train all of them. */
#include <stddef.h>
#include <string.h>

#include "core/model.h"

typedef struct dbn {
    ls_list widths;
    int units; /* of unit_names */
} dbn;

static const char *const unit_names[] = {"bernoulli", "gaussian", NULL};
enum { BERNOULLI, GAUSSIAN };

static const ls_option options[] = {
    {"widths", LS_OPTION_LIST, offsetof(dbn, widths), NULL, 1, 1e9, NULL,
     "units of input, hidden layers, output"},
    {"units", LS_OPTION_CHOICE, offsetof(dbn, units), "bernoulli", 0, 0, unit_names,
     "what the numbers of a row are: bernoulli: probabilities from 0 to 1; gaussian: any numbers "
     "of variance 1"},
    {0}};

/* Hidden layers start as section 8 of Hinton's guide (2010) says: weights from N(0, 0.01^2), biases
 * at 0. */
static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const dbn *d = self;
    const long given = ls_shape_count(input);
    const int last = d->widths.count - 1;
    if (last < 2)
        return ls_error_set(error, LS_USAGE,
                            "dbn: widths= needs the input, a hidden layer and the output at "
                            "least: widths=%ld,500,10",
                            given);
    if (d->widths.at[0] != given)
        return ls_error_set(error, LS_USAGE,
                            "dbn: widths= begins with %ld, but a row of the data has %ld numbers",
                            d->widths.at[0], given);
    for (int i = 1; i < last; i++)
        ls_model_add(nets, "net",
                     "dense%d: dense units=%ld visible=1 init=normal scale=0.01\n"
                     "activation%d: activation function=logistic\n",
                     i, d->widths.at[i], i);
    ls_model_add(nets, "net", "dense%d: dense units=%ld\n", last, d->widths.at[last]);
    return true;
}

/* The stages of the machines are as model rbm's (sections 7 to 10 and 13.2 of that guide): units
 * without an upper end want a rate that is a hundredth. */
static void stages(const void *self, ls_recipe_list *list)
{
    const dbn *d = self;
    for (int i = 1; i < d->widths.count - 1; i++) {
        char objective[128], optimizer[128];
        const bool gaussian = d->units == GAUSSIAN, lowest = i == 1;
        snprintf(objective, sizeof objective, "rbm layer=dense%d%s", i,
                 !gaussian ? ""
                 : lowest  ? " units=gaussian"
                           : " lowest=gaussian");
        snprintf(optimizer, sizeof optimizer,
                 "momentum start=0.5 switch=5 momentum=0.9 rate=%s decay=2e-4 decay_all=0",
                 gaussian && lowest ? "0.001" : "0.1");
        ls_model_add_stage(list, &(ls_recipe){objective, optimizer, "constant", 100, 20});
    }
    ls_model_add_stage(
        list, &(ls_recipe){"supervised loss=cross-entropy", "adam rate=0.001", "cosine", 128, 20});
}

const ls_model_type ls_model_dbn = {
    .name = "dbn",
    .help = "deep belief network: RBMs one after the other, then labels",
    .input = "784",
    .fills = "units",
    .bench = "dbn widths=784,1000,1000,1000,10",
    .size = sizeof(dbn),
    .options = options,
    .stages = stages,
    .write = write,
};
