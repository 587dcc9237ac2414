/* onnx_graph: puts an ONNX model together and writes it.
 *
 * The messages of protobuf-c are plain structs with pointers; all of them, and all texts, live
 * until the graph is destroyed. The file is packed piece by piece: the numbers are not copied
 * again. */
#include "launch/export/onnx_graph.h"

#include <onnx.pb-c.h> /* made by protoc-c when lockstep is built */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"

enum { OPSET = 13, IR_VERSION = 7 /* of the same release of ONNX, 1.8 */ };

struct ls_onnx_graph {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[1];
    char line[64];
    long blocks, made; /* of memory; values that have a name */
    void **block;      /* everything that was allocated, in its order */
};

static void *keep(ls_onnx_graph *g, void *block)
{
    g->block = ls_realloc(g->block, (size_t)g->blocks + 1, sizeof *g->block);
    return g->block[g->blocks++] = block;
}

static void *make(ls_onnx_graph *g, size_t count, size_t size)
{
    return keep(g, ls_alloc(count, size));
}

static char *copy(ls_onnx_graph *g, const char *text)
{
    return keep(g, ls_copy_string(text));
}

/* Appends a pointer to a list of the model, whose memory is not kept but freed by destroy. */
#define APPEND(list, count, item)                                                                  \
    do {                                                                                           \
        (list) = ls_realloc((list), (count) + 1, sizeof *(list));                                  \
        (list)[(count)++] = (item);                                                                \
    } while (0)

ls_onnx_graph *ls_onnx_graph_create(const char *name)
{
    ls_onnx_graph *g = ls_alloc(1, sizeof *g);
    onnx__model_proto__init(&g->model);
    onnx__graph_proto__init(&g->graph);
    onnx__operator_set_id_proto__init(&g->opset);
    g->opset.domain = "";
    g->opset.has_version = true;
    g->opset.version = OPSET;
    g->opsets[0] = &g->opset;
    g->model.has_ir_version = true;
    g->model.ir_version = IR_VERSION;
    g->model.n_opset_import = 1;
    g->model.opset_import = g->opsets;
    g->model.producer_name = "lockstep";
    g->model.producer_version = LS_VERSION;
    g->model.graph = &g->graph;
    g->graph.name = copy(g, name);
    return g;
}

void ls_onnx_graph_destroy(ls_onnx_graph *g)
{
    for (size_t i = 0; i < g->graph.n_node; i++)
        ls_free(g->graph.node[i]->attribute);
    for (long i = 0; i < g->blocks; i++)
        ls_free(g->block[i]);
    ls_free(g->block);
    ls_free(g->graph.node);
    ls_free(g->graph.initializer);
    ls_free(g->graph.input);
    ls_free(g->graph.output);
    ls_free(g->model.metadata_props);
    ls_free(g);
}

void ls_onnx_graph_line(ls_onnx_graph *g, const char *line)
{
    snprintf(g->line, sizeof g->line, "%s", line);
}

static Onnx__TensorShapeProto__Dimension *make_dimension(ls_onnx_graph *g, long size)
{
    Onnx__TensorShapeProto__Dimension *d = make(g, 1, sizeof *d);
    onnx__tensor_shape_proto__dimension__init(d);
    d->value_case = size > 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                             : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    if (size > 0)
        d->dim_value = size;
    else
        d->dim_param = "batch";
    return d;
}

