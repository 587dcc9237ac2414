/* autoencoder: dense layers to a narrow code and back (Hinton and Salakhutdinov 2006), and the same
 * layers below a classifier. With tied=1 the decoder's weights are the encoder's, transposed. */
#include <stddef.h>
#include <string.h>

#include "core/model.h"

typedef struct autoencoder {
    ls_list widths;
    char activation[LS_WORD], code[LS_WORD];
    bool tied, greedy;
    int loss; /* of losses */
    double noise;
    long classes;
} autoencoder;

static const char *const losses[] = {"squared-error", "bce", NULL};

static const ls_option options[] = {
    {"widths", LS_OPTION_LIST, offsetof(autoencoder, widths), NULL, 1, 1e9, NULL,
     "units of input, hidden layers, code"},
    {"activation", LS_OPTION_WORD, offsetof(autoencoder, activation), "relu", 0, 0, NULL,
     "of the hidden layers: see `lockstep list activations`"},
    {"code", LS_OPTION_WORD, offsetof(autoencoder, code), "linear", 0, 0, NULL,
     "activation of the code"},
    {"tied", LS_OPTION_BOOL, offsetof(autoencoder, tied), "1", 0, 1, NULL,
     "the decoder's weights are the encoder's, transposed"},
    {"loss", LS_OPTION_CHOICE, offsetof(autoencoder, loss), "squared-error", 0, 0, losses,
     "of the default stages; bce (pixels from 0 to 1) makes the decoder's outputs logits"},
    {"noise", LS_OPTION_REAL, offsetof(autoencoder, noise), "0", 0, 0.999, NULL,
     "of the default stages: in training each number that the encoder sees is set to 0 with this "
     "probability"},
    {"greedy", LS_OPTION_BOOL, offsetof(autoencoder, greedy), "0", 0, 1, NULL,
     "the default stages learn the features layer by layer"},
    {"classes", LS_OPTION_INT, offsetof(autoencoder, classes), "10", 0, 1e9, NULL,
     "of the net classifier, which a last stage trains with labels; 0: there is none, and the "
     "data need no labels"},
    {0}};

/* Appends the activation of layer i to a net. The classifier uses the encoder's parameters. */
static void add_activation(ls_model_nets *nets, const char *net, const autoencoder *a, int i)
{
    const char *function = i == a->widths.count - 1 ? a->code : a->activation;
    const bool shares = strcmp(net, "classifier") == 0 && strcmp(function, "prelu") == 0;
    if (strcmp(function, "linear") == 0)
        return;
    ls_model_add(nets, net, "activation%d: activation function=%s", i, function);
    if (shares)
        ls_model_add(nets, net, " share=encoder/activation%d", i);
    ls_model_add(nets, net, "\n");
}

static void add_encoder(ls_model_nets *nets, const autoencoder *a)
{
    for (int i = 1; i < a->widths.count; i++) {
        ls_model_add(nets, "encoder", "dense%d: dense units=%ld\n", i, a->widths.at[i]);
        add_activation(nets, "encoder", a, i);
    }
}

/* Its lines have the names of those of the encoder that they turn round. */
static void add_decoder(ls_model_nets *nets, const autoencoder *a)
{
    const int last = a->widths.count - 1;
    ls_model_input(nets, "decoder", &(ls_shape){1, {a->widths.at[last]}});
    for (int i = last; i >= 1; i--) {
        if (a->tied)
            ls_model_add(nets, "decoder", "dense%d: dense share=encoder/dense%d transpose=1\n", i,
                         i);
        else
            ls_model_add(nets, "decoder", "dense%d: dense units=%ld\n", i, a->widths.at[i - 1]);
        if (i > 1)
            add_activation(nets, "decoder", a, i - 1);
    }
}

static void add_classifier(ls_model_nets *nets, const autoencoder *a)
{
    for (int i = 1; i < a->widths.count; i++) {
        ls_model_add(nets, "classifier", "dense%d: dense share=encoder/dense%d\n", i, i);
        add_activation(nets, "classifier", a, i);
    }
    ls_model_add(nets, "classifier", "dense%d: dense units=%ld\n", a->widths.count, a->classes);
}

static bool write(const void *self, const ls_shape *input, ls_model_nets *nets, ls_error *error)
{
    const autoencoder *a = self;
    long given = ls_shape_count(input);
    if (a->widths.count < 2)
        return ls_error_set(
            error, LS_USAGE,
            "autoencoder: widths= needs the input and the code at least: widths=%ld,30", given);
    if (a->widths.at[0] != given)
        return ls_error_set(
            error, LS_USAGE,
            "autoencoder: widths= begins with %ld, but a row of the data has %ld numbers",
            a->widths.at[0], given);
    if (a->classes == 1)
        return ls_error_set(error, LS_USAGE,
                            "autoencoder: classes=1; expected 2 or more, or 0 for no classifier");
    add_encoder(nets, a);
    add_decoder(nets, a);
    if (a->classes)
        add_classifier(nets, a);
    return true;
}

/* Features without labels, in a stage for all layers or one for each; then the classifier. */
static void stages(const void *self, ls_recipe_list *list)
{
    const autoencoder *a = self;
    const int last = a->greedy ? a->widths.count - 1 : 0;
    for (int pair = a->greedy; pair <= last; pair++) {
        char objective[128];
        int length = snprintf(objective, sizeof objective, "autoencoder loss=%s noise=%g",
                              losses[a->loss], a->noise);
        if (a->greedy)
            snprintf(objective + length, sizeof objective - (size_t)length, " pair=%d", pair);
        ls_model_add_stage(list, &(ls_recipe){objective, "adam rate=0.001", "cosine", 128, 20});
    }
    if (a->classes)
        ls_model_add_stage(list, &(ls_recipe){"supervised net=classifier loss=cross-entropy",
                                              "adam rate=0.001", "cosine", 128, 12});
}

const ls_model_type ls_model_autoencoder = {
    .name = "autoencoder",
    .help = "dense layers to a code and back, and a classifier on the same layers",
    .input = "784",
    .nets = "encoder decoder classifier",
    .fills = "loss noise greedy",
    .bench = "autoencoder widths=784,256,64",
    .size = sizeof(autoencoder),
    .options = options,
    .stages = stages,
    .write = write,
};
