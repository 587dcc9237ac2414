/* conv_direct: a convolution by the micro-kernel over lines of the image; any kernel, stride and
 * pad, on weights in panels.
 *
 *     x, padded lines            a line of a kernel of w x c numbers lies together in x, and so do
 *   +--------------------+       those of the next window, stride * c further on: the micro-kernel
 *   | [ w * c ]          |       reads the patches where they are, kernel_h lines of them, and its
 *   |   [ w * c ]        |       rows are the windows of one line of y.
 *   |      [ w * c ]     |
 *   +--------------------+       for blocks of lines (they stay in the cache), pairs of panels,
 *                                lines of y:   y[ow, 64] = patches[ow, h, w, c] weight[h, w, c, 64]
 *
 * dx is the same with x and y changed over and the weight turned round. With stride s, the places
 * of dx fall into s * s phases, each with its own part of the kernel: (ih + pad) mod s = kh mod s.
 * dweight sums over the pixels of a block of lines, one line of the kernel at a time. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/minmax.h"

enum { BLOCK_REALS = 100000, PAIR = 2 * LS_PANEL };

/* A kernel that slides over one image. */
typedef struct slide {
    const real *x; /* [h, w, c] */
    long h, w, c;
    long top, left; /* of the first window: places of x, or of the zeros around it */
    long step_h, step_w, kernel_h, kernel_w;
    const real *weight, *bias; /* panels [out / 32][kernel_h][kernel_w][c][32] */
    real *y;                   /* window (i, j) is at i * y_line + j * y_pixel */
    long out_h, out_w, out, y_line, y_pixel;
    bool add;
    real *lines; /* scratch for padded lines */
} slide;

/* Places of x that a line of windows sees. */
static long width_of(const slide *s)
{
    return (s->out_w - 1) * s->step_w + s->kernel_w;
}

/* Lines of windows that are done at a time. */
static long block_of(const slide *s)
{
    long lines = BLOCK_REALS / (width_of(s) * s->c * s->step_h);
    return ls_max(1, ls_min(lines, s->out_h));
}

static long lines_reals(const slide *s)
{
    return ((block_of(s) - 1) * s->step_h + s->kernel_h) * width_of(s) * s->c;
}

static bool is_inside(const slide *s)
{
    return s->top >= 0 && s->left >= 0 && s->left + width_of(s) <= s->w &&
           s->top + (s->out_h - 1) * s->step_h + s->kernel_h <= s->h;
}

/* `count` lines of x from line `top` on, with zeros where x ends; *row: from line to line. */
static const real *padded(const slide *s, long top, long count, long *row)
{
    if (is_inside(s)) {
        *row = s->w * s->c;
        return s->x + top * *row + s->left * s->c;
    }
    *row = width_of(s) * s->c;
    long begin = ls_max(0, -s->left), end = ls_min(width_of(s), s->w - s->left);
    for (long i = 0; i < count; i++) {
        real *line = s->lines + i * *row;
        long h = top + i;
        if (h < 0 || h >= s->h || begin >= end) {
            memset(line, 0, (size_t)*row * sizeof *line);
            continue;
        }
        memset(line, 0, (size_t)(begin * s->c) * sizeof *line);
        memcpy(line + begin * s->c, s->x + (h * s->w + s->left + begin) * s->c,
               (size_t)((end - begin) * s->c) * sizeof *line);
        memset(line + end * s->c, 0, (size_t)(*row - end * s->c) * sizeof *line);
    }
    return s->lines;
}

static void run_slide(const slide *s)
{
    const ls_tiles *tiles = ls_tile_best();
    long taps = s->kernel_h * s->kernel_w, block = block_of(s);
    ls_tile tile = {.segments = s->kernel_h,
                    .depth = s->kernel_w * s->c,
                    .a_row = s->step_w * s->c,
                    .b_depth = LS_PANEL,
                    .b_segment = s->kernel_w * s->c * LS_PANEL,
                    .b_panel = taps * s->c * LS_PANEL,
                    .c_row = s->y_pixel,
                    .c_panel = LS_PANEL,
                    .add = s->add};
    for (long first = 0; first < s->out_h; first += block) {
        long count = ls_min(block, s->out_h - first);
        const real *x = padded(s, s->top + first * s->step_h, (count - 1) * s->step_h + s->kernel_h,
                               &tile.a_segment);
        for (long o = 0; o < s->out; o += PAIR)
            for (long i = 0; i < count; i++) {
                tile.bias = s->bias ? s->bias + o : NULL;
                tiles->along(
                    &tile, s->out_w, ls_min(PAIR, s->out - o), x + i * s->step_h * tile.a_segment,
                    s->weight + o / LS_PANEL * tile.b_panel, s->y + (first + i) * s->y_line + o);
            }
    }
}

static slide forward_of(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return (slide){.h = w->h,
                   .w = w->w,
                   .c = w->c,
                   .top = -w->pad_h,
                   .left = -w->pad_w,
                   .step_h = w->stride_h,
                   .step_w = w->stride_w,
                   .kernel_h = w->kernel_h,
                   .kernel_w = w->kernel_w,
                   .out_h = w->out_h,
                   .out_w = w->out_w,
                   .out = conv->out,
                   .y_line = w->out_w * conv->out,
                   .y_pixel = conv->out};
}

