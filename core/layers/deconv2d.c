/* deconv2d: transposed convolution over images [h, w, channels]: each number of x is spread over a
 * window of y (PyTorch's ConvTranspose2d).
 *
 *     y[n, h, w, o] = bias[o] + sum over ih, iw, i of x[n, ih, iw, i] * weight[i, o, kh, kw],
 *     h = ih * stride_h - pad_h + kh * dilation_h,  likewise w
 *
 * It is the transpose of a convolution from y to x: forward is that one's data gradient, backward
 * its forward, and the weight's gradient is the same with x and dy exchanged. So the kernels of
 * conv2d (kernels/conv.h) compute it. */
#include "core/layers/convolution.h"
#include "core/minmax.h"

typedef struct deconv2d {
    ls_convolution common;
    ls_list output_pad;
} deconv2d;

static const ls_option options[] = {LS_CONVOLUTION_OPTIONS("pixels of y cut off on each side"),
                                    {"output_pad", LS_OPTION_LIST, offsetof(deconv2d, output_pad),
                                     "0", 0, 1e4, NULL,
                                     "more pixels at the end of y: 1, or height,width"},
                                    LS_WEIGHTS_OPTIONS,
                                    {0}};

static const char *const examples[] = {
    "3,4,5 | deconv2d out=4 kernel=4 stride=2 pad=1",
    "4,3 | deconv2d out=3 kernel=3,2 stride=2,3 pad=1,0 output_pad=1,2",
    "3,3,4 | deconv2d out=6 kernel=3,2 groups=2 pad=1,0 bias=0",
    "3,2,4 | deconv2d out=4 kernel=3 groups=4 stride=2 pad=1 output_pad=1",
    "3,4,2 | deconv2d out=3 kernel=2,3 stride=1,2 dilation=3,1 output_pad=2,1",
    "4,5,16 | deconv2d out=16 kernel=3 pad=1",
    "1,1,7 | deconv2d out=5 kernel=4",
    "3,2,5 | deconv2d out=4 kernel=1 stride=3",
    "5,2,16 | deconv2d out=16 kernel=1 stride=2 pad=1",
    "6,5,3 | a: conv2d out=4 kernel=3,2 stride=2 pad=1; activation function=tanh; "
    "deconv2d out=3 kernel=3,2 stride=2 pad=1 output_pad=1,0 share=a",
    "3,3,4 | deconv2d out=1 kernel=3 stride=2 spectral=1",
    NULL};

/* Sets the window over y. An output_pad of a stride or more, which a large dilation allows, leaves
 * room in y for more windows than x has numbers: so the window's `out` is set to the size of x. */
static bool set_window(deconv2d *self, const ls_shape *x, ls_error *error)
{
    const ls_window_options *options = &self->common.options;
    ls_window read;
    const ls_window_axis *h = &read.h, *w = &read.w;
    long h_pad, w_pad;
    if (!ls_window_read(&read, x, options, error) ||
        !ls_window_read_pair(&self->output_pad, "output_pad", &h_pad, &w_pad, error))
        return false;
    const long height = ls_window_axis_reach(h, h->size) - 2 * h->pad + h_pad;
    const long width = ls_window_axis_reach(w, w->size) - 2 * w->pad + w_pad;
    if (height < 1 || width < 1)
        return ls_error_set(error, LS_USAGE,
                            "its pad leaves %ldx%ld of y: take less pad, or a larger kernel",
                            ls_max(0, height), ls_max(0, width));
    if (h_pad >= ls_max(h->stride, h->dilation) || w_pad >= ls_max(w->stride, w->dilation))
        return ls_error_set(error, LS_USAGE,
                            "output_pad %ld,%ld must be less than the larger of stride %ld,%ld and "
                            "dilation %ld,%ld",
                            h_pad, w_pad, h->stride, w->stride, h->dilation, w->dilation);
    ls_window *window = &self->common.conv.window;
    if (!ls_window_set(window, &(ls_shape){3, {height, width, self->common.out}}, options, error))
        return false;
    window->h.out = h->size;
    window->w.out = w->size;
    return true;
}

static bool setup(ls_layer *layer, ls_error *error)
{
    deconv2d *self = layer->self;
    ls_conv *conv = &self->common.conv;
    const ls_window *w = &conv->window;
    const ls_shape *x = &layer->x[0];
    self->common.transposed = true;
    conv->out = x->rank == 3 ? x->at[2] : 1;
    if (!set_window(self, x, error) || !ls_convolution_check(&self->common, conv->out, error))
        return false;
    layer->y = (ls_shape){3, {w->h.size, w->w.size, w->c}};
    return ls_convolution_claim(layer,
                                (double)(conv->out / conv->groups * w->h.kernel * w->w.kernel) /
                                    (double)(w->h.stride * w->w.stride),
                                error);
}

const ls_layer_type ls_layer_deconv2d = {
    .name = "deconv2d",
    .help = "transposed convolution over images: height (h - 1) stride - 2 pad + "
            "dilation (kernel - 1) + 1 + output_pad, width likewise",
    .examples = examples,
    .size = sizeof(deconv2d),
    .options = options,
    .setup = setup,
    .time.ignored = true,
    LS_CONVOLUTION_FUNCTIONS,
};
