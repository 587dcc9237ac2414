/* onnx_graph: an ONNX model that is put together node by node, and written. Its structs are those
 * that protoc-c makes of the schema of ONNX (onnx.proto); nothing outside onnx_graph.c sees them.
 *
 * Names of values are texts that the graph owns. All tensors are of float32, but for indices. */
#pragma once
#include "core/tensor.h"

typedef struct ls_onnx_graph ls_onnx_graph;

/* `name` is that of the graph. Free with ls_onnx_graph_destroy. */
ls_onnx_graph *ls_onnx_graph_create(const char *name);
void ls_onnx_graph_destroy(ls_onnx_graph *graph);
/* What the names of the following nodes and their values begin with. */
void ls_onnx_graph_line(ls_onnx_graph *graph, const char *line);

/* Declares the input or the output `name`, of float32 [batch, shape of a row], batch any number. */
void ls_onnx_graph_input(ls_onnx_graph *graph, const char *name, const ls_shape *row);
void ls_onnx_graph_output(ls_onnx_graph *graph, const char *name, const ls_shape *row);
/* Gives a value to the output `name`. */
void ls_onnx_graph_give(ls_onnx_graph *graph, const char *name, const char *value);
/* A text that goes with the model. */
void ls_onnx_graph_metadata(ls_onnx_graph *graph, const char *key, const char *text);

/* A constant of `shape`, whose numbers, from ls_alloc, are the graph's from now on. If there is one
 * of this name already, it is taken, and `numbers` is freed. Returns its name. */
const char *ls_onnx_graph_numbers(ls_onnx_graph *graph, const char *name, const ls_shape *shape,
                                  float *numbers);
/* A scalar; and a list of whole numbers, int64. */
const char *ls_onnx_graph_number(ls_onnx_graph *graph, double value);
const char *ls_onnx_graph_list(ls_onnx_graph *graph, int count, const long *values);

enum { LS_ONNX_INPUTS = 9 };
/* Adds a node of operator `op` over inputs[] (a NULL ends them; "" stands for none). Returns the
 * value that it makes. */
const char *ls_onnx_graph_add(ls_onnx_graph *graph, const char *op, const char *const *inputs);
/* The same with `count` outputs: those k for which wanted[k] get a name in made[k]. */
void ls_onnx_graph_add_several(ls_onnx_graph *graph, const char *op, const char *const *inputs,
                               int count, const bool *wanted, const char **made);
/* Attributes of the node that was added last. */
void ls_onnx_graph_set_long(ls_onnx_graph *graph, const char *name, long value);
void ls_onnx_graph_set_real(ls_onnx_graph *graph, const char *name, double value);
void ls_onnx_graph_set_longs(ls_onnx_graph *graph, const char *name, int count, const long *values);
/* A list of one text. */
void ls_onnx_graph_set_texts(ls_onnx_graph *graph, const char *name, const char *text);
void ls_onnx_graph_set_text(ls_onnx_graph *graph, const char *name, const char *text);

/* A node of one or two inputs, and one output. */
const char *ls_onnx_graph_apply(ls_onnx_graph *graph, const char *op, const char *a, const char *b);
/* Transpose of the dimensions, batch included. */
const char *ls_onnx_graph_transpose(ls_onnx_graph *graph, const char *value, int count,
                                    const long *order);
/* Reshape; the batch stays. */
const char *ls_onnx_graph_reshape(ls_onnx_graph *graph, const char *value, const ls_shape *row);

/* How many nodes and bytes the model has so far, about. */
long ls_onnx_graph_nodes(const ls_onnx_graph *graph);
/* Writes the model, whole or not at all. LS_USAGE: it has 2 GiB or more, which protobuf can't hold;
 * LS_IO. */
bool ls_onnx_graph_write(const ls_onnx_graph *graph, const char *path, ls_error *error);
