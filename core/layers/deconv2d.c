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
    NULL};

/* What an option says for direction k: 0 the height, 1 the width. */
static long side(const ls_list *list, int k)
{
    return list->at[list->count == 2 ? k : 0];
}

/* Height or width of y from that of x. */
static long y_side(const deconv2d *self, long x, int k)
{
    const ls_window_options *o = &self->common.options;
    return (x - 1) * side(&o->stride, k) - 2 * side(&o->pad, k) +
           side(&o->dilation, k) * (side(&o->kernel, k) - 1) + side(&self->output_pad, k) + 1;
}

static bool check_output_pad(const deconv2d *self, ls_error *error)
{
    const ls_list *pad = &self->output_pad;
    const ls_window *w = &self->common.conv.window;
    if (pad->count > 2)
        return ls_error_set(error, LS_USAGE,
                            "output_pad= takes one number, or two as height,width; found %d "
                            "numbers",
                            pad->count);
    if (side(pad, 0) < ls_max(w->h.stride, w->h.dilation) &&
        side(pad, 1) < ls_max(w->w.stride, w->w.dilation))
        return true;
    return ls_error_set(error, LS_USAGE,
                        "output_pad %ld,%ld must be less than the larger of stride %ld,%ld and "
                        "dilation %ld,%ld",
                        side(pad, 0), side(pad, 1), w->h.stride, w->w.stride, w->h.dilation,
                        w->w.dilation);
}

/* Sets the window over y. An output_pad of a stride or more, which a large dilation allows, leaves
 * room in y for more windows than x has numbers: so the window's `out` is set to the size of x. */
static bool set_window(deconv2d *self, const ls_shape *x, ls_error *error)
{
    ls_window *w = &self->common.conv.window;
    char shape[96];
    if (x->rank != 2 && x->rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "takes images, height x width x channels, but its input is %s",
                            ls_shape_text(x, shape, sizeof shape));
    const ls_shape y = {3,
                        {y_side(self, x->at[0], 0), y_side(self, x->at[1], 1), self->common.out}};
    if (y.at[0] < 1 || y.at[1] < 1)
        return ls_error_set(error, LS_USAGE,
                            "its pad leaves %ldx%ld of y: take less pad, or a larger kernel",
                            ls_max(0, y.at[0]), ls_max(0, y.at[1]));
    if (!ls_window_set(w, &y, &self->common.options, error) || !check_output_pad(self, error))
        return false;
    w->h.out = x->at[0];
    w->w.out = x->at[1];
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
    ls_convolution_claim(layer, (double)(conv->out / conv->groups * w->h.kernel * w->w.kernel) /
                                    (double)(w->h.stride * w->w.stride));
    return true;
}

const ls_layer_type ls_layer_deconv2d = {
    .name = "deconv2d",
    .help = "transposed convolution over images: height (h - 1) stride - 2 pad + "
            "dilation (kernel - 1) + 1 + output_pad, width likewise",
    .examples = examples,
    .size = sizeof(deconv2d),
    .options = options,
    .setup = setup,
    LS_CONVOLUTION_FUNCTIONS,
};