static Onnx__ValueInfoProto *make_value(ls_onnx_graph *g, const char *name, const ls_shape *row)
{
    Onnx__ValueInfoProto *value = make(g, 1, sizeof *value);
    Onnx__TypeProto *type = make(g, 1, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = make(g, 1, sizeof *tensor);
    Onnx__TensorShapeProto *shape = make(g, 1, sizeof *shape);
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = (size_t)row->rank + 1;
    shape->dim = make(g, shape->n_dim, sizeof *shape->dim);
    for (int i = 0; i <= row->rank; i++)
        shape->dim[i] = make_dimension(g, i ? row->at[i - 1] : 0);
    tensor->has_elem_type = true;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    value->name = copy(g, name);
    value->type = type;
    return value;
}

void ls_onnx_graph_input(ls_onnx_graph *g, const char *name, const ls_shape *row)
{
    APPEND(g->graph.input, g->graph.n_input, make_value(g, name, row));
}

void ls_onnx_graph_output(ls_onnx_graph *g, const char *name, const ls_shape *row)
{
    APPEND(g->graph.output, g->graph.n_output, make_value(g, name, row));
}

void ls_onnx_graph_give(ls_onnx_graph *g, const char *name, const char *value)
{
    ls_onnx_graph_apply(g, "Identity", value, NULL);
    g->graph.node[g->graph.n_node - 1]->output[0] = copy(g, name);
}

void ls_onnx_graph_metadata(ls_onnx_graph *g, const char *key, const char *text)
{
    Onnx__StringStringEntryProto *entry = make(g, 1, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = copy(g, key);
    entry->value = copy(g, text);
    APPEND(g->model.metadata_props, g->model.n_metadata_props, entry);
}

static Onnx__TensorProto *add_tensor(ls_onnx_graph *g, const char *name, const ls_shape *shape,
                                     int type, ProtobufCBinaryData bytes)
{
    Onnx__TensorProto *tensor = make(g, 1, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    tensor->n_dims = (size_t)shape->rank;
    tensor->dims = make(g, tensor->n_dims, sizeof *tensor->dims);
    for (int i = 0; i < shape->rank; i++)
        tensor->dims[i] = shape->at[i];
    tensor->name = copy(g, name);
    tensor->has_data_type = true;
    tensor->data_type = type;
    tensor->has_raw_data = true;
    tensor->raw_data = bytes;
    APPEND(g->graph.initializer, g->graph.n_initializer, tensor);
    return tensor;
}

static const Onnx__TensorProto *find_tensor(const ls_onnx_graph *g, const char *name)
{
    for (size_t i = 0; i < g->graph.n_initializer; i++)
        if (strcmp(g->graph.initializer[i]->name, name) == 0)
            return g->graph.initializer[i];
    return NULL;
}

const char *ls_onnx_graph_numbers(ls_onnx_graph *g, const char *name, const ls_shape *shape,
                                  float *numbers)
{
    const Onnx__TensorProto *there = find_tensor(g, name);
    if (there) {
        ls_free(numbers);
        return there->name;
    }
    const ProtobufCBinaryData bytes = {(size_t)ls_shape_count(shape) * sizeof *numbers,
                                       keep(g, numbers)};
    return add_tensor(g, name, shape, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, bytes)->name;
}

/* A name that no other value has. */
static char *new_name(ls_onnx_graph *g, const char *what)
{
    return keep(g, ls_format("%s/%s_%ld", g->line, what, g->made++));
}

const char *ls_onnx_graph_number(ls_onnx_graph *g, double value)
{
    float *number = ls_alloc(1, sizeof *number);
    *number = (float)value;
    return ls_onnx_graph_numbers(g, new_name(g, "number"), &(ls_shape){.rank = 0}, number);
}

const char *ls_onnx_graph_list(ls_onnx_graph *g, int count, const long *values)
{
    int64_t *list = make(g, (size_t)count, sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = values[i];
    const ProtobufCBinaryData bytes = {(size_t)count * sizeof *list, (uint8_t *)list};
    return add_tensor(g, new_name(g, "list"), &(ls_shape){1, {count}},
                      ONNX__TENSOR_PROTO__DATA_TYPE__INT64, bytes)
        ->name;
}

void ls_onnx_graph_add_several(ls_onnx_graph *g, const char *op, const char *const *inputs,
                               int count, const bool *wanted, const char **made)
{
    Onnx__NodeProto *node = make(g, 1, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = copy(g, op);
    node->input = make(g, LS_ONNX_INPUTS, sizeof *node->input);
    for (; inputs[node->n_input]; node->n_input++) {
        ls_check(node->n_input < LS_ONNX_INPUTS, "an ONNX node of more inputs than expected");
        node->input[node->n_input] = copy(g, inputs[node->n_input]);
    }
    node->n_output = (size_t)count;
    node->output = make(g, (size_t)count, sizeof *node->output);
    for (int k = 0; k < count; k++)
        made[k] = node->output[k] = wanted[k] ? new_name(g, op) : copy(g, "");
    node->name = copy(g, made[wanted[0] ? 0 : count - 1]);
    APPEND(g->graph.node, g->graph.n_node, node);
}

const char *ls_onnx_graph_add(ls_onnx_graph *g, const char *op, const char *const *inputs)
{
    const char *made;
    ls_onnx_graph_add_several(g, op, inputs, 1, &(const bool){true}, &made);
    return made;
}

static Onnx__AttributeProto *add_attribute(ls_onnx_graph *g, const char *name, int type)
{
    Onnx__NodeProto *node = g->graph.node[g->graph.n_node - 1];
    Onnx__AttributeProto *attribute = make(g, 1, sizeof *attribute);
    onnx__attribute_proto__init(attribute);
    attribute->name = copy(g, name);
    attribute->has_type = true;
    attribute->type = (Onnx__AttributeProto__AttributeType)type;
    APPEND(node->attribute, node->n_attribute, attribute);
    return attribute;
}

void ls_onnx_graph_set_long(ls_onnx_graph *g, const char *name, long value)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = true;
    a->i = value;
}

void ls_onnx_graph_set_real(ls_onnx_graph *g, const char *name, double value)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = true;
    a->f = (float)value;
}

void ls_onnx_graph_set_longs(ls_onnx_graph *g, const char *name, int count, const long *values)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)count;
    a->ints = make(g, a->n_ints, sizeof *a->ints);
    for (int i = 0; i < count; i++)
        a->ints[i] = values[i];
}

static ProtobufCBinaryData bytes_of(ls_onnx_graph *g, const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)copy(g, text)};
}

