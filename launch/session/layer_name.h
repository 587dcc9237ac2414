/* layer_name: layers as people name them: "conv1", or "net/conv1" where there are several nets. */
#pragma once
#include "core/net.h"
#include "core/objective.h"

typedef struct ls_named_layer {
    const ls_net *net;
    int number;            /* in the net */
    const ls_layer *layer; /* net->layers[number] */
} ls_named_layer;

/* Finds a layer of the task's nets. LS_USAGE errors: there is none, which names all layers and the
 * nearest; or it stands in several nets. */
bool ls_layer_name_find(const ls_task *task, const char *asked, ls_named_layer *found,
                        ls_error *error);
