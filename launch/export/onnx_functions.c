/* onnx_functions: each activation function of lockstep as an operator of ONNX, or as several. */
#include "launch/export/onnx_functions.h"

#include <string.h>

#include "core/layers/activation.h"
#include "core/memory.h"
#include "launch/export/option_value.h"

/* What comes of x; alpha is the function's. */
typedef const char *build(ls_onnx_line *line, const char *x, double alpha);

/* 0, 0.5 or 1: (sign(x) + 1) / 2. */
static const char *unit_step(ls_onnx_line *line, const char *x, double alpha)
{
    ls_onnx_graph *g = line->graph;
    const char *sign = ls_onnx_graph_apply(g, "Sign", x, NULL);
    const char *up = ls_onnx_graph_apply(g, "Add", sign, ls_onnx_graph_number(g, 1));
    return ls_onnx_graph_apply(g, "Mul", up, ls_onnx_graph_number(g, 0.5));
}

/* 1 from 0 on. */
static const char *binary_step(ls_onnx_line *line, const char *x, double alpha)
{
    enum { FLOAT = 1 }; /* of ONNX's types */
    ls_onnx_graph *g = line->graph;
    const char *is = ls_onnx_graph_apply(g, "GreaterOrEqual", x, ls_onnx_graph_number(g, 0));
    const char *made = ls_onnx_graph_apply(g, "Cast", is, NULL);
    ls_onnx_graph_set_long(g, "to", FLOAT);
    return made;
}

static const char *piecewise_linear(ls_onnx_line *line, const char *x, double alpha)
{
    ls_onnx_graph *g = line->graph;
    const char *up = ls_onnx_graph_apply(g, "Add", x, ls_onnx_graph_number(g, 0.5));
    return ls_onnx_graph_add(
        g, "Clip",
        (const char *const[]){up, ls_onnx_graph_number(g, 0), ls_onnx_graph_number(g, 1), NULL});
}

/* The slope, which is one number, learned. */
static const char *prelu(ls_onnx_line *line, const char *x, double alpha)
{
    return ls_onnx_graph_apply(line->graph, "PRelu", x, ls_onnx_line_constant(line, 0));
}

static const struct function {
    const char *name, *op;
    bool alpha; /* an attribute of the operator */
    build *build;
} functions[] = {
    {"unit-step", .build = unit_step},
    {"binary-step", .build = binary_step},
    {"sign", .op = "Sign"},
    {"linear", .op = "Identity"},
    {"identity", .op = "Identity"},
    {"piecewise-linear", .build = piecewise_linear},
    {"logistic", .op = "Sigmoid"},
    {"tanh", .op = "Tanh"},
    {"arctan", .op = "Atan"},
    {"relu", .op = "Relu"},
    {"prelu", .build = prelu},
    {"leaky-relu", .op = "LeakyRelu", .alpha = true},
    {"elu", .op = "Elu", .alpha = true},
    {"softplus", .op = "Softplus"},
};

/* The line's alpha, or the function's own. */
static double alpha_of(const ls_layer *layer)
{
    double alpha;
    const bool given = ls_parse_double(
        ls_option_value(layer->type->options, layer->self, "alpha", LS_OPTION_WORD), &alpha);
    return given ? alpha : (double)ls_activation_of(layer)->alpha;
}

bool ls_onnx_functions_activation(ls_onnx_line *line, ls_error *error)
{
    const char *name = ls_activation_of(line->layer)->name, *y;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct function *f = &functions[i];
        if (strcmp(f->name, name) != 0)
            continue;
        const char *x = ls_onnx_line_input(line, 0);
        y = f->build ? f->build(line, x, alpha_of(line->layer))
                     : ls_onnx_graph_apply(line->graph, f->op, x, NULL);
        if (f->alpha)
            ls_onnx_graph_set_real(line->graph, "alpha", alpha_of(line->layer));
        ls_onnx_line_set(line, y);
        return true;
    }
    return ls_error_set(error, LS_USAGE, "activation function=%s has no form in ONNX", name);
}
