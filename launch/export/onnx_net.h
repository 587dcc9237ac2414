/* onnx_net: the lines of a net in an ONNX graph.
 *
 * The input "x" is [batch, shape of a row] as lockstep has rows, images with their channels last;
 * the output "y" is that of the last line, in lockstep's order too. A line LINE with carry=1
 * adds inputs LINE/initial_h and, of lstm, LINE/initial_c [batch, units], the states that it begins
 * with, and outputs LINE/Y_h and LINE/Y_c, those in which it ends. Inside, images have their
 * channels first, as ONNX's convolutions want them: a Transpose stands before the first one, and
 * one behind the last line if it makes images. */
#pragma once
#include "core/net.h"
#include "launch/export/onnx_line.h"

/* Adds all lines, whose input is `x`, and the outputs. lengths: rows of the data are sequences of
 * unequal length. LS_USAGE: the line that has no form in ONNX. */
bool ls_onnx_net_add(ls_onnx_graph *graph, const ls_net *net, const ls_onnx_value *x, bool lengths,
                     ls_error *error);
