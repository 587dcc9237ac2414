/* onnx_recurrent: rnn, gru and lstm in ONNX, whose sequences are [time, batch, features] and whose
 * gates stand in another order.
 *
 * gru: ONNX's h' = (1 - z) n + z h is ours with reset=after. With reset=before ours is h' = (1 - z)
 * h + z n: there z stands for 1 - z, and since 1 - s(a) = s(-a), the numbers of that gate change
 * their signs. */
#include "launch/export/onnx_recurrent.h"

#include <stdio.h>
#include <string.h>

#include "core/layers/recurrent.h"
#include "core/memory.h"
#include "launch/export/option_value.h"

/* The gates of a cell: gate k of ONNX's is our gate from[k], times sign[k]. */
typedef struct gates {
    const char *op;
    int count, from[4];
    float sign[4];
} gates;

static const gates rnn_gates = {"RNN", 1, {0}, {1}};
static const gates lstm_gates = {"LSTM", 4, {0, 3, 1, 2}, {1, 1, 1, 1}}; /* i o f z of i f z o */
static const gates gru_before = {"GRU", 3, {1, 0, 2}, {-1, 1, 1}};       /* z r n of r z n */
static const gates gru_after = {"GRU", 3, {1, 0, 2}, {1, 1, 1}};

static char *constant_name(const ls_onnx_line *line, const char *what)
{
    return ls_format("%s/%s/onnx", line->layer->name, what);
}

/* Makes a constant [1, rows, columns], or [1, rows] without columns, and frees the name. */
static const char *add_constant(ls_onnx_line *line, char *name, long rows, long columns,
                                float *numbers)
{
    const ls_shape shape = {columns ? 3 : 2, {1, rows, columns}};
    const char *made = ls_onnx_graph_numbers(line->graph, name, &shape, numbers);
    ls_free(name);
    return made;
}

/* Copies gates of `each` numbers from slot k into ONNX's order. */
static void put_gates(const ls_onnx_line *line, const gates *g, int k, long each, float *to)
{
    float *ours = ls_onnx_line_numbers(line, k);
    for (int gate = 0; gate < g->count; gate++)
        for (long i = 0; i < each; i++)
            to[gate * each + i] = g->sign[gate] * ours[g->from[gate] * each + i];
    ls_free(ours);
}

static const char *weight(ls_onnx_line *line, const gates *g, int slot, const char *what,
                          long columns)
{
    const ls_recurrent *self = line->layer->self;
    const long rows = g->count * self->units;
    float *numbers = ls_alloc((size_t)(rows * columns), sizeof *numbers);
    put_gates(line, g, slot, self->units * columns, numbers);
    return add_constant(line, constant_name(line, what), rows, columns, numbers);
}

/* The biases of W x, then those of R h, which only gru with reset=after has: of its last gate, in
 * slot `recurrent` (-1: none). */
static const char *biases(ls_onnx_line *line, const gates *g, int recurrent)
{
    const ls_recurrent *self = line->layer->self;
    const long n = self->units, all = g->count * n;
    if (!self->bias)
        return "";
    float *numbers = ls_alloc((size_t)(2 * all), sizeof *numbers);
    put_gates(line, g, LS_RECURRENT_BIAS, n, numbers);
    if (recurrent >= 0) {
        float *ours = ls_onnx_line_numbers(line, recurrent);
        memcpy(numbers + 2 * all - n, ours, (size_t)n * sizeof *ours);
        ls_free(ours);
    }
    return add_constant(line, constant_name(line, "bias"), 2 * all, 0, numbers);
}

/* Adds the operator; `more` are its inputs behind the biases (NULL: none). Its attributes can be
 * set afterwards, then `finish` gives the line its value: of [time, 1, batch, units] or, with
 * last=1, [1, batch, units]. */
static const char *apply(ls_onnx_line *line, const gates *g, const char *bias, const char *peephole)
{
    const ls_recurrent *self = line->layer->self;
    const char *x = ls_onnx_graph_transpose(line->graph, ls_onnx_line_rows(line, line->x[0]), 3,
                                            (const long[]){1, 0, 2});
    const char *w = weight(line, g, LS_RECURRENT_WEIGHT, "weight", self->in);
    const char *r = weight(line, g, LS_RECURRENT_RECURRENT, "recurrent", self->units);
    const char *made[2];
    ls_onnx_graph_add_several(line->graph, g->op,
                              (const char *const[]){x, w, r, *bias || peephole ? bias : NULL,
                                                    peephole ? "" : NULL, "", "", peephole, NULL},
                              2, (const bool[]){!self->last, self->last}, made);
    ls_onnx_graph_set_long(line->graph, "hidden_size", self->units);
    ls_onnx_graph_set_text(line->graph, "direction", self->reverse ? "reverse" : "forward");
    return made[self->last];
}

static void finish(ls_onnx_line *line, const char *made)
{
    const ls_recurrent *self = line->layer->self;
    if (!self->last)
        made = ls_onnx_graph_transpose(line->graph, made, 4, (const long[]){2, 0, 1, 3});
    line->y.rows = ls_onnx_graph_reshape(line->graph, made, &line->y.shape);
}

bool ls_onnx_recurrent_rnn(ls_onnx_line *line, ls_error *error)
{
    static const char *const functions[] = {"Tanh", "Relu", "Sigmoid"}; /* in the option's order */
    const char *made = apply(line, &rnn_gates, biases(line, &rnn_gates, -1), NULL);
    ls_onnx_graph_set_texts(line->graph, "activations",
                            functions[ls_option_value_choice(line->layer, "activation")]);
    finish(line, made);
    return true;
}

bool ls_onnx_recurrent_gru(ls_onnx_line *line, ls_error *error)
{
    const ls_layer *layer = line->layer;
    const bool after = ls_option_value_choice(layer, "reset") != 0;
    const gates *g = after ? &gru_after : &gru_before;
    const char *made = apply(line, g, biases(line, g, after ? layer->slots - 1 : -1), NULL);
    ls_onnx_graph_set_long(line->graph, "linear_before_reset", after);
    finish(line, made);
    return true;
}

/* [1, 3 units]: i o f of our i f o. */
static const char *peepholes(ls_onnx_line *line)
{
    static const int from[] = {0, 2, 1};
    const ls_recurrent *self = line->layer->self;
    const long n = self->units;
    float *ours = ls_onnx_line_numbers(line, line->layer->slots - 1);
    float *numbers = ls_alloc((size_t)(3 * n), sizeof *numbers);
    for (int k = 0; k < 3; k++)
        memcpy(numbers + k * n, ours + from[k] * n, (size_t)n * sizeof *ours);
    ls_free(ours);
    return add_constant(line, constant_name(line, "peephole"), 3 * n, 0, numbers);
}

bool ls_onnx_recurrent_lstm(ls_onnx_line *line, ls_error *error)
{
    const char *seen = ls_option_value_bool(line->layer, "peephole") ? peepholes(line) : NULL;
    finish(line, apply(line, &lstm_gates, biases(line, &lstm_gates, -1), seen));
    return true;
}
