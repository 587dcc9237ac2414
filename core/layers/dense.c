/* dense: y[rows, out] = x[rows, in] weight[out, in]^T + bias[out]; inputs of any shape are
 * flattened. It is a convolution over an image of one pixel, except for dx: the weight is large, so
 * no flipped copy is made of it, and dx is computed from the weight as stored (kernels/panel.h).
 *
 * With transpose=1 the weight is another dense line's, [in, out]: y = x weight + bias. The
 * convolution is then that line's: what it computes as dx is y here, and the other way round. */
#include "core/kernels/panel.h"
#include "core/kernels/rows.h"
#include "core/layers/convolution.h"
#include "core/minmax.h"
#include "core/net.h"

static const ls_option options[] = {{"units", LS_OPTION_INT, offsetof(ls_convolution, out), "0", 0,
                                     1e8, NULL, "outputs; beside share= they may be left out"},
                                    LS_WEIGHTS_OPTIONS,
                                    {0}};

static const char *const examples[] = {
    "6 | dense units=5",
    "3,2,2 | dense units=4 bias=0",
    "5 | dense units=7 init=xavier; dense units=1",
    "5 | dense units=7; dense units=1 spectral=1", /* of one row sigma is exact at any u */
    "6 | a: dense units=4; activation function=tanh; "
    "dense share=a transpose=1",
    "40,2 | a: dense units=33; dense share=a transpose=1 bias=0; "
    "b: dense share=a; dense share=b transpose=1 units=80",
    NULL};

/* Sets how the line uses the weight, and units= if it is left out, by the dense line that it shares
 * with. */
static bool set_units(const ls_layer *layer, ls_convolution *self, ls_error *error)
{
    const ls_layer *from = layer->share.from;
    if (!from || from->type != layer->type)
        return self->out > 0 ||
               ls_error_set(error, LS_USAGE, "dense needs units=N: its outputs, 1 or more");
    const ls_convolution *other = from->self;
    self->transposed = other->transposed != layer->share.transpose;
    const long units = self->transposed ? other->conv.window.c : other->conv.out;
    if (self->out == 0)
        self->out = units;
    return self->out == units ||
           ls_error_set(error, LS_USAGE,
                        "units=%ld does not agree with share=: by the weight of %s/%s%s this line "
                        "has %ld outputs; leave units= out",
                        self->out, from->net->name, from->name,
                        layer->share.transpose ? ", transposed," : "", units);
}

static bool setup(ls_layer *layer, ls_error *error)
{
    ls_convolution *self = layer->self;
    if (!set_units(layer, self, error))
        return false;
    const long in = self->transposed ? self->out : ls_shape_count(&layer->x[0]);
    const long out = self->transposed ? ls_shape_count(&layer->x[0]) : self->out;
    self->conv = (ls_conv){.window = ls_window_pixel(in), .out = out, .groups = 1};
    ls_weights_claim(layer, &(ls_shape){2, {out, in}}, self->out, (double)in, (double)out,
                     &ls_panel_layout);
    layer->scratch.fixed =
        (size_t)ls_max(ls_conv_scratch(&self->conv), ls_panel_scratch(out, in)) * sizeof(real);
    layer->y = (ls_shape){1, {self->out}};
    layer->flops = 2.0 * (double)in * (double)out;
    return ls_spectral_claim(layer, 0, error);
}

/* to[rows, window.c] = (add: +=) from[rows, conv.out] weight[conv.out, window.c] */
static void multiply(const ls_layer *layer, const ls_layer_args *args, const real *from, bool add,
                     real *to)
{
    const ls_conv *conv = &((const ls_convolution *)layer->self)->conv;
    ls_panel_backward(ls_spectral_weight(layer), conv->out, conv->window.c, args->rows, from, add,
                      to, args->scratch);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    const bool bias = self->weights.bias;
    if (!self->transposed) {
        ls_convolution_forward(layer, pass, args);
        return;
    }
    if (bias)
        ls_rows_fill(args->y, ls_layer_value(layer, 1), args->rows, self->out);
    multiply(layer, args, args->x[0], bias, args->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    if (self->transposed) {
        ls_convolution_backward(layer, pass, args);
        return;
    }
    ls_spectral_backward(layer, pass, args);
    if (args->dx[0])
        multiply(layer, args, args->dy, args->add[0], args->dx[0]);
}

const ls_layer_type ls_layer_dense = {
    .name = "dense",
    .help = "fully connected: x W^T + b",
    .examples = examples,
    .size = sizeof(ls_convolution),
    .options = options,
    .transposes = true,
    .setup = setup,
    .prepare = ls_spectral_prepare,
    .forward = forward,
    .backward = backward,
    .gradient = ls_convolution_gradient,
};
