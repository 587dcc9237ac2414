/* net: builds a graph of layers from spec lines. How it is applied: workspace.c. */
#include "core/net.h"

#include <string.h>

#include "core/memory.h"
#include "core/print.h"

int ls_net_find(const ls_net *net, const char *name)
{
    for (int i = 0; i < net->count; i++)
        if (strcmp(net->layers[i]->name, name) == 0)
            return i;
    return -1;
}

int ls_net_last_reader(const ls_net *net, int count, int i)
{
    int last = i;
    for (int j = i + 1; j < count; j++)
        for (int k = 0; k < net->layers[j]->inputs; k++)
            last = net->layers[j]->input[k] == i ? j : last;
    return last;
}

/* The line's own name, or its type with a number: conv2d1, conv2d2. */
static bool name_layer(const ls_net *net, const ls_spec *spec, ls_layer *layer, ls_error *error)
{
    int number = 1;
    for (int i = 0; i < net->count; i++)
        number += net->layers[i]->type == layer->type;
    if (spec->name[0])
        strcpy(layer->name, spec->name);
    else
        snprintf(layer->name, sizeof layer->name, "%.32s%d", spec->type, number);
    if (ls_net_find(net, layer->name) >= 0 || strcmp(layer->name, "input") == 0)
        return ls_error_set(error, LS_USAGE, "the name %s is taken: give this line another",
                            layer->name);
    return true;
}

static bool find_inputs(const ls_net *net, const ls_spec *spec, ls_layer *layer, ls_error *error)
{
    layer->inputs = spec->inputs ? spec->inputs : 1;
    layer->input[0] = net->count - 1; /* the line before; -1: the net's input */
    for (int k = 0; k < spec->inputs; k++) {
        layer->input[k] = ls_net_find(net, spec->input[k]);
        if (layer->input[k] < 0 && strcmp(spec->input[k], "input") != 0)
            return ls_error_set(
                error, LS_USAGE,
                "@%s is no line above this one (a line can only read earlier lines, "
                "or @input)",
                spec->input[k]);
    }
    const ls_layer_type *type = layer->type;
    const int least = type->inputs_max ? type->inputs_min : 1;
    const int most = type->inputs_max ? type->inputs_max : 1;
    if (layer->inputs < least || layer->inputs > most)
        return ls_error_set(error, LS_USAGE, "%s takes %d to %d inputs, here are %d", type->name,
                            least, most, layer->inputs);
    for (int k = 0; k < layer->inputs; k++)
        layer->x[k] = layer->input[k] < 0 ? net->x : net->layers[layer->input[k]]->y;
    return true;
}

static void destroy_layer(ls_layer *layer)
{
    ls_free(layer->self);
    ls_free(layer);
}

/* The line `input 7,7,64`. */
static bool set_input(ls_net *net, const ls_spec *spec, ls_error *error)
{
    if (net->count > 0 || net->own_input)
        return ls_error_set(error, LS_USAGE,
                            "the shape of a net's input stands once, before all layers");
    if (!spec->shape[0] || spec->name[0] || spec->inputs || spec->keys)
        return ls_error_set(error, LS_USAGE,
                            "write the shape of a row, and nothing else: input 100, input 28,28,1");
    net->own_input = true;
    return ls_shape_parse("input", spec->shape, &net->x, error);
}

static bool add_layer(void *context, const ls_spec *spec, ls_error *error)
{
    ls_net *net = context;
    if (strcmp(spec->type, "input") == 0)
        return set_input(net, spec, error);
    const ls_layer_type *type = ls_spec_find_type(ls_layer_types, spec->type, "layer", error);
    if (!type)
        return false;
    ls_layer *layer = ls_alloc(1, sizeof *layer);
    layer->type = type;
    layer->stream = (uint32_t)net->params->nets << 16 | (uint32_t)net->count;
    layer->params = net->params;
    layer->build = &net->build;
    layer->self = ls_alloc(1, type->size);
    strcpy(layer->net, net->name);
    if (!name_layer(net, spec, layer, error) || !find_inputs(net, spec, layer, error) ||
        !ls_spec_read(spec, type->options, NULL, layer->self, error) ||
        !type->setup(layer, error)) {
        destroy_layer(layer);
        return false;
    }
    layer->prepared = ls_params_claim_prepared(net->params, layer->prepared_size);
    net->layers = ls_realloc(net->layers, (size_t)net->count + 1, sizeof(ls_layer *));
    net->layers[net->count++] = layer;
    net->y = layer->y;
    return true;
}

/* The last line is the net's output; the output of any other must be read, else it is a mistake. */
static bool check_all_used(const ls_net *net, ls_error *error)
{
    for (int i = 0; i < net->count - 1; i++)
        if (ls_net_last_reader(net, net->count, i) == i)
            return ls_error_set(error, LS_USAGE, "no line reads the output of %s",
                                net->layers[i]->name);
    return true;
}

static bool build_lines(ls_net *net, ls_error *error)
{
    if (!ls_spec_each_line(net->lines, net->name, add_layer, net, error))
        return false;
    if (net->count == 0)
        return ls_error_set(error, LS_USAGE, "the net %s has no lines", net->name);
    return check_all_used(net, error) || ls_error_prefix(error, "%s", net->name);
}

ls_net *ls_net_build(ls_params *params, const ls_build *build, const char *name, const char *lines,
                     const ls_shape *input, ls_error *error)
{
    ls_net *net = ls_alloc(1, sizeof *net);
    snprintf(net->name, sizeof net->name, "%s", name);
    net->params = params;
    net->build = build ? *build : (ls_build){0};
    net->x = *input;
    net->lines = ls_copy_string(lines);
    net->slots.begin = params->count;
    if (!build_lines(net, error)) {
        ls_net_destroy(net);
        return NULL;
    }
    net->slots.end = params->count;
    params->nets++;
    return net;
}

void ls_net_destroy(ls_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->count; i++)
        destroy_layer(net->layers[i]);
    ls_free(net->layers);
    ls_free(net->lines);
    ls_free(net);
}

void ls_net_prepare(const ls_net *net, int part, int parts)
{
    for (int i = part; i < net->count; i += parts)
        if (net->layers[i]->type->prepare)
            net->layers[i]->type->prepare(net->layers[i]);
}

void ls_net_print(const ls_net *net, FILE *out)
{
    char shape[96];
    long total = 0;
    int wide = 20;
    for (int i = 0; i < net->count; i++)
        if ((int)strlen(net->layers[i]->name) > wide)
            wide = (int)strlen(net->layers[i]->name);
    ls_print(out, "  %-*s %-12s %-16s %12s\n", wide, "layer", "type", "output", "parameters");
    ls_print(out, "  %-*s %-12s %-16s\n", wide, "input", "",
             ls_shape_text(&net->x, shape, sizeof shape));
    for (int i = 0; i < net->count; i++) {
        const ls_layer *layer = net->layers[i];
        long parameters = 0;
        for (int k = 0; k < layer->slots; k++) {
            const ls_slot *slot = &net->params->slots[layer->slot[k]];
            parameters += slot->kind == LS_SLOT_STATE ? 0 : ls_shape_count(&slot->shape);
        }
        ls_print(out, "  %-*s %-12s %-16s %12ld\n", wide, layer->name, layer->type->name,
                 ls_shape_text(&layer->y, shape, sizeof shape), parameters);
        total += parameters;
    }
    ls_print(out, "  %-*s %-12s %-16s %12ld\n", wide, net->name, "in all", "", total);
}