void ls_onnx_graph_set_text(ls_onnx_graph *g, const char *name, const char *text)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = true;
    a->s = bytes_of(g, text);
}

void ls_onnx_graph_set_texts(ls_onnx_graph *g, const char *name, const char *text)
{
    Onnx__AttributeProto *a =
        add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    a->n_strings = 1;
    a->strings = make(g, 1, sizeof *a->strings);
    a->strings[0] = bytes_of(g, text);
}

const char *ls_onnx_graph_apply(ls_onnx_graph *g, const char *op, const char *a, const char *b)
{
    return ls_onnx_graph_add(g, op, (const char *const[]){a, b, NULL});
}

const char *ls_onnx_graph_transpose(ls_onnx_graph *g, const char *value, int count,
                                    const long *order)
{
    const char *made = ls_onnx_graph_apply(g, "Transpose", value, NULL);
    ls_onnx_graph_set_longs(g, "perm", count, order);
    return made;
}

const char *ls_onnx_graph_reshape(ls_onnx_graph *g, const char *value, const ls_shape *row)
{
    long dims[LS_MAX_RANK + 1] = {-1}; /* the batch */
    for (int i = 0; i < row->rank; i++)
        dims[i + 1] = row->at[i];
    return ls_onnx_graph_apply(g, "Reshape", value, ls_onnx_graph_list(g, row->rank + 1, dims));
}

long ls_onnx_graph_nodes(const ls_onnx_graph *g)
{
    return (long)g->graph.n_node;
}

/* A buffer of protobuf-c whose bytes go to a file. */
typedef struct sink {
    ProtobufCBuffer base;
    FILE *out;
} sink;

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    fwrite(bytes, 1, size, ((sink *)buffer)->out); /* the atomic file knows whether it failed */
}

bool ls_onnx_graph_write(const ls_onnx_graph *g, const char *path, ls_error *error)
{
    double bytes = 0; /* protobuf-c counts in 32 bits where a message lies in another */
    for (size_t i = 0; i < g->graph.n_initializer; i++)
        bytes += (double)g->graph.initializer[i]->raw_data.len;
    if (bytes > 2147000000)
        return ls_error_set(error, LS_USAGE,
                            "%s: the parameters are %.0f bytes, but an ONNX file holds less than "
                            "2 GiB: write .safetensors",
                            path, bytes);
    ls_atomic_file *file = ls_atomic_file_create(path, error);
    if (!file)
        return false;
    sink to = {{append}, ls_atomic_file_stream(file)};
    onnx__model_proto__pack_to_buffer(&g->model, &to.base);
    return ls_atomic_file_finish(file, error);
}
