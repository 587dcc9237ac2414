/* conv2d: two-dimensional convolution over images [h, w, channels]; see kernels/conv.h. */
#include "core/layers/convolution.h"

static const ls_option options[] = {
    LS_CONVOLUTION_OPTIONS("zeros on each side"), LS_WEIGHTS_OPTIONS, {0}};

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
                                       "1,1,4 | conv2d out=8 kernel=3 stride=2 pad=1",
                                       "4,5,4 | a: deconv2d out=6 kernel=3,2 groups=2 pad=1; "
                                       "conv2d out=4 kernel=3,2 groups=2 share=a",
                                       "5,5,3 | a: conv2d out=3 kernel=3 pad=1; conv2d out=3 "
                                       "kernel=3 pad=2 dilation=2 share=a",
                                       "6,5,3 | conv2d out=1 kernel=3 pad=1 spectral=1",
                                       NULL};

static bool setup(ls_layer *layer, ls_error *error)
{
    ls_convolution *self = layer->self;
    ls_window *w = &self->conv.window;
    if (!ls_window_set(w, &layer->x[0], &self->options, error) ||
        !ls_convolution_check(self, w->c, error))
        return false;
    self->conv.out = self->out;
    layer->y = (ls_shape){3, {w->h.out, w->w.out, self->out}};
    return ls_convolution_claim(
        layer, (double)(w->c / self->conv.groups * w->h.kernel * w->w.kernel), error);
}

const ls_layer_type ls_layer_conv2d = {
    .name = "conv2d",
    .help = "convolution over images, zeros around",
    .examples = examples,
    .size = sizeof(ls_convolution),
    .options = options,
    .setup = setup,
    .time.ignored = true,
    LS_CONVOLUTION_FUNCTIONS,
};
