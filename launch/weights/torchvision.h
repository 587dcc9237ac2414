/* torchvision: what PyTorch's torchvision calls the parameters of the models that it has too:
 * alexnet, vgg and resnet. */
#pragma once
#include "core/net.h"

/* A model of the table. */
typedef struct ls_torchvision ls_torchvision;

/* The entry of the job's `model` text ("resnet depth=18 classes=10"); NULL: torchvision has no such
 * model, or the job has none. */
const ls_torchvision *ls_torchvision_find(const char *model);
/* The side of the square maps that the model's first dense line reads, whatever the picture: it
 * pools to that size. 0: its maps have one pixel. */
long ls_torchvision_side(const ls_torchvision *model);
/* The name that torchvision has for slot `parameter` ("weight", "mean") of a line, into
 * text[LS_SLOT_NAME]. False: it has no such line or parameter. */
bool ls_torchvision_name(const ls_torchvision *model, const ls_layer *layer, const char *parameter,
                         char text[LS_SLOT_NAME]);
/* Whether a tensor of the file means nothing to us, as the counters of its batch norms. */
bool ls_torchvision_ignores(const char *name);
/* The names of the models, for messages. */
#define LS_TORCHVISION_MODELS "alexnet, vgg and resnet"
