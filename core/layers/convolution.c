/* convolution: what conv2d, deconv2d and dense have in common; the work is done in kernels/conv.h.
 */
#include "core/layers/convolution.h"

#include "core/kernels/rows.h"

bool ls_convolution_check(const ls_convolution *self, long in, ls_error *error)
{
    long groups = self->conv.groups;
    return (in % groups == 0 && self->out % groups == 0) ||
           ls_error_set(error, LS_USAGE,
                        "groups=%ld cuts channels into equal parts, but its input has %ld and "
                        "out=%ld: take a number that divides both",
                        groups, in, self->out);
}

void ls_convolution_claim(ls_layer *layer, double fan_in)
{
    ls_convolution *self = layer->self;
    ls_conv *conv = &self->conv;
    const ls_window *w = &conv->window;
    const ls_shape weight = {4, {conv->out, w->c / conv->groups, w->h.kernel, w->w.kernel}};
    const ls_layout layout = ls_conv_layout(conv);
    ls_weights_claim(layer, &weight, self->out, fan_in,
                     (double)(self->out / conv->groups * w->h.kernel * w->w.kernel), &layout);
    layer->flops = 2.0 * (double)ls_shape_count(&weight) * (double)(w->h.out * w->w.out);
    conv->exact = layer->params->exact_conv;
    *conv = ls_conv_simplest(conv);
    layer->scratch.fixed = (size_t)ls_conv_scratch(conv) * sizeof(real);
    layer->prepared_size = ls_conv_turned(conv);
}

void ls_convolution_prepare(const ls_layer *layer)
{
    const ls_convolution *self = layer->self;
    ls_conv_turn(&self->conv, ls_layer_value(layer, 0), layer->params->prepared + layer->prepared);
}

/* Forward of the layer, or (back) backward: x to y, or dy to dx, by the convolution or its data
 * gradient, which has the weight turned round. */
static void run(const ls_layer *layer, const ls_io *io, bool back, ls_conv_data data)
{
    const ls_convolution *self = layer->self;
    data.rows = io->rows;
    data.scratch = io->scratch;
    if (self->transposed == back) {
        data.weight = ls_layer_value(layer, 0);
        ls_conv_forward(&self->conv, &data);
    } else {
        data.weight = layer->params->prepared + layer->prepared;
        ls_conv_backward(&self->conv, &data);
    }
}

/* Rows of y by channels. */
static long pixels_of(const ls_layer *layer, const ls_io *io)
{
    const ls_convolution *self = layer->self;
    return io->rows * ls_shape_count(&layer->y) / self->out;
}

void ls_convolution_forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_convolution *self = layer->self;
    const real *bias = self->weights.bias ? ls_layer_value(layer, 1) : NULL;
    ls_conv_data data = {.x = io->x[0], .y = io->y};
    (void)pass;
    if (!self->transposed)
        data.bias = bias;
    else if (bias) {
        ls_rows_fill(io->y, bias, pixels_of(layer, io), self->out);
        data.add = true;
    }
    run(layer, io, false, data);
}

void ls_convolution_backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    (void)pass;
    if (io->dx[0])
        run(layer, io, true, (ls_conv_data){.x = io->dy, .y = io->dx[0], .add = io->add[0]});
}

void ls_convolution_gradient(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const ls_convolution *self = layer->self;
    const ls_interval bias = ls_io_part(io, self->out, 1);
    const ls_conv_data data = {.rows = io->rows,
                               .x = self->transposed ? io->dy : io->x[0],
                               .dy = self->transposed ? io->x[0] : io->dy,
                               .dweight = ls_layer_gradient(layer, pass, 0),
                               .own = ls_io_part(io, self->conv.out, ls_conv_unit(&self->conv)),
                               .scratch = io->scratch};
    if (data.own.begin < data.own.end)
        ls_conv_gradient(&self->conv, &data);
    if (self->weights.bias)
        ls_rows_sum(io->dy + bias.begin, pixels_of(layer, io), self->out, bias.end - bias.begin,
                    ls_layer_gradient(layer, pass, 1) + bias.begin);
}
