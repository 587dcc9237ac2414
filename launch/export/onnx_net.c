/* onnx_net: walks through the lines of a net. */
#include "launch/export/onnx_net.h"

#include "core/memory.h"
#include "launch/export/onnx_layers.h"

/* values: [1 + lines], the input's and those of the lines before. */
static bool add_line(const ls_layer *layer, ls_onnx_graph *graph, ls_onnx_value *values,
                     ls_onnx_value *made, ls_error *error)
{
    ls_onnx_translation *translate = ls_onnx_layers_find(layer->type->name);
    ls_onnx_line line = {.graph = graph, .layer = layer, .y = {.shape = layer->y}};
    for (int k = 0; k < layer->inputs; k++)
        line.x[k] = &values[layer->input[k] + 1];
    ls_onnx_graph_line(graph, layer->name);
    if (!translate)
        return ls_error_set(error, LS_USAGE, "%s: a line of type %s has no form in ONNX",
                            layer->name, layer->type->name);
    if (!translate(&line, error))
        return ls_error_prefix(error, "%s", layer->name);
    *made = line.y;
    return true;
}

bool ls_onnx_net_add(ls_onnx_graph *graph, const ls_net *net, const ls_onnx_value *x,
                     ls_error *error)
{
    ls_onnx_value *values = ls_alloc((size_t)net->count + 1, sizeof *values);
    ls_onnx_value *last = &values[net->count];
    bool ok = true;
    values[0] = *x;
    for (int i = 0; ok && i < net->count; i++)
        ok = add_line(net->layers[i], graph, values, &values[i + 1], error);
    ls_onnx_line line = {.graph = graph};
    ls_onnx_graph_line(graph, "output");
    if (ok)
        ls_onnx_graph_output(graph, "y", ls_onnx_line_rows(&line, last), &last->shape);
    ls_free(values);
    return ok;
}
