/* onnx_recurrent: rnn, gru and lstm in ONNX. */
#pragma once
#include "launch/export/onnx_line.h"

/* Translations of lines (ls_onnx_translation). */
bool ls_onnx_recurrent_rnn(ls_onnx_line *line, ls_error *error);
bool ls_onnx_recurrent_gru(ls_onnx_line *line, ls_error *error);
bool ls_onnx_recurrent_lstm(ls_onnx_line *line, ls_error *error);
