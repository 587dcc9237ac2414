/* onnx_layers: what each type of line becomes in ONNX. */
#pragma once
#include "launch/export/onnx_line.h"

/* How a line of this type is translated; NULL: the type has no form in ONNX. */
ls_onnx_translation *ls_onnx_layers_find(const char *type);
