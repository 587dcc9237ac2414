/* conv2d: two-dimensional convolution over images [h, w, channels]; see kernels/conv.h. */
#include "core/kernels/conv.h"
#include "core/layers/weights.h"

typedef struct conv2d {
    ls_weights weights;
    long out;
    ls_list kernel, stride, pad;
    ls_conv conv;
    const ls_conv_kernel *how;
} conv2d;

/* The first that suits the shape. */
static const ls_conv_kernel *const kernels[] = {&ls_conv_narrow, &ls_conv_gemm};

static const ls_option options[] = {
    {"out", LS_OPTION_INT, offsetof(conv2d, out), NULL, 1, 1e6, NULL, "output channels"},
    {"kernel", LS_OPTION_LIST, offsetof(conv2d, kernel), NULL, 1, 1e4, NULL, "5, or height,width"},
    {"stride", LS_OPTION_LIST, offsetof(conv2d, stride), "1", 1, 1e4, NULL, "2, or height,width"},
    {"pad", LS_OPTION_LIST, offsetof(conv2d, pad), "0", 0, 1e4, NULL,
     "zeros on each side: 2, or height,width"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {"6,5,3 | conv2d out=4 kernel=3,2 pad=1",
                                       "5,5 | conv2d out=7 kernel=2 bias=0",
                                       "7,6,2 | conv2d out=3 kernel=3 stride=2,3 pad=1,2",
                                       "3,4,5 | conv2d out=17 kernel=1",
                                       "4,4,2 | conv2d out=3 kernel=1,2 pad=2",
                                       NULL};

static long stored_size(const ls_shape *shape)
{
    return ls_shape_count(shape);
}

/* Logical [out, in, h, w], stored [out, h, w, in]. */
static void load(const ls_shape *shape, const real *logical, real *stored)
{
    long in = shape->at[1], taps = shape->at[2] * shape->at[3];
    for (long o = 0; o < shape->at[0]; o++)
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++)
                stored[(o * taps + tap) * in + c] = logical[(o * in + c) * taps + tap];
}

static void store(const ls_shape *shape, const real *stored, real *logical)
{
    long in = shape->at[1], taps = shape->at[2] * shape->at[3];
    for (long o = 0; o < shape->at[0]; o++)
        for (long c = 0; c < in; c++)
            for (long tap = 0; tap < taps; tap++)
                logical[(o * in + c) * taps + tap] = stored[(o * taps + tap) * in + c];
}

static const ls_layout layout = {stored_size, load, store};

static bool setup(ls_layer *layer, ls_error *error)
{
    conv2d *self = layer->self;
    ls_window *w = &self->conv.window;
    if (!ls_window_set(w, &layer->x[0], &self->kernel, &self->stride, &self->pad, error))
        return false;
    self->conv.out = self->out;
    int choice = 0;
    while (!kernels[choice]->suits(&self->conv))
        choice++;
    self->how = kernels[choice];
    double taps = (double)(w->kernel_h * w->kernel_w);
    ls_weights_claim(layer, &(ls_shape){4, {self->out, w->c, w->kernel_h, w->kernel_w}},
                     (double)w->c * taps, (double)self->out * taps, &layout);
    layer->y = (ls_shape){3, {w->out_h, w->out_w, self->out}};
    layer->scratch.fixed = (size_t)self->how->scratch(&self->conv) * sizeof(real);
    layer->prepared_size = self->how->prepared ? self->how->prepared(&self->conv) : 0;
    layer->flops = 2 * (double)w->c * taps * (double)ls_shape_count(&layer->y);
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
    data.dy = io->dy;
    data.dx = io->dx[0];
    data.add = io->add[0];
    data.dweight = ls_layer_gradient(layer, pass, 0);
    data.dbias = self->weights.bias ? ls_layer_gradient(layer, pass, 1) : NULL;
    self->how->backward(&self->conv, &data);
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
};
