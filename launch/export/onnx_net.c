/* onnx_net: walks through the lines of a net. */
#include "launch/export/onnx_net.h"

#include <string.h>

#include "core/memory.h"
#include "launch/export/onnx_layers.h"

/* Whether the line makes something without a time axis of steps, or one step of several: in
 * training the steps behind a row's end are 0 in it, which an ONNX file knows nothing of. */
static bool ends_matter(const ls_layer *layer)
{
    const ls_net *net = layer->net;
    bool steps = false;
    for (int k = 0; k < layer->inputs; k++)
        steps = steps || layer->input[k] < 0 ||
                ls_net_steps_after(net, layer->input[k], net->x.at[0]) > 0;
    const ls_layer_time *time = &layer->type->time;
    const bool merges =
        strcmp(layer->type->name, "reshape") == 0 && layer->y.at[0] < layer->x[0].at[0];
    return steps && (!time->steps || time->steps(layer, layer->x[0].at[0]) == 0 || merges);
}

/* values: [1 + lines], the input's and those of the lines before. */
static bool add_line(const ls_layer *layer, ls_onnx_graph *graph, bool lengths,
                     ls_onnx_value *values, ls_onnx_value *made, ls_error *error)
{
    ls_onnx_translation *translate = ls_onnx_layers_find(layer->type->name);
    ls_onnx_line line = {
        .graph = graph, .layer = layer, .lengths = lengths, .y = {.shape = layer->y}};
    for (int k = 0; k < layer->inputs; k++)
        line.x[k] = &values[layer->input[k] + 1];
    ls_onnx_graph_line(graph, layer->name);
    if (!translate)
        return ls_error_set(error, LS_USAGE, "%s: a line of type %s has no form in ONNX",
                            layer->name, layer->type->name);
    if ((lengths && ends_matter(layer) && !ls_onnx_line_refuse_ends(&line, error)) ||
        !translate(&line, error))
        return ls_error_prefix(error, "%s", layer->name);
    *made = line.y;
    return true;
}

bool ls_onnx_net_add(ls_onnx_graph *graph, const ls_net *net, const ls_onnx_value *x, bool lengths,
                     ls_error *error)
{
    ls_onnx_value *values = ls_alloc((size_t)net->count + 1, sizeof *values);
    ls_onnx_value *last = &values[net->count];
    bool ok = true;
    values[0] = *x;
    ls_onnx_graph_output(graph, "y", net->count ? &net->layers[net->count - 1]->y : &x->shape);
    for (int i = 0; ok && i < net->count; i++)
        ok = add_line(net->layers[i], graph, lengths, values, &values[i + 1], error);
    ls_onnx_line line = {.graph = graph};
    ls_onnx_graph_line(graph, "output");
    if (ok)
        ls_onnx_graph_give(graph, "y", ls_onnx_line_rows(&line, last));
    ls_free(values);
    return ok;
}