/* One direction of a phase of dx. */
typedef struct phase {
    long taps;         /* of the kernel: phase, phase + stride, ... */
    long first, count; /* places of dx: first, first + stride, ... */
    long begin;        /* the place of dy that the last tap of the first place sees */
} phase;

static phase phase_of(long number, long kernel, long stride, long pad, long size)
{
    phase p = {.taps = (kernel - number + stride - 1) / stride};
    p.first = ((number - pad) % stride + stride) % stride;
    p.count = p.first < size ? (size - p.first + stride - 1) / stride : 0;
    p.begin = (p.first + pad - number) / stride - (p.taps - 1);
    return p;
}

/* The part of dx in phase (v, h); y is dx [h, w, c] of the first image. */
static slide backward_of(const ls_conv *conv, const phase *v, const phase *h)
{
    const ls_window *w = &conv->window;
    return (slide){.h = w->out_h,
                   .w = w->out_w,
                   .c = conv->out,
                   .top = v->begin,
                   .left = h->begin,
                   .step_h = 1,
                   .step_w = 1,
                   .kernel_h = v->taps,
                   .kernel_w = h->taps,
                   .out_h = v->count,
                   .out_w = h->count,
                   .out = w->c,
                   .y_line = w->stride_h * w->w * w->c,
                   .y_pixel = w->stride_w * w->c};
}

/* The taps of a phase, the last one first, turned round: [c / 32][taps_h][taps_w][out][32]. */
static void turn_phase(const ls_conv *conv, const real *weight, long number_h, long number_w,
                       const phase *v, const phase *h, real *turned)
{
    const ls_window *w = &conv->window;
    long panel = v->taps * h->taps * conv->out * LS_PANEL;
    for (long i = 0; i < v->taps; i++)
        for (long j = 0; j < h->taps; j++) {
            long kh = number_h + (v->taps - 1 - i) * w->stride_h;
            long kw = number_w + (h->taps - 1 - j) * w->stride_w;
            ls_panel_transpose(weight, conv->out, w->kernel_h * w->kernel_w * w->c,
                               (kh * w->kernel_w + kw) * w->c, w->c,
                               turned + (i * h->taps + j) * conv->out * LS_PANEL, panel);
        }
}

/* Where no tap reaches, dx is 0. */
static void clear_phase(const slide *s, long rows, long image)
{
    for (long n = 0; !s->add && n < rows; n++)
        for (long i = 0; i < s->out_h; i++)
            for (long j = 0; j < s->out_w; j++)
                memset(s->y + n * image + i * s->y_line + j * s->y_pixel, 0,
                       (size_t)s->out * sizeof *s->y);
}

static long turned_reals(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    long taps_h = (w->kernel_h + w->stride_h - 1) / w->stride_h;
    long taps_w = (w->kernel_w + w->stride_w - 1) / w->stride_w;
    return ls_panel_size(w->c, taps_h * taps_w * conv->out);
}

static void backward_data(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    long in = w->h * w->w * w->c, out = w->out_h * w->out_w * conv->out;
    for (long a = 0; a < w->stride_h; a++)
        for (long b = 0; b < w->stride_w; b++) {
            phase v = phase_of(a, w->kernel_h, w->stride_h, w->pad_h, w->h);
            phase h = phase_of(b, w->kernel_w, w->stride_w, w->pad_w, w->w);
            slide s = backward_of(conv, &v, &h);
            s.y = data->dx + (v.first * w->w + h.first) * w->c;
            s.add = data->add;
            if (v.count <= 0 || h.count <= 0)
                continue;
            if (v.taps <= 0 || h.taps <= 0) {
                clear_phase(&s, data->rows, in);
                continue;
            }
            turn_phase(conv, data->weight, a, b, &v, &h, data->scratch);
            s.weight = data->scratch;
            s.lines = data->scratch + turned_reals(conv);
            for (long n = 0; n < data->rows; n++, s.y += in) {
                s.x = data->dy + n * out;
                run_slide(&s);
            }
        }
}

/* Lines of y whose pixels are summed in float before they are added to the gradient. */
static long gradient_block(const ls_window *w)
{
    return ls_max(1, ls_min(ls_tile_best()->depth / w->out_w, w->out_h));
}

