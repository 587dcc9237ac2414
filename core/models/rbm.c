/* rbm: a restricted Boltzmann machine of one layer of hidden units, with the stage that Hinton's
 * guide (2010) advises: weights from N(0, 0.01^2), momentum that begins low, a little decay of the
 * weights alone. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/model.h"

typedef struct rbm {
    long visible, hidden, k, chains;
    int units, hidden_units;
    bool binarize;
} rbm;

enum { BERNOULLI };  /* the first of both */
enum { ROOM = 160 }; /* of the text of an objective */
static const char *const units[] = {"bernoulli", "gaussian", NULL};
static const char *const hidden_units[] = {"bernoulli", "nrelu", NULL};

static const ls_option options[] = {
    {"visible", LS_OPTION_INT, offsetof(rbm, visible), "784", 1, 1e9, NULL,
     "visible units: the numbers of a row"},
    {"hidden", LS_OPTION_INT, offsetof(rbm, hidden), "500", 1, 1e8, NULL, "hidden units"},
    {"hidden_units", LS_OPTION_CHOICE, offsetof(rbm, hidden_units), "bernoulli", 0, 0, hidden_units,
     "what they are: see hidden= of the objective rbm"},
    {"units", LS_OPTION_CHOICE, offsetof(rbm, units), "bernoulli", 0, 0, units,
     "of the default objective: what visible units are"},
    {"k", LS_OPTION_INT, offsetof(rbm, k), "1", 1, 255, NULL,
     "of the default objective: steps of Gibbs sampling in a step of training"},
    {"chains", LS_OPTION_INT, offsetof(rbm, chains), "0", 0, 1e6, NULL,
     "of the default objective: persistent chains, or 0"},
    {"binarize", LS_OPTION_BOOL, offsetof(rbm, binarize), "0", 0, 1, NULL,
     "of the default objective: 1: the numbers of a row are drawn, 0 or 1"},
    {0}};

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const rbm *m = self;
    const long given = ls_shape_count(input);
    if (m->visible != given)
        return ls_error_set(error, LS_USAGE,
                            "rbm: visible=%ld, but a row of the data has %ld numbers", m->visible,
                            given);
    ls_model_add(nets, "net", "dense units=%ld visible=1 init=normal scale=0.01\n", m->hidden);
    ls_model_add(nets, "net", "activation function=%s\n",
                 m->hidden_units == BERNOULLI ? "logistic" : "relu");
    return true;
}

static void add_option(char text[ROOM], const char *option, bool wanted)
{
    if (wanted)
        snprintf(text + strlen(text), ROOM - strlen(text), " %s", option);
}

static void add_number(char text[ROOM], const char *key, long number, long usual)
{
    char option[64];
    snprintf(option, sizeof option, "%s=%ld", key, number);
    add_option(text, option, number != usual);
}

/* Units without an upper end want a rate that is a hundredth (section 13.2 of the guide), and
 * persistent chains, which must keep up with the model, one that falls to 0 (Tieleman 2008). */
static void stages(const void *self, ls_recipe_list *list)
{
    const rbm *m = self;
    const bool unbounded = m->units != BERNOULLI || m->hidden_units != BERNOULLI;
    char objective[ROOM] = "rbm", optimizer[ROOM];
    add_option(objective, "units=gaussian", m->units != BERNOULLI);
    add_option(objective, "hidden=nrelu", m->hidden_units != BERNOULLI);
    add_number(objective, "k", m->k, 1);
    add_number(objective, "chains", m->chains, 0);
    add_option(objective, "binarize=1", m->binarize);
    snprintf(optimizer, sizeof optimizer,
             "momentum start=0.5 switch=5 momentum=0.9 rate=%s decay=2e-4 decay_all=0",
             unbounded   ? "0.001"
             : m->chains ? "0.02"
                         : "0.1");
    ls_model_add_stage(
        list, &(ls_recipe){objective, optimizer, m->chains ? "linear" : "constant", 100, 30});
}

const ls_model_type ls_model_rbm = {
    .name = "rbm",
    .help = "restricted Boltzmann machine: one layer of hidden units",
    .fills = "units k chains binarize",
    .input = "784",
    .bench = "rbm visible=784 hidden=1000",
    .size = sizeof(rbm),
    .options = options,
    .stages = stages,
    .write = write,
};
