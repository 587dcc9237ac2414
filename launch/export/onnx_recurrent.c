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

enum { FIRST_STATE = 5 /* of the operators' inputs */, OUTPUTS = 3 };
static const char state_names[] = {'h', 'c'};

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

/* Declares the state in which a line with carry=1 begins as an input of the graph. Returns it as
 * [1, batch, units]. */
static const char *initial_state(ls_onnx_line *line, int k)
{
    ls_onnx_graph *g = line->graph;
    const ls_recurrent *self = line->layer->self;
    char *name = ls_format("%s/initial_%c", line->layer->name, state_names[k]);
    ls_onnx_graph_input(g, name, &(ls_shape){1, {self->units}});
    const char *made =
        ls_onnx_graph_apply(g, "Unsqueeze", name, ls_onnx_graph_list(g, 1, (const long[]){0}));
    ls_free(name);
    return made;
}

/* Adds the operator; `bias` and `peephole` may be "" for none. Its attributes can be set
 * afterwards, then `finish` gives the line its value from what it made. */
static void apply(ls_onnx_line *line, const gates *g, const char *bias, const char *peephole,
                  const char *made[OUTPUTS])
{
    const ls_recurrent *self = line->layer->self;
    const int states = self->carry ? self->cell->states : 0;
    const char *x = ls_onnx_graph_transpose(line->graph, ls_onnx_line_rows(line, line->x[0]), 3,
                                            (const long[]){1, 0, 2});
    const char *w = weight(line, g, LS_RECURRENT_WEIGHT, "weight", self->in);
    const char *r = weight(line, g, LS_RECURRENT_RECURRENT, "recurrent", self->units);
    const char *inputs[LS_ONNX_INPUTS] = {x, w, r, bias, "", "", "", peephole};
    for (int k = 0; k < states; k++)
        inputs[FIRST_STATE + k] = initial_state(line, k);
    for (int k = LS_ONNX_INPUTS - 2; !*inputs[k]; k--)
        inputs[k] = NULL;
    const bool wanted[] = {!self->last, self->last || states, states == 2};
    ls_onnx_graph_add_several(line->graph, g->op, inputs, states == 2 ? 3 : 2, wanted, made);
    ls_onnx_graph_set_long(line->graph, "hidden_size", self->units);
    ls_onnx_graph_set_text(line->graph, "direction", self->reverse ? "reverse" : "forward");
}

/* made: y of [time, 1, batch, units], then the states after the last step, [1, batch, units]. */
static void finish(ls_onnx_line *line, const char *const made[OUTPUTS])
{
    ls_onnx_graph *g = line->graph;
    const ls_recurrent *self = line->layer->self;
    const char *y =
        self->last ? made[1] : ls_onnx_graph_transpose(g, made[0], 4, (const long[]){2, 0, 1, 3});
    line->y.rows = ls_onnx_graph_reshape(g, y, &line->y.shape);
    for (int k = 0; self->carry && k < self->cell->states; k++) {
        const ls_shape shape = {1, {self->units}};
        char *name = ls_format("%s/Y_%c", line->layer->name, state_names[k]);
        ls_onnx_graph_output(g, name, &shape);
        ls_onnx_graph_give(g, name, ls_onnx_graph_reshape(g, made[1 + k], &shape));
        ls_free(name);
    }
}

/* Whether each step is computed from the steps before it alone, whatever the lengths of rows. */
static bool check_ends(const ls_onnx_line *line, ls_error *error)
{
    const ls_recurrent *self = line->layer->self;
    return !self->reverse || ls_onnx_line_refuse_ends(line, error);
}

bool ls_onnx_recurrent_rnn(ls_onnx_line *line, ls_error *error)
{
    static const char *const functions[] = {"Tanh", "Relu", "Sigmoid"}; /* in the option's order */
    const char *made[OUTPUTS];
    if (!check_ends(line, error))
        return false;
    apply(line, &rnn_gates, biases(line, &rnn_gates, -1), "", made);
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
    const char *made[OUTPUTS];
    if (!check_ends(line, error))
        return false;
    apply(line, g, biases(line, g, after ? layer->slots - 1 : -1), "", made);
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
    const char *made[OUTPUTS];
    if (!check_ends(line, error))
        return false;
    if (ls_option_value_bool(line->layer, "norm"))
        return ls_error_set(error, LS_USAGE, "an lstm with norm=1 has no form in ONNX");
    const char *seen = ls_option_value_bool(line->layer, "peephole") ? peepholes(line) : "";
    apply(line, &lstm_gates, biases(line, &lstm_gates, -1), seen, made);
    finish(line, made);
    return true;
}
