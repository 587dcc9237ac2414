/* tdnn: time delays (Waibel et al. 1989): a convolution over the steps of x [time, features], which
 * is y [time, units],
 *
 *     y[t] = b + sum over k of W[k] x[t * stride - pad + k * dilation]
 *
 * A unit sees the input of a step and of some steps beside it. They are given by delays=0,1,2 or
 * -2,0,2: equal gaps, in any order, of which the first weight belongs to the earliest; only their
 * distances matter, for y begins where all of them lie in x (or in the pad of zeros). Or they are
 * given as a convolution's kernel= and dilation=. It is computed as one over an image of height 1
 * (kernels/conv.h).
 *
 * Of a row of L steps as many steps of y count as a convolution over these alone has, at least one:
 * if the delays reach beyond the row, zeros follow it. */
#include "core/layers/convolution.h"
#include "core/minmax.h"

typedef struct tdnn {
    ls_convolution common;
    ls_list delays;
    long kernel, dilation, stride, pad;
} tdnn;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(tdnn, common.out), NULL, 1, 1e6, NULL, "outputs of a step"},
    {"delays", LS_OPTION_LIST, offsetof(tdnn, delays), "0", -1e6, 1e6, NULL,
     "steps that a unit sees, in equal gaps: 0,1,2 or -2,0,2"},
    {"kernel", LS_OPTION_INT, offsetof(tdnn, kernel), "0", 0, 1e4, NULL,
     "in place of delays=: how many steps a unit sees"},
    {"dilation", LS_OPTION_INT, offsetof(tdnn, dilation), "1", 1, 1e6, NULL,
     "beside kernel=: steps from one of these to the next"},
    {"stride", LS_OPTION_INT, offsetof(tdnn, stride), "1", 1, 1e6, NULL,
     "steps of x from one step of y to the next"},
    {"pad", LS_OPTION_INT, offsetof(tdnn, pad), "0", 0, 1e6, NULL,
     "steps of zeros before the first and after the last"},
    {"groups", LS_OPTION_INT, offsetof(tdnn, common.conv.groups), "1", 1, 1e6, NULL,
     "equal parts of the features, each seen by units of its own"},
    LS_WEIGHTS_OPTIONS,
    {0}};

static const char *const examples[] = {
    "9,3 | tdnn units=4 delays=0,1,2",
    "9,3 | tdnn units=5 delays=2,-2,0 bias=0",
    "8,4 | tdnn units=6 kernel=3 dilation=2 stride=2 pad=1 groups=2",
    "15,5 | tdnn units=4 kernel=3; activation function=tanh; tdnn units=3 kernel=5; "
    "timepool type=sum",
    "7,3 | tdnn units=4 kernel=3 pad=1 bias=0; batchnorm; tdnn units=2 kernel=2",
    "6,3 | a: tdnn units=3 kernel=3 pad=1; tdnn share=a units=3 kernel=3 pad=1; timepool type=stat",
    "7,3 | tdnn units=1 kernel=3 spectral=1 pad=1",
    NULL};

/* Turns delays= into kernel and dilation. */
static bool read_delays(tdnn *self, ls_error *error)
{
    const ls_list *delays = &self->delays;
    long low = delays->at[0], high = low;
    if (self->kernel > 0)
        return (delays->count == 1 && low == 0) ||
               ls_error_set(error, LS_USAGE, "delays= and kernel= say the same: give one of them");
    if (self->dilation != 1)
        return ls_error_set(error, LS_USAGE, "dilation= goes with kernel=N; delays= has its own");
    for (int i = 1; i < delays->count; i++) {
        low = ls_min(low, delays->at[i]);
        high = ls_max(high, delays->at[i]);
    }
    self->kernel = delays->count;
    self->dilation = delays->count > 1 ? (high - low) / (delays->count - 1) : 1;
    for (long k = 0; k < delays->count; k++) {
        int found = 0;
        for (int i = 0; i < delays->count; i++)
            found += delays->at[i] == low + k * self->dilation;
        if (found != 1)
            return ls_error_set(error, LS_USAGE,
                                "delays= need equal gaps, such as 0,1,2 or -3,0,3: put layers of "
                                "other gaps above each other, or side by side with concat");
    }
    return true;
}

static bool setup(ls_layer *layer, ls_error *error)
{
    tdnn *self = layer->self;
    const ls_shape *x = &layer->x[0];
    char text[96];
    if (x->rank != 2)
        return ls_error_set(error, LS_USAGE,
                            "tdnn takes sequences, [time, features] a row, found %s: `embedding` "
                            "makes them of [time] tokens, `reshape` of numbers in another shape",
                            ls_shape_text(x, text, sizeof text));
    if (!read_delays(self, error))
        return false;
    const ls_shape image = {3, {1, x->at[0], x->at[1]}};
    ls_convolution *common = &self->common;
    common->options = (ls_window_options){.kernel = {2, {1, self->kernel}},
                                          .stride = {2, {1, self->stride}},
                                          .pad = {2, {0, self->pad}},
                                          .dilation = {2, {1, self->dilation}}};
    ls_window *w = &common->conv.window;
    if (!ls_window_set(w, &image, &common->options, error) ||
        !ls_convolution_check(common, w->c, error))
        return false;
    common->conv.out = common->out;
    layer->y = (ls_shape){2, {w->w.out, common->out}};
    return ls_convolution_claim(layer, (double)(w->c / common->conv.groups * self->kernel), error);
}

static long steps(const ls_layer *layer, long steps)
{
    const tdnn *self = layer->self;
    const long reach = (self->kernel - 1) * self->dilation + 1,
               room = steps + 2 * self->pad - reach;
    return room < 0 ? 1 : room / self->stride + 1;
}

/* If it sees one step, in its place, it treats each step alone. */
static bool looks_ahead(const ls_layer *layer)
{
    const tdnn *self = layer->self;
    return self->kernel > 1 || self->pad > 0 || self->stride > 1;
}

const ls_layer_type ls_layer_tdnn = {
    .name = "tdnn",
    .help = "time delays: a convolution over the steps of a sequence",
    .examples = examples,
    .size = sizeof(tdnn),
    .options = options,
    .setup = setup,
    .time.steps = steps,
    .time.looks_ahead = looks_ahead,
    LS_CONVOLUTION_FUNCTIONS,
};
