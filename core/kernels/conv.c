/* conv: the passes of a convolution as problems, and the choice among the ways to solve them. */
#include "core/kernels/conv.h"

#include <string.h>

#include "core/kernels/panel.h"
#include "core/minmax.h"

static const ls_conv_kernel *const kernels[] = {&ls_conv_winograd, &ls_conv_narrow,
                                                &ls_conv_depthwise, &ls_conv_direct};

const ls_conv_kernel *ls_conv_choose(const ls_conv_problem *problem)
{
    const ls_conv_kernel *const *kernel = kernels;
    while (!(*kernel)->suits(problem))
        kernel++;
    return *kernel;
}

const ls_conv_kernel *ls_conv_choose_gradient(const ls_conv_problem *problem)
{
    const ls_conv_kernel *const *kernel = kernels;
    while (!(*kernel)->gradient || !(*kernel)->suits(problem))
        kernel++;
    return *kernel;
}

static bool is_depthwise(const ls_conv *conv)
{
    return conv->groups > 1 && conv->groups == conv->window.c && conv->groups == conv->out;
}

/* Groups that are computed one after the other, each a problem with panels of its own. */
static long group_count(const ls_conv *conv)
{
    return is_depthwise(conv) ? 1 : conv->groups;
}

/* The kernel covers this whole axis: one output, no padding. */
static bool is_whole(const ls_window_axis *axis)
{
    return axis->kernel == axis->size && axis->pad == 0 && axis->out == 1;
}

ls_conv ls_conv_simplest(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    ls_conv same = *conv;
    if (conv->groups == 1 && is_whole(&w->h) && is_whole(&w->w))
        same.window = ls_window_pixel(w->h.size * w->w.size * w->c);
    return same;
}

ls_layout ls_conv_layout(const ls_conv *conv)
{
    ls_layout layout = ls_panel_layout;
    layout.groups = group_count(conv);
    return layout;
}

long ls_conv_unit(const ls_conv *conv)
{
    return group_count(conv) > 1 ? conv->out / group_count(conv) : LS_PANEL;
}

ls_conv_problem ls_conv_forward_problem(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    const long line = w->w.out * conv->out;
    return (ls_conv_problem){.h = w->h,
                             .w = w->w,
                             .c = w->c / group_count(conv),
                             .out = conv->out / group_count(conv),
                             .x_pixel = w->c,
                             .y_pixel = conv->out,
                             .y_line = line,
                             .y_image = w->h.out * line,
                             .depthwise = is_depthwise(conv),
                             .exact = conv->exact};
}

/* One direction of a phase of dx: its pixels first, first + stride, ... are reached by the taps
 * tap, tap + spacing, ... of the kernel. */
typedef struct phase {
    long first, tap, spacing;
    ls_window_axis axis; /* of its problem: dy is the image, the last of the taps comes first */
} phase;

static phase phase_of(long number, const ls_window_axis *x)
{
    phase p = {.spacing = 1, .axis = {.size = x->out, .stride = 1}};
    while (p.spacing * x->dilation % x->stride)
        p.spacing++;
    while (p.tap < x->kernel && p.tap * x->dilation % x->stride != number)
        p.tap++;
    p.first = ((number - x->pad) % x->stride + x->stride) % x->stride;
    p.axis.kernel = (x->kernel - p.tap + p.spacing - 1) / p.spacing;
    p.axis.out = ls_max(0, x->size - p.first + x->stride - 1) / x->stride;
    p.axis.dilation = p.spacing * x->dilation / x->stride;
    p.axis.pad = (p.axis.kernel - 1) * p.axis.dilation -
                 (p.first + x->pad - p.tap * x->dilation) / x->stride;
    return p;
}

static long count_phases(const ls_conv *conv)
{
    return conv->window.h.stride * conv->window.w.stride;
}

ls_conv_problem ls_conv_backward_problem(const ls_conv *conv, long number)
{
    const ls_conv_problem x = ls_conv_forward_problem(conv);
    const long line = x.w.size * x.x_pixel;
    const phase h = phase_of(number / x.w.stride, &x.h), w = phase_of(number % x.w.stride, &x.w);
    return (ls_conv_problem){.h = h.axis,
                             .w = w.axis,
                             .c = x.out,
                             .out = x.c,
                             .x_pixel = x.y_pixel,
                             .y_first = h.first * line + w.first * x.x_pixel,
                             .y_pixel = x.w.stride * x.x_pixel,
                             .y_line = x.h.stride * line,
                             .y_image = x.h.size * line,
                             .depthwise = x.depthwise,
                             .exact = x.exact};
}

/* A phase that no tap reaches, or without pixels: the image is smaller than the stride. */
static bool is_empty(const ls_conv_problem *s)
{
    return s->h.kernel * s->w.kernel == 0 || s->h.out * s->w.out == 0;
}

