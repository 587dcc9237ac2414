/* conv: the passes of a convolution as slides, and the choice among the ways to compute them. */
#include "core/kernels/conv.h"

#include <string.h>

#include "core/kernels/panel.h"
#include "core/minmax.h"

const ls_conv_kernel *ls_conv_choose(const ls_conv_problem *slide, bool gradient)
{
    static const ls_conv_kernel *const kernels[] = {&ls_conv_winograd, &ls_conv_narrow,
                                                    &ls_conv_depthwise, &ls_conv_direct};
    int choice = 0;
    while (!kernels[choice]->suits(slide) || (gradient && !kernels[choice]->gradient))
        choice++;
    return kernels[choice];
}

static bool is_depthwise(const ls_conv *conv)
{
    return conv->groups > 1 && conv->groups == conv->window.c && conv->groups == conv->out;
}

/* Groups that are computed one after the other, and have panels of their own. */
static long parts_of(const ls_conv *conv)
{
    return is_depthwise(conv) ? 1 : conv->groups;
}

/* One output sees all there is. */
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
    layout.groups = parts_of(conv);
    return layout;
}

long ls_conv_unit(const ls_conv *conv)
{
    return parts_of(conv) > 1 ? conv->out / parts_of(conv) : LS_PANEL;
}

ls_conv_problem ls_conv_slide(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    const long line = w->w.out * conv->out;
    return (ls_conv_problem){.h = w->h,
                             .w = w->w,
                             .c = w->c / parts_of(conv),
                             .out = conv->out / parts_of(conv),
                             .x_pixel = w->c,
                             .y_pixel = conv->out,
                             .y_line = line,
                             .y_image = w->h.out * line,
                             .depthwise = is_depthwise(conv),
                             .exact = conv->exact};
}

/* One direction of a phase of dx: places first, first + stride, ... are reached by taps tap,
 * tap + spacing, ... of the kernel. Along dy, which it slides over, the last of them comes first.
 */
typedef struct phase {
    long first, tap, spacing;
    ls_window_axis axis;
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

ls_conv_problem ls_conv_phase(const ls_conv *conv, long number)
{
    const ls_conv_problem x = ls_conv_slide(conv);
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

/* No tap reaches its places. */
static bool is_empty(const ls_conv_problem *s)
{
    return s->h.kernel * s->w.kernel == 0;
}

/* Reals of the weight of a slide, of all groups or of one. */
static long group_of(const ls_conv_problem *s)
{
    return ls_panel_size(s->out, s->h.kernel * s->w.kernel * (s->depthwise ? 1 : s->c));
}

static long weight_of(const ls_conv *conv, const ls_conv_problem *s)
{
    return parts_of(conv) * group_of(s);
}

long ls_conv_turned(const ls_conv *conv)
{
    long reals = 0;
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_phase(conv, k);
        reals += weight_of(conv, &s);
    }
    return reals;
}

/* The taps of a phase, of one group, the last one first: [in / 32][taps][out][32]. */
static void turn_phase(const ls_conv *conv, long number, const real *weight, real *turned)
{
    const ls_conv_problem s = ls_conv_phase(conv, number);
    const ls_window_axis *lines = &conv->window.h, *columns = &conv->window.w;
    const phase h = phase_of(number / columns->stride, lines);
    const phase w = phase_of(number % columns->stride, columns);
    const long taps = s.h.kernel * s.w.kernel, all = lines->kernel * columns->kernel;
    for (long tap = 0; tap < taps; tap++) {
        const long kh = h.tap + (s.h.kernel - 1 - tap / s.w.kernel) * h.spacing;
        const long kw = w.tap + (s.w.kernel - 1 - tap % s.w.kernel) * w.spacing;
        const long at = kh * columns->kernel + kw;
        if (!s.depthwise)
            ls_panel_transpose(weight, s.c, all * s.out, at * s.out, s.out,
                               turned + tap * s.c * LS_PANEL, taps * s.c * LS_PANEL);
        for (long c = 0; s.depthwise && c < s.out; c += LS_PANEL)
            memcpy(turned + c * taps + tap * LS_PANEL, weight + c * all + at * LS_PANEL,
                   LS_PANEL * sizeof *turned);
    }
}

void ls_conv_turn(const ls_conv *conv, const real *weight, real *turned)
{
    const ls_conv_problem forward = ls_conv_slide(conv);
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_phase(conv, k);
        for (long g = 0; g < parts_of(conv); g++, turned += group_of(&s))
            turn_phase(conv, k, weight + g * group_of(&forward), turned);
    }
}

/* All groups, one after the other. */
static void run(const ls_conv *conv, const ls_conv_problem *s, const ls_conv_data *all)
{
    for (long g = 0; g < parts_of(conv); g++) {
        ls_conv_data data = *all;
        data.x += g * s->c;
        data.y += s->y_first + g * s->out;
        data.weight += g * group_of(s);
        data.bias = all->bias ? all->bias + g * s->out : NULL;
        ls_conv_choose(s, false)->run(s, &data);
    }
}

void ls_conv_forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_conv_problem s = ls_conv_slide(conv);
    run(conv, &s, data);
}

/* Where the stride passes over places that no tap reaches, these are 0. */
void ls_conv_backward(const ls_conv *conv, const ls_conv_data *data)
{
    ls_conv_data d = *data;
    for (long k = 0; !d.add && k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_phase(conv, k);
        d.add = is_empty(&s);
        if (d.add)
            memset(d.y, 0, (size_t)(d.rows * s.y_image) * sizeof *d.y);
    }
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_phase(conv, k);
        if (!is_empty(&s))
            run(conv, &s, &d);
        d.weight += weight_of(conv, &s);
    }
}

void ls_conv_gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_conv_problem s = ls_conv_slide(conv);
    for (long g = data->own.begin / s.out; g * s.out < data->own.end; g++) {
        ls_conv_data group = *data;
        group.x += g * s.c;
        group.dy += g * s.out;
        group.dweight += g * group_of(&s);
        group.own = (ls_interval){ls_max(data->own.begin - g * s.out, 0),
                                  ls_min(data->own.end - g * s.out, s.out)};
        ls_conv_choose(&s, true)->gradient(&s, &group);
    }
}

long ls_conv_scratch(const ls_conv *conv)
{
    const ls_conv_problem forward = ls_conv_slide(conv);
    long reals = ls_max(ls_conv_choose(&forward, false)->scratch(&forward),
                        ls_conv_choose(&forward, true)->scratch(&forward));
    for (long k = 0; k < count_phases(conv); k++) {
        const ls_conv_problem s = ls_conv_phase(conv, k);
        if (!is_empty(&s))
            reals = ls_max(reals, ls_conv_choose(&s, false)->scratch(&s));
    }
    return reals;
}
