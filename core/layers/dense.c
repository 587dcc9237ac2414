/* dense: y[rows, out] = x[rows, in] weight[out, in]^T + bias[out]; inputs of any shape are
 * flattened. */
#include "core/blas.h"
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
    ls_weights_claim(layer, &(ls_shape){2, {out, in}}, (double)in, (double)out, NULL);
    layer->y = (ls_shape){1, {out}};
    layer->flops = 2.0 * (double)in * (double)out;
    return true;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const dense *self = layer->self;
    long in = ls_shape_count(&layer->x[0]), out = self->units;
    (void)pass;
    if (self->weights.bias)
        ls_rows_fill(io->y, ls_layer_value(layer, 1), io->rows, out);
    ls_gemm(false, true, io->rows, out, in, 1, io->x[0], in, ls_layer_value(layer, 0), in,
            self->weights.bias ? 1 : 0, io->y, out);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const dense *self = layer->self;
    long in = ls_shape_count(&layer->x[0]), out = self->units;
    if (pass->gradient && io->rows) {
        ls_gemm(true, false, out, in, io->rows, 1, io->dy, out, io->x[0], in, 1,
                ls_layer_gradient(layer, pass, 0), in);
        if (self->weights.bias)
            ls_rows_sum(io->dy, io->rows, out, ls_layer_gradient(layer, pass, 1));
    }
    if (io->dx[0])
        ls_gemm(false, false, io->rows, in, out, 1, io->dy, out, ls_layer_value(layer, 0), in,
                io->add[0] ? 1 : 0, io->dx[0], in);
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
};
