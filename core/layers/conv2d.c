/* conv2d: two-dimensional convolution over images [h, w, channels]; see kernels/conv.h. */
#include "core/kernels/conv.h"
#include "core/kernels/rows.h"
#include "core/layers/weights.h"

typedef struct conv2d {
    ls_weights weights;
    ls_window_options sees;
    ls_conv conv;
    const ls_conv_kernel *how;
} conv2d;

/* The first that suits the shape. */
static const ls_conv_kernel *const kernels[] = {&ls_conv_winograd, &ls_conv_narrow,
                                                &ls_conv_depthwise, &ls_conv_direct, &ls_conv_gemm};

static const ls_option options[] = {
    {"out", LS_OPTION_INT, offsetof(conv2d, conv.out), NULL, 1, 1e6, NULL, "output channels"},
    {"kernel", LS_OPTION_LIST, offsetof(conv2d, sees.kernel), NULL, 1, 1e4, NULL,
     "5, or height,width"},
    {"stride", LS_OPTION_LIST, offsetof(conv2d, sees.stride), "1", 1, 1e4, NULL,
     "2, or height,width"},
    {"pad", LS_OPTION_LIST, offsetof(conv2d, sees.pad), "0", 0, 1e4, NULL,
     "zeros on each side: 2, or height,width"},
    {"dilation", LS_OPTION_LIST, offsetof(conv2d, sees.dilation), "1", 1, 1e4, NULL,
     "places from one weight to the next: 2, or height,width"},
    {"groups", LS_OPTION_INT, offsetof(conv2d, conv.groups), "1", 1, 1e6, NULL,
     "equal parts of the channels, each convolved by itself"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {"6,5,3 | conv2d out=4 kernel=3,2 pad=1",
                                       "5,5 | conv2d out=7 kernel=2 bias=0",
                                       "7,6,2 | conv2d out=3 kernel=3 stride=2,3 pad=1,2",
                                       "3,4,5 | conv2d out=17 kernel=1",
                                       "4,4,2 | conv2d out=3 kernel=1,2 pad=2",
                                       "6,5,4 | conv2d out=6 kernel=3,2 groups=2 pad=1",
                                       "3,4,6 | conv2d out=9 kernel=1 groups=3",
                                       "7,6,2 | conv2d out=3 kernel=3,2 dilation=2,3 pad=1,2",
                                       "5,6,5 | conv2d out=5 kernel=3 groups=5 stride=2,1 pad=1",
                                       "5,5,3 | conv2d out=4 kernel=1 stride=2",
                                       "3,4,3 | conv2d out=5 kernel=3,4",
                                       NULL};

static bool check_groups(const ls_conv *conv, ls_error *error)
{
    if (conv->window.c % conv->groups == 0 && conv->out % conv->groups == 0)
        return true;
    return ls_error_set(error, LS_USAGE,
                        "groups=%ld cuts channels into equal parts, but its input has %ld and "
                        "out=%ld: take a number that divides both",
                        conv->groups, conv->window.c, conv->out);
}

static bool setup(ls_layer *layer, ls_error *error)
{
    conv2d *self = layer->self;
    const ls_conv *conv = &self->conv;
    const ls_window *w = &conv->window;
    if (!ls_window_set(&self->conv.window, &layer->x[0], &self->sees, error) ||
        !check_groups(conv, error))
        return false;
    self->conv.exact = layer->params->exact_conv;
    int choice = 0;
    while (!kernels[choice]->suits(conv))
        choice++;
    self->how = kernels[choice];
    long in = w->c / conv->groups, taps = w->kernel_h * w->kernel_w;
    ls_weights_claim(layer, &(ls_shape){4, {conv->out, in, w->kernel_h, w->kernel_w}},
                     (double)(in * taps), (double)(conv->out / conv->groups * taps),
                     self->how->layout);
    layer->y = (ls_shape){3, {w->out_h, w->out_w, conv->out}};
    layer->scratch.fixed = (size_t)self->how->scratch(conv) * sizeof(real);
    layer->prepared_size = self->how->prepared ? self->how->prepared(conv) : 0;
    layer->flops = 2 * (double)(in * taps) * (double)ls_shape_count(&layer->y);
    return true;
}

static void prepare(const ls_layer *layer)
{
    const conv2d *self = layer->self;
    if (self->how->prepare)
        self->how->prepare(&self->conv, ls_layer_value(layer, 0),
                           layer->params->prepared + layer->prepared);
}

/* What forward and backward have in common. */
static ls_conv_data arrays(const ls_layer *layer, const ls_io *io)
{
    const conv2d *self = layer->self;
    return (ls_conv_data){
        .rows = io->rows,
        .weight = ls_layer_value(layer, 0),
        .bias = self->weights.bias ? ls_layer_value(layer, 1) : NULL,
        .prepared = self->how->prepared ? layer->params->prepared + layer->prepared : NULL,
        .x = io->x[0],
        .scratch = io->scratch};
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const conv2d *self = layer->self;
    ls_conv_data data = arrays(layer, io);
    (void)pass;
    data.y = io->y;
    self->how->forward(&self->conv, &data);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const conv2d *self = layer->self;
    ls_conv_data data = arrays(layer, io);
    (void)pass;
    data.dy = io->dy;
    data.dx = io->dx[0];
    data.add = io->add[0];
    if (data.dx)
        self->how->backward(&self->conv, &data);
}

static void gradient(const ls_layer *layer, const ls_pass *pass, const ls_io *io)
{
    const conv2d *self = layer->self;
    const ls_window *w = &self->conv.window;
    long out = self->conv.out;
    ls_conv_data data = arrays(layer, io);
    data.dy = io->dy;
    data.dweight = ls_layer_gradient(layer, pass, 0);
    data.own = ls_io_part(io, out, self->how->unit);
    if (data.own.begin < data.own.end)
        self->how->gradient(&self->conv, &data);
    if (self->weights.bias)
        ls_rows_sum(io->dy + data.own.begin, io->rows * w->out_h * w->out_w, out,
                    data.own.end - data.own.begin,
                    ls_layer_gradient(layer, pass, 1) + data.own.begin);
}

const ls_layer_type ls_layer_conv2d = {
    .name = "conv2d",
    .help = "convolution over images, zeros around",
    .examples = examples,
    .size = sizeof(conv2d),
    .options = options,
    .inputs_min = 1,
    .inputs_max = 1,
    .setup = setup,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
