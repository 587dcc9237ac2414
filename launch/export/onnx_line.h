/* onnx_line: a line of a net on its way into an ONNX graph, and the values that lines make.
 *
 * A row of three dimensions is an image, which ONNX's convolutions want with its channels first,
 * and everything else in lockstep has with its channels last. So a value may have both forms, and
 * the one that is missing is made, by a Transpose, when somebody asks for it. */
#pragma once
#include "core/layer.h"
#include "launch/export/onnx_graph.h"

typedef struct ls_onnx_value {
    ls_shape shape;       /* of a row, as lockstep has it */
    const char *rows;     /* [batch, shape]; NULL: not made yet */
    const char *channels; /* [batch, c, h, w] of an image; NULL: not made yet, or no image */
} ls_onnx_value;

typedef struct ls_onnx_line {
    ls_onnx_graph *graph;
    const ls_layer *layer;
    bool lengths;        /* rows of the data are sequences of unequal length */
    ls_onnx_value *x[8]; /* its inputs */
    ls_onnx_value y;     /* its shape is set; a translation sets one of its forms */
} ls_onnx_line;

/* Adds what the line computes where it does not train. LS_USAGE: an option has no form in ONNX. */
typedef bool ls_onnx_translation(ls_onnx_line *line, ls_error *error);

/* The value in the form that is asked for; of [h, w] and [h, w, c]. */
const char *ls_onnx_line_rows(ls_onnx_line *line, ls_onnx_value *value);
const char *ls_onnx_line_channels(ls_onnx_line *line, ls_onnx_value *value);
/* Whether the line, of one input or several of one shape, works on images with channels first:
 * where an input is there in that form. */
bool ls_onnx_line_takes_channels(const ls_onnx_line *line);
/* Input k in the form that ls_onnx_line_takes_channels says; the output in that form; the number of
 * its dimension with channels, the batch's being 0. */
const char *ls_onnx_line_input(ls_onnx_line *line, int k);
void ls_onnx_line_set(ls_onnx_line *line, const char *value);
int ls_onnx_line_channel(const ls_onnx_line *line);

/* For lines whose result depends on where a row ends. LS_USAGE: rows have lengths. */
bool ls_onnx_line_refuse_ends(const ls_onnx_line *line, ls_error *error);

/* Numbers of the line's k-th slot as float32, in logical order, from ls_alloc: the effective ones,
 * where spectral=1 divides the weight. */
float *ls_onnx_line_numbers(const ls_onnx_line *line, int k);
const ls_slot *ls_onnx_line_slot(const ls_onnx_line *line, int k);
/* The same as a constant of the graph, called as the slot. */
const char *ls_onnx_line_constant(ls_onnx_line *line, int k);