/* Reals of a problem's weight: of one group, of all. */
static long group_weight(const ls_conv_problem *s)
{
    return ls_panel_size(s->out, s->h.kernel * s->w.kernel * (s->depthwise ? 1 : s->c));
}

static long whole_weight(const ls_conv *conv, const ls_conv_problem *s)
{
    return group_count(conv) * group_weight(s);
}

long ls_conv_flipped_size(const ls_conv *conv)
{
    long reals = 0;
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_backward_problem(conv, k);
        reals += whole_weight(conv, &s);
    }
    return reals;
}

/* The weight of a phase's problem, of one group: [in / 32][taps, the last one first][out][32]. */
static void flip_phase(const ls_conv *conv, long number, const real *weight, real *flipped)
{
    const ls_conv_problem s = ls_conv_backward_problem(conv, number);
    const ls_window_axis *lines = &conv->window.h, *columns = &conv->window.w;
    const phase h = phase_of(number / columns->stride, lines);
    const phase w = phase_of(number % columns->stride, columns);
    const long taps = s.h.kernel * s.w.kernel, all = lines->kernel * columns->kernel;
    for (long tap = 0; tap < taps; tap++) {
        const long kh = h.tap + (s.h.kernel - 1 - tap / s.w.kernel) * h.spacing;
        const long kw = w.tap + (s.w.kernel - 1 - tap % s.w.kernel) * w.spacing;
        const long from = kh * columns->kernel + kw; /* this tap in the weight */
        if (s.depthwise)
            for (long c = 0; c < s.out; c += LS_PANEL)
                memcpy(flipped + c * taps + tap * LS_PANEL, weight + c * all + from * LS_PANEL,
                       LS_PANEL * sizeof *flipped);
        else
            ls_panel_transpose_weight(weight, s.c, all * s.out, from * s.out, s.out,
                                      flipped + tap * s.c * LS_PANEL, taps * s.c * LS_PANEL);
    }
}

void ls_conv_flip(const ls_conv *conv, const real *weight, real *flipped)
{
    const ls_conv_problem forward = ls_conv_forward_problem(conv);
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_backward_problem(conv, k);
        for (long g = 0; g < group_count(conv); g++, flipped += group_weight(&s))
            flip_phase(conv, k, weight + g * group_weight(&forward), flipped);
    }
}

/* All groups, one after the other. */
static void run(const ls_conv *conv, const ls_conv_problem *s, const ls_conv_data *all)
{
    for (long g = 0; g < group_count(conv); g++) {
        ls_conv_data data = *all;
        data.x += g * s->c;
        data.y += s->y_first + g * s->out;
        data.weight += g * group_weight(s);
        data.bias = all->bias ? all->bias + g * s->out : NULL;
        ls_conv_choose(s)->run(s, &data);
    }
}

void ls_conv_forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_conv_problem s = ls_conv_forward_problem(conv);
    run(conv, &s, data);
}

/* If some pixels of dx belong to a phase without taps, dx starts at 0 and all phases add to it. */
void ls_conv_backward(const ls_conv *conv, const ls_conv_data *data)
{
    ls_conv_data d = *data;
    for (long k = 0; k < count_phases(conv) && !d.add; k++) {
        const ls_conv_problem s = ls_conv_backward_problem(conv, k);
        d.add = is_empty(&s);
        if (d.add)
            memset(d.y, 0, (size_t)(d.rows * s.y_image) * sizeof *d.y);
    }
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_backward_problem(conv, k);
        if (!is_empty(&s))
            run(conv, &s, &d);
        d.weight += whole_weight(conv, &s);
    }
}

void ls_conv_gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_conv_problem s = ls_conv_forward_problem(conv);
    for (long g = data->part.begin / s.out; g * s.out < data->part.end; g++) {
        ls_conv_data group = *data;
        group.x += g * s.c;
        group.dy += g * s.out;
        group.dweight += g * group_weight(&s);
        group.part = (ls_interval){ls_max(data->part.begin - g * s.out, 0),
                                   ls_min(data->part.end - g * s.out, s.out)};
        ls_conv_choose_gradient(&s)->gradient(&s, &group);
    }
}

long ls_conv_scratch(const ls_conv *conv)
{
    const ls_conv_problem forward = ls_conv_forward_problem(conv);
    long reals = ls_max(ls_conv_choose(&forward)->scratch(&forward),
                        ls_conv_choose_gradient(&forward)->scratch(&forward));
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_backward_problem(conv, k);
        if (!is_empty(&s))
            reals = ls_max(reals, ls_conv_choose(&s)->scratch(&s));
    }
    return reals;
}
