/* onnx_layers: the table of translations, and those of lines without windows and steps. */
#include "launch/export/onnx_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "launch/export/onnx_functions.h"
#include "launch/export/onnx_recurrent.h"
#include "launch/export/onnx_windows.h"
#include "launch/export/option_value.h"

/* The numbers of the line's input as a vector, in the order of ONNX, which for an image with
 * channels first is another one than ours: *image. */
static const char *flatten(ls_onnx_line *line, bool *image)
{
    ls_onnx_value *x = line->x[0];
    *image = x->shape.rank == 3 && x->channels;
    if (x->shape.rank == 1)
        return ls_onnx_line_rows(line, x);
    const char *made = ls_onnx_graph_apply(line->graph, "Flatten",
                                           *image ? x->channels : ls_onnx_line_rows(line, x), NULL);
    ls_onnx_graph_set_long(line->graph, "axis", 1);
    return made;
}

/* The weight of a dense line [units, inputs], with inputs [h, w, c] brought to [c, h, w]. Where the
 * slot is in another order, or transposed for the line, it is a constant of the line's own: OpenCV
 * takes a Gemm's weight for [units, inputs] whatever transB says. */
static const char *dense_weight(ls_onnx_line *line, bool image, bool transposed)
{
    if (!image && !transposed)
        return ls_onnx_line_constant(line, 0);
    char name[2 * LS_SLOT_NAME];
    const ls_shape *x = &line->x[0]->shape;
    const long units = ls_shape_last(&line->y.shape), inputs = ls_shape_count(x);
    const long channels = image ? ls_shape_last(x) : inputs, pixels = inputs / channels;
    float *ours = ls_onnx_line_numbers(line, 0);
    float *theirs = ls_alloc((size_t)(units * inputs), sizeof *theirs);
    for (long u = 0; u < units; u++)
        for (long p = 0; p < pixels; p++)
            for (long c = 0; c < channels; c++) {
                const long from = p * channels + c;
                theirs[u * inputs + c * pixels + p] =
                    ours[transposed ? from * units + u : u * inputs + from];
            }
    ls_free(ours);
    snprintf(name, sizeof name, "%s/of_%s", ls_onnx_line_slot(line, 0)->name, line->layer->name);
    return ls_onnx_graph_numbers(line->graph, name, &(ls_shape){2, {units, inputs}}, theirs);
}

/* Whether the weight is used as [inputs, units]. */
static bool is_transposed(const ls_onnx_line *line)
{
    const ls_shape *weight = &ls_onnx_line_slot(line, 0)->shape;
    bool transposed = false;
    for (const ls_layer *l = line->layer; l; l = l->share.from)
        transposed ^= l->share.from && l->share.from->type == l->type && l->share.transpose;
    ls_check(weight->at[transposed] == ls_shape_last(&line->y.shape), "%s: the weight's shape",
             line->layer->name);
    return transposed;
}

/* With each=1: a product of every vector along the last dimension. */
static bool dense_each(ls_onnx_line *line)
{
    ls_onnx_graph *g = line->graph;
    const char *x = ls_onnx_line_rows(line, line->x[0]), *weight = ls_onnx_line_constant(line, 0);
    if (!is_transposed(line))
        weight = ls_onnx_graph_transpose(g, weight, 2, (const long[]){1, 0});
    line->y.rows = ls_onnx_graph_apply(g, "MatMul", x, weight);
    if (ls_option_value_bool(line->layer, "bias"))
        line->y.rows = ls_onnx_graph_apply(g, "Add", line->y.rows, ls_onnx_line_constant(line, 1));
    return true;
}

static bool dense(ls_onnx_line *line, ls_error *error)
{
    bool image;
    if (ls_option_value_bool(line->layer, "each"))
        return dense_each(line);
    const char *x = flatten(line, &image), *weight = dense_weight(line, image, is_transposed(line));
    const char *bias =
        ls_option_value_bool(line->layer, "bias") ? ls_onnx_line_constant(line, 1) : NULL;
    line->y.rows =
        ls_onnx_graph_add(line->graph, "Gemm", (const char *const[]){x, weight, bias, NULL});
    ls_onnx_graph_set_long(line->graph, "transB", 1);
    return true;
}

static bool dropout(ls_onnx_line *line, ls_error *error)
{
    line->y = *line->x[0];
    return true;
}

