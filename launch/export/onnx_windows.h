/* onnx_windows: convolutions and pools in ONNX, over images and over steps. */
#pragma once
#include "launch/export/onnx_line.h"

/* Translations of lines (ls_onnx_translation). */
bool ls_onnx_windows_conv2d(ls_onnx_line *line, ls_error *error);
bool ls_onnx_windows_deconv2d(ls_onnx_line *line, ls_error *error);
bool ls_onnx_windows_tdnn(ls_onnx_line *line, ls_error *error);
bool ls_onnx_windows_timepool(ls_onnx_line *line, ls_error *error);
bool ls_onnx_windows_maxpool(ls_onnx_line *line, ls_error *error);
bool ls_onnx_windows_avgpool(ls_onnx_line *line, ls_error *error);
