/* onnx_line: values in both orders of channels, and constants from slots. */
#include "launch/export/onnx_line.h"

#include <stdio.h>
#include <string.h>

#include "core/layers/weights.h"
#include "core/memory.h"
#include "launch/export/option_value.h"

const char *ls_onnx_line_rows(ls_onnx_line *line, ls_onnx_value *value)
{
    if (!value->rows)
        value->rows =
            ls_onnx_graph_transpose(line->graph, value->channels, 4, (const long[]){0, 2, 3, 1});
    return value->rows;
}

const char *ls_onnx_line_channels(ls_onnx_line *line, ls_onnx_value *value)
{
    const ls_shape *s = &value->shape;
    if (value->channels)
        return value->channels;
    if (s->rank == 2) /* an image of one channel */
        return value->channels = ls_onnx_graph_reshape(line->graph, value->rows,
                                                       &(ls_shape){3, {1, s->at[0], s->at[1]}});
    return value->channels =
               ls_onnx_graph_transpose(line->graph, value->rows, 4, (const long[]){0, 3, 1, 2});
}

bool ls_onnx_line_takes_channels(const ls_onnx_line *line)
{
    bool channels = false;
    for (int k = 0; k < line->layer->inputs; k++)
        channels |= line->x[k]->shape.rank == 3 && line->x[k]->channels;
    return channels;
}

const char *ls_onnx_line_input(ls_onnx_line *line, int k)
{
    return ls_onnx_line_takes_channels(line) ? ls_onnx_line_channels(line, line->x[k])
                                             : ls_onnx_line_rows(line, line->x[k]);
}

void ls_onnx_line_set(ls_onnx_line *line, const char *value)
{
    *(ls_onnx_line_takes_channels(line) ? &line->y.channels : &line->y.rows) = value;
}

int ls_onnx_line_channel(const ls_onnx_line *line)
{
    return ls_onnx_line_takes_channels(line) ? 1 : line->x[0]->shape.rank;
}

const ls_slot *ls_onnx_line_slot(const ls_onnx_line *line, int k)
{
    return &line->layer->params->slots[line->layer->slot[k]];
}

bool ls_onnx_line_refuse_ends(const ls_onnx_line *line, ls_error *error)
{
    return !line->lengths ||
           ls_error_set(error, LS_USAGE,
                        "what this %s makes of a row depends on where the row ends, as `length` of "
                        "the data says, and an ONNX file has no lengths: to export the net, train "
                        "it on rows of one length, without `length`",
                        line->layer->type->name);
}

/* Whether slot 0 is a weight that spectral=1 divides. */
static bool is_spectral(const ls_layer *layer)
{
    static const char *const types[] = {"dense", "conv2d", "deconv2d", "tdnn"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(layer->type->name, types[i]) == 0)
            return ls_option_value_bool(layer, "spectral");
    return false;
}

float *ls_onnx_line_numbers(const ls_onnx_line *line, int k)
{
    const ls_layer *layer = line->layer;
    const ls_slot *slot = ls_onnx_line_slot(line, k);
    const long count = ls_shape_count(&slot->shape);
    real *logical = ls_alloc((size_t)count, sizeof *logical);
    if (k == 0 && is_spectral(layer))
        slot->layout.store(&slot->layout, &slot->shape, ls_spectral_weight(layer),
                           (ls_interval){0, slot->shape.at[0]}, logical);
    else
        ls_params_store(layer->params, layer->slot[k], layer->params->values, logical);
    float *numbers = ls_alloc((size_t)count, sizeof *numbers);
    for (long i = 0; i < count; i++)
        numbers[i] = (float)logical[i];
    ls_free(logical);
    return numbers;
}

const char *ls_onnx_line_constant(ls_onnx_line *line, int k)
{
    char name[2 * LS_SLOT_NAME];
    const ls_slot *slot = ls_onnx_line_slot(line, k);
    snprintf(name, sizeof name, "%s", slot->name);
    if (k == 0 && is_spectral(line->layer)) /* another line may share W without sigma */
        snprintf(name, sizeof name, "%s/of_%s", slot->name, line->layer->name);
    return ls_onnx_graph_numbers(line->graph, name, &slot->shape, ls_onnx_line_numbers(line, k));
}