/* Adds what lines [first, first + count) of one image give to the own part of dweight. */
static void add_lines(const ls_conv *conv, const slide *s, const ls_conv_data *data, const real *dy,
                      long first, long count)
{
    const ls_tiles *tiles = ls_tile_best();
    const ls_window *w = &conv->window;
    long line = s->kernel_w * s->c, pixels = count * w->out_w, row;
    const real *x =
        padded(s, s->top + first * s->step_h, (count - 1) * s->step_h + s->kernel_h, &row);
    const ls_tile tile = {.segments = count,
                          .depth = w->out_w,
                          .a_segment = s->step_h * row,
                          .a_depth = s->step_w * s->c,
                          .b_depth = LS_PANEL,
                          .b_segment = w->out_w * LS_PANEL,
                          .b_panel = pixels * LS_PANEL,
                          .c_row = LS_PANEL,
                          .c_panel = s->kernel_h * line * LS_PANEL,
                          .add = true};
    for (long o = data->own.begin; o < data->own.end; o += LS_PANEL_PACKED) {
        const long outs = ls_min(LS_PANEL_PACKED, data->own.end - o);
        real *to = data->dweight + o / LS_PANEL * tile.c_panel;
        ls_panel_pack(dy + first * s->y_line + o, conv->out, pixels, outs, data->scratch);
        for (long kh = 0; kh < s->kernel_h; kh++)
            tiles->across(&tile, line, ls_panel_round(outs), x + kh * row, data->scratch,
                          to + kh * line * LS_PANEL);
    }
}

static long packed_reals(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return gradient_block(w) * w->out_w *
           ls_min(LS_PANEL_PACKED, ls_panel_count(conv->out) * LS_PANEL);
}

static void take_gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    slide s = forward_of(conv);
    long block = gradient_block(w), in = w->h * w->w * w->c, out = w->out_h * s.y_line;
    s.lines = data->scratch + packed_reals(conv);
    for (long n = 0; n < data->rows; n++)
        for (long first = 0; first < w->out_h; first += block) {
            s.x = data->x + n * in;
            add_lines(conv, &s, data, data->dy + n * out, first, ls_min(block, w->out_h - first));
        }
}

/* A kernel of 1x1 that sees each pixel once, and one as large as the image, are products of
 * matrices. */
static bool is_product(const ls_window *w)
{
    bool pixel = w->kernel_h * w->kernel_w * w->stride_h * w->stride_w == 1;
    bool image = w->kernel_h == w->h && w->kernel_w == w->w;
    return (pixel || image) && w->pad_h + w->pad_w == 0;
}

static long patch_of(const ls_window *w)
{
    return w->kernel_h * w->kernel_w * w->c;
}

static ls_panel_product product_of(const ls_conv *conv, const ls_conv_data *data)
{
    long in = patch_of(&conv->window);
    return (ls_panel_product){.in = in,
                              .out = conv->out,
                              .x_row = in,
                              .y_row = conv->out,
                              .weight = data->weight,
                              .bias = data->bias,
                              .add = data->add};
}

static void forward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    const ls_panel_product product = product_of(conv, data);
    slide s = forward_of(conv);
    if (is_product(w)) {
        ls_panel_forward(&product, data->rows * w->out_h * w->out_w, data->x, data->y);
        return;
    }
    s.weight = data->weight;
    s.bias = data->bias;
    s.add = data->add;
    s.lines = data->scratch;
    for (long n = 0; n < data->rows; n++) {
        s.x = data->x + n * w->h * w->w * w->c;
        s.y = data->y + n * w->out_h * s.y_line;
        run_slide(&s);
    }
}

static void backward(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    const ls_panel_product product = product_of(conv, data);
    if (is_product(w))
        ls_panel_backward(&product, data->rows * w->out_h * w->out_w, data->dy, data->dx,
                          data->scratch);
    else
        backward_data(conv, data);
}

static void gradient(const ls_conv *conv, const ls_conv_data *data)
{
    const ls_window *w = &conv->window;
    ls_panel_product product = product_of(conv, data);
    product.out = data->own.end - data->own.begin;
    if (is_product(w))
        ls_panel_gradient(&product, data->rows * w->out_h * w->out_w, data->x,
                          data->dy + data->own.begin, data->dweight + data->own.begin * product.in,
                          data->scratch);
    else
        take_gradient(conv, data);
}

static bool suits(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    return conv->groups == 1 && w->dilation_h == 1 && w->dilation_w == 1;
}

static long scratch(const ls_conv *conv)
{
    const ls_window *w = &conv->window;
    if (is_product(w))
        return ls_panel_scratch(conv->out, patch_of(w));
    const slide s = forward_of(conv);
    long gradient_lines = ((gradient_block(w) - 1) * s.step_h + s.kernel_h) * width_of(&s) * s.c;
    long most = ls_max(lines_reals(&s), packed_reals(conv) + gradient_lines);
    for (long a = 0; a < w->stride_h; a++)
        for (long b = 0; b < w->stride_w; b++) {
            phase v = phase_of(a, w->kernel_h, w->stride_h, w->pad_h, w->h);
            phase h = phase_of(b, w->kernel_w, w->stride_w, w->pad_w, w->w);
            slide back = backward_of(conv, &v, &h);
            if (v.count > 0 && h.count > 0 && v.taps > 0 && h.taps > 0)
                most = ls_max(most, turned_reals(conv) + lines_reals(&back));
        }
    return most;
}

const ls_conv_kernel ls_conv_direct = {
    .name = "direct",
    .unit = LS_PANEL,
    .layout = &ls_panel_layout,
    .suits = suits,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
