/* onnx_transforms: what a job does to rows, without what is random in it, in ONNX. */
#pragma once
#include "io/transform.h"
#include "launch/export/onnx_line.h"

/* Adds the lines of the chain to the value, which holds rows of the data. */
void ls_onnx_transforms_add(ls_onnx_graph *graph, const ls_transform_chain *chain,
                            ls_onnx_value *value);
