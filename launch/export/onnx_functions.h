/* onnx_functions: activation functions in ONNX. */
#pragma once
#include "launch/export/onnx_line.h"

/* Translations of lines (ls_onnx_translation). */
bool ls_onnx_functions_activation(ls_onnx_line *line, ls_error *error);