static bool softmax(ls_onnx_line *line, ls_error *error)
{
    const char *x = ls_onnx_line_input(line, 0);
    ls_onnx_line_set(line, ls_onnx_graph_apply(line->graph, "Softmax", x, NULL));
    ls_onnx_graph_set_long(line->graph, "axis", ls_onnx_line_channel(line));
    return true;
}

static const char *relu(ls_onnx_line *line, const char *value)
{
    return ls_option_value_bool(line->layer, "relu")
               ? ls_onnx_graph_apply(line->graph, "Relu", value, NULL)
               : value;
}

static bool sum(ls_onnx_line *line, ls_error *error)
{
    const char *total = ls_onnx_line_input(line, 0);
    for (int k = 1; k < line->layer->inputs; k++)
        total = ls_onnx_graph_apply(line->graph, "Add", total, ls_onnx_line_input(line, k));
    ls_onnx_line_set(line, relu(line, total));
    return true;
}

static bool concat(ls_onnx_line *line, ls_error *error)
{
    const char *parts[LS_ONNX_INPUTS] = {NULL};
    for (int k = 0; k < line->layer->inputs; k++)
        parts[k] = ls_onnx_line_input(line, k);
    ls_onnx_line_set(line, ls_onnx_graph_add(line->graph, "Concat", parts));
    ls_onnx_graph_set_long(line->graph, "axis", ls_onnx_line_channel(line));
    return true;
}

static bool glu(ls_onnx_line *line, ls_error *error)
{
    ls_onnx_graph *g = line->graph;
    const char *half[2];
    ls_onnx_graph_add_several(g, "Split", (const char *const[]){ls_onnx_line_input(line, 0), NULL},
                              2, (const bool[]){true, true}, half);
    ls_onnx_graph_set_long(g, "axis", ls_onnx_line_channel(line));
    const char *gate = ls_onnx_graph_apply(g, "Sigmoid", half[1], NULL);
    ls_onnx_line_set(line, ls_onnx_graph_apply(g, "Mul", half[0], gate));
    return true;
}

static bool reshape(ls_onnx_line *line, ls_error *error)
{
    line->y.rows =
        ls_onnx_graph_reshape(line->graph, ls_onnx_line_rows(line, line->x[0]), &line->y.shape);
    return true;
}

/* Batch norm as a scale and a shift of each channel. */
static const char *scale_and_shift(ls_onnx_line *line, const char *x)
{
    enum { SCALE, SHIFT, MEAN, VARIANCE, SLOTS };
    const double epsilon = ls_option_value_real(line->layer, "epsilon");
    const ls_shape *shape = &ls_onnx_line_slot(line, SCALE)->shape;
    char name[2][2 * LS_SLOT_NAME];
    float *slot[SLOTS];
    for (int k = 0; k < SLOTS; k++)
        slot[k] = ls_onnx_line_numbers(line, k);
    for (long c = 0; c < shape->at[0]; c++) {
        const double factor = (double)slot[SCALE][c] / sqrt((double)slot[VARIANCE][c] + epsilon);
        slot[SHIFT][c] = (float)((double)slot[SHIFT][c] - factor * (double)slot[MEAN][c]);
        slot[SCALE][c] = (float)factor;
    }
    ls_free(slot[MEAN]);
    ls_free(slot[VARIANCE]);
    for (int k = SCALE; k <= SHIFT; k++)
        snprintf(name[k], sizeof name[k], "%s/of_%s", ls_onnx_line_slot(line, k)->name,
                 line->layer->name);
    ls_onnx_graph *g = line->graph;
    x = ls_onnx_graph_apply(g, "Mul", x, ls_onnx_graph_numbers(g, name[0], shape, slot[SCALE]));
    return ls_onnx_graph_apply(g, "Add", x, ls_onnx_graph_numbers(g, name[1], shape, slot[SHIFT]));
}

static bool batchnorm(ls_onnx_line *line, ls_error *error)
{
    const char *inputs[6] = {ls_onnx_line_input(line, 0)};
    const char *y;
    if (ls_onnx_line_takes_channels(line)) {
        for (int k = 0; k < 4; k++)
            inputs[k + 1] = ls_onnx_line_constant(line, k);
        y = ls_onnx_graph_add(line->graph, "BatchNormalization", inputs);
        ls_onnx_graph_set_real(line->graph, "epsilon",
                               ls_option_value_real(line->layer, "epsilon"));
    } else {
        y = scale_and_shift(line, inputs[0]);
    }
    if (line->layer->inputs == 2)
        y = ls_onnx_graph_apply(line->graph, "Add", y, ls_onnx_line_input(line, 1));
    ls_onnx_line_set(line, relu(line, y));
    return true;
}

