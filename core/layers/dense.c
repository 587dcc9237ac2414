/* dense: y[rows, out] = x[rows, in] weight[out, in]^T + bias[out]; inputs of any shape are
 * flattened. It is a convolution over an image of one pixel, except for dx: the weight is large, so
 * no flipped copy is made of it, and dx is computed from the weight as stored (kernels/panel.h). */
#include "core/kernels/panel.h"
#include "core/layers/convolution.h"
#include "core/minmax.h"

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(ls_convolution, out), NULL, 1, 1e8, NULL, "outputs"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {"6 | dense units=5", "3,2,2 | dense units=4 bias=0",
                                       "5 | dense units=7 init=xavier; dense units=1", NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    ls_convolution *self = layer->self;
    const long in = ls_shape_count(&layer->x[0]), out = self->out;
    self->conv = (ls_conv){.window = ls_window_pixel(in), .out = out, .groups = 1};
    ls_weights_claim(layer, &(ls_shape){2, {out, in}}, out, (double)in, (double)out,
                     &ls_panel_layout);
    layer->scratch.fixed =
        (size_t)ls_max(ls_conv_scratch(&self->conv), ls_panel_scratch(out, in)) * sizeof(real);
    layer->y = (ls_shape){1, {out}};
    layer->flops = 2.0 * (double)in * (double)out;
    return true;
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    if (args->dx[0])
        ls_panel_backward(ls_layer_value(layer, 0), self->out, self->conv.window.c, args->rows,
                          args->dy, args->add[0], args->dx[0], args->scratch);
}

const ls_layer_type ls_layer_dense = {
    .name = "dense",
    .help = "fully connected: x W^T + b",
    .examples = examples,
    .size = sizeof(ls_convolution),
    .options = options,
    .setup = setup,
    .forward = ls_convolution_forward,
    .backward = backward,
    .gradient = ls_convolution_gradient,
};
