/* dense: y[rows, out] = x[rows, in] weight[out, in]^T + bias[out]; inputs of any shape are
 * flattened. The weight is stored in panels: kernels/panel.h. */
#include "core/kernels/panel.h"
#include "core/kernels/rows.h"
#include "core/layers/weights.h"

typedef struct dense {
    ls_weights weights;
    long units;
} dense;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(dense, units), NULL, 1, 1e8, NULL, "outputs"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {"6 | dense units=5", "3,2,2 | dense units=4 bias=0",
                                       "5 | dense units=7 init=xavier; dense units=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    const dense *self = layer->self;
    long in = ls_shape_count(&layer->x[0]), out = self->units;
    (void)error;
    ls_weights_claim(layer, &(ls_shape){2, {out, in}}, out, (double)in, (double)out,
                     &ls_panel_layout);
    layer->scratch.fixed = (size_t)ls_panel_scratch(out, in) * sizeof(real);
    layer->y = (ls_shape){1, {out}};
    layer->flops = 2.0 * (double)in * (double)out;
    return true;
}

static ls_panel_product product_of(const ls_layer *layer)
{
    const dense *self = layer->self;
    long in = ls_shape_count(&layer->x[0]);
    return (ls_panel_product){.in = in,
                              .out = self->units,
                              .x_row = in,
                              .y_row = self->units,
                              .weight = ls_layer_value(layer, 0),
                              .bias = self->weights.bias ? ls_layer_value(layer, 1) : NULL};
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_panel_product product = product_of(layer);
    (void)pass;
    ls_panel_forward(&product, io->rows, io->x[0], io->y);
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    ls_panel_product product = product_of(layer);
    const ls_interval own = ls_io_part(io, product.out, LS_PANEL);
    product.out = own.end - own.begin;
    ls_panel_gradient(&product, io->rows, io->x[0], io->dy + own.begin,
                      ls_layer_gradient(layer, pass, 0) + own.begin * product.in, io->scratch);
    if (product.bias)
        ls_rows_sum(io->dy + own.begin, io->rows, product.y_row, product.out,
                    ls_layer_gradient(layer, pass, 1) + own.begin);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    ls_panel_product product = product_of(layer);
    (void)pass;
    product.add = io->add[0];
    if (io->dx[0])
        ls_panel_backward(&product, io->rows, io->dy, io->dx[0], io->scratch);
}

const ls_layer_type ls_layer_dense = {
    .name = "dense",
    .help = "fully connected: x W^T + b",
    .examples = examples,
    .size = sizeof(dense),
    .options = options,
    .inputs_min = 1,
    .inputs_max = 1,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