/* ONNX's LRN wants channels in the second dimension of images. */
static bool lrn(ls_onnx_line *line, ls_error *error)
{
    ls_onnx_graph *g = line->graph;
    const ls_layer *layer = line->layer;
    const long size = ls_option_value_long(layer, "size"), c = ls_shape_last(&line->y.shape);
    const bool image = line->y.shape.rank == 3;
    ls_onnx_value as_image = {.shape = {3, {1, ls_shape_count(&line->y.shape) / c, c}}};
    if (!image)
        as_image.rows =
            ls_onnx_graph_reshape(g, ls_onnx_line_rows(line, line->x[0]), &as_image.shape);
    ls_onnx_value *x = image ? line->x[0] : &as_image, y = {.shape = x->shape};
    y.channels = ls_onnx_graph_apply(g, "LRN", ls_onnx_line_channels(line, x), NULL);
    ls_onnx_graph_set_long(g, "size", size);
    ls_onnx_graph_set_real(g, "alpha", ls_option_value_real(layer, "alpha") * (double)size);
    ls_onnx_graph_set_real(g, "beta", ls_option_value_real(layer, "beta"));
    ls_onnx_graph_set_real(g, "bias", ls_option_value_real(layer, "k"));
    if (image)
        line->y.channels = y.channels;
    else
        line->y.rows = ls_onnx_graph_reshape(g, ls_onnx_line_rows(line, &y), &line->y.shape);
    return true;
}

/* Tokens as whole numbers. */
static const char *tokens(ls_onnx_line *line)
{
    enum { INT64 = 7 }; /* of ONNX's types */
    const char *made =
        ls_onnx_graph_apply(line->graph, "Cast", ls_onnx_line_rows(line, line->x[0]), NULL);
    ls_onnx_graph_set_long(line->graph, "to", INT64);
    return made;
}

static bool embedding(ls_onnx_line *line, ls_error *error)
{
    const char *token = tokens(line);
    line->y.rows =
        ls_onnx_graph_apply(line->graph, "Gather", ls_onnx_line_constant(line, 0), token);
    ls_onnx_graph_set_long(line->graph, "axis", 0);
    return true;
}

static bool onehot(ls_onnx_line *line, ls_error *error)
{
    ls_onnx_graph *g = line->graph;
    float *values = ls_alloc(2, sizeof *values);
    values[1] = 1;
    const char *off_on = ls_onnx_graph_numbers(g, "off_on", &(ls_shape){1, {2}}, values);
    const char *depth =
        ls_onnx_graph_list(g, 1, (const long[]){ls_option_value_long(line->layer, "vocabulary")});
    line->y.rows =
        ls_onnx_graph_add(g, "OneHot", (const char *const[]){tokens(line), depth, off_on, NULL});
    ls_onnx_graph_set_long(g, "axis", -1);
    return true;
}

static const struct row {
    const char *type;
    ls_onnx_translation *translate;
} rows[] = {
    {"dense", dense},
    {"conv2d", ls_onnx_windows_conv2d},
    {"deconv2d", ls_onnx_windows_deconv2d},
    {"tdnn", ls_onnx_windows_tdnn},
    {"timepool", ls_onnx_windows_timepool},
    {"maxpool", ls_onnx_windows_maxpool},
    {"avgpool", ls_onnx_windows_avgpool},
    {"lrn", lrn},
    {"sum", sum},
    {"concat", concat},
    {"dropout", dropout},
    {"activation", ls_onnx_functions_activation},
    {"softmax", softmax},
    {"batchnorm", batchnorm},
    {"glu", glu},
    {"reshape", reshape},
    {"rnn", ls_onnx_recurrent_rnn},
    {"gru", ls_onnx_recurrent_gru},
    {"lstm", ls_onnx_recurrent_lstm},
    {"embedding", embedding},
    {"onehot", onehot},
};

ls_onnx_translation *ls_onnx_layers_find(const char *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].type, type) == 0)
            return rows[i].translate;
    return NULL;
}
