/* torchvision: the table of its models, of its names of parameters, and of its ways to name layers.
 *
 * Two ways: a ResNet's layers are members of classes, so our lines are called as they are, with _
 * for the dots (layer1_0_conv1). AlexNet and VGG are lists, where a layer's name is its place in
 * `features` or in `classifier`: convolutions, batch norms, activations and pools each have one,
 * and so has dropout. */
#include "launch/weights/torchvision.h"

#include <string.h>

#include "core/model.h"

typedef struct parameter {
    const char *type, *ours, *theirs; /* type: of the line */
} parameter;
static const parameter parameters[] = {
    {"conv2d", "weight", "weight"},        {"conv2d", "bias", "bias"},
    {"dense", "weight", "weight"},         {"dense", "bias", "bias"},
    {"batchnorm", "scale", "weight"},      {"batchnorm", "shift", "bias"},
    {"batchnorm", "mean", "running_mean"}, {"batchnorm", "variance", "running_var"},
};

struct ls_torchvision {
    const char *model;
    bool (*name)(const ls_torchvision *model, const ls_layer *layer, char text[LS_SLOT_NAME]);
    int dense[3]; /* places in `classifier` */
    long side; /* of the maps that it pools to before its first dense line; lockstep has no pool */
};

static bool is_a(const ls_layer *layer, const char *type)
{
    return strcmp(layer->type->name, type) == 0;
}

/* layer1_0_downsample_1: layer1.0.downsample.1 */
static bool name_member(const ls_torchvision *model, const ls_layer *layer, char text[LS_SLOT_NAME])
{
    strcpy(text, layer->name);
    for (char *c = text; *c; c++)
        *c = *c == '_' ? '.' : *c;
    return true;
}

static bool name_place(const ls_torchvision *model, const ls_layer *layer, char text[LS_SLOT_NAME])
{
    int place = 0, dense = 0;
    for (ls_layer *const *before = layer->net->layers; *before != layer; before++) {
        if (is_a(*before, "lrn"))
            return false;
        place += is_a(*before, "batchnorm") ? 2 : 1; /* with its activation */
        dense += is_a(*before, "dense");
    }
    if (is_a(layer, "dense"))
        snprintf(text, LS_SLOT_NAME, "classifier.%d", model->dense[dense % 3]);
    else
        snprintf(text, LS_SLOT_NAME, "features.%d", place);
    return dense < 3;
}

static const ls_torchvision models[] = {
    {"resnet", name_member, {0}, 0},
    {"alexnet", name_place, {1, 4, 6}, 6},
    {"vgg", name_place, {0, 3, 6}, 7},
};

const ls_torchvision *ls_torchvision_find(const char *text)
{
    ls_spec spec;
    if (!text || !ls_spec_parse_plain(text, &spec, NULL))
        return NULL;
    const ls_model_type *type = ls_model_find(spec.type);
    if (type && type->stands_for && ls_spec_parse_plain(type->stands_for, &spec, NULL))
        type = ls_model_find(spec.type);
    for (size_t i = 0; type && i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i].model, type->name) == 0)
            return &models[i];
    return NULL;
}

long ls_torchvision_side(const ls_torchvision *model)
{
    return model->side;
}

bool ls_torchvision_name(const ls_torchvision *model, const ls_layer *layer, const char *ours,
                         char text[LS_SLOT_NAME])
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        const parameter *p = &parameters[i];
        if (!is_a(layer, p->type) || strcmp(p->ours, ours) != 0)
            continue;
        if (!model->name(model, layer, text))
            return false;
        const size_t used = strlen(text);
        return (size_t)snprintf(text + used, LS_SLOT_NAME - used, ".%s", p->theirs) <
               LS_SLOT_NAME - used;
    }
    return false;
}

bool ls_torchvision_ignores(const char *name)
{
    static const char counter[] = ".num_batches_tracked";
    const size_t length = strlen(name), least = strlen(counter);
    return length > least && strcmp(name + length - least, counter) == 0;
}
