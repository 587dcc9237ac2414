/* convolution: what conv2d, deconv2d and dense have in common; kernels/conv.h computes it. */
#include "core/layers/convolution.h"

#include "core/kernels/rows.h"
#include "core/net.h"

bool ls_convolution_check(const ls_convolution *self, long in, ls_error *error)
{
    long groups = self->conv.groups;
    return (in % groups == 0 && self->out % groups == 0) ||
           ls_error_set(error, LS_USAGE,
                        "groups=%ld cuts channels into equal parts, but its input has %ld and "
                        "out=%ld: take a number that divides both",
                        groups, in, self->out);
}

bool ls_convolution_claim(ls_layer *layer, double fan_in, ls_error *error)
{
    ls_convolution *self = layer->self;
    ls_conv *conv = &self->conv;
    const ls_window *w = &conv->window;
    const ls_shape weight = {4, {conv->out, w->c / conv->groups, w->h.kernel, w->w.kernel}};
    const ls_layout layout = ls_conv_layout(conv);
    ls_weights_claim(layer, &weight, self->out, fan_in,
                     (double)(self->out / conv->groups * w->h.kernel * w->w.kernel), &layout);
    layer->flops = 2.0 * (double)ls_shape_count(&weight) * (double)(w->h.out * w->w.out);
    conv->exact = layer->net->build.exact_conv;
    *conv = ls_conv_simplest(conv);
    layer->scratch.fixed = (size_t)ls_conv_scratch(conv) * sizeof(real);
    layer->prepared_size = ls_conv_flipped_size(conv);
    return ls_spectral_claim(layer, self->transposed, error);
}

void ls_convolution_prepare(const ls_layer *layer)
{
    const ls_convolution *self = layer->self;
    ls_spectral_prepare(layer);
    ls_conv_flip(&self->conv, ls_spectral_weight(layer), layer->params->prepared + layer->prepared);
}

/* Makes data.y from data.x: by the convolution, or (back) by its data gradient, which takes the
 * flipped weight. */
static void convolve(const ls_layer *layer, const ls_layer_args *args, bool back, ls_conv_data data)
{
    const ls_convolution *self = layer->self;
    data.rows = args->rows;
    data.scratch = args->scratch;
    data.weight = back ? layer->params->prepared + layer->prepared : ls_spectral_weight(layer);
    (back ? ls_conv_backward : ls_conv_forward)(&self->conv, &data);
}

/* Pixels of y in all rows. */
static long pixels_of(const ls_layer *layer, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    return args->rows * ls_shape_count(&layer->y) / self->out;
}

void ls_convolution_forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    const real *bias = self->weights.bias ? ls_layer_value(layer, 1) : NULL;
    ls_conv_data data = {.x = args->x[0], .y = args->y};
    if (self->transposed)
        data.add = bias != NULL;
    else
        data.bias = bias;
    if (data.add)
        ls_rows_fill(args->y, bias, pixels_of(layer, args), self->out);
    convolve(layer, args, self->transposed, data);
}

void ls_convolution_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    const ls_conv_data data = {.x = args->dy, .y = args->dx[0], .add = args->add[0]};
    ls_spectral_backward(layer, pass, args);
    if (args->dx[0])
        convolve(layer, args, !self->transposed, data);
}

void ls_convolution_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args)
{
    const ls_convolution *self = layer->self;
    const ls_interval bias = ls_layer_args_part(args, self->out, 1);
    const ls_conv_data data = {
        .rows = args->rows,
        .x = self->transposed ? args->dy : args->x[0],
        .dy = self->transposed ? args->x[0] : args->dy,
        .dweight = ls_layer_gradient(layer, pass, 0),
        .part = ls_layer_args_part(args, self->conv.out, ls_conv_unit(&self->conv)),
        .scratch = args->scratch};
    real *const dbias = self->weights.bias ? ls_layer_gradient(layer, pass, 1) : NULL;
    ls_spectral_before(layer, pass, &data.part);
    if (data.dweight && data.part.begin < data.part.end)
        ls_conv_gradient(&self->conv, &data);
    ls_spectral_after(layer, pass, args, &data.part);
    if (dbias)
        ls_rows_sum(args->dy + bias.begin, pixels_of(layer, args), self->out, bias.end - bias.begin,
                    dbias + bias.begin);
}
