/* conv_direct: convolutions by the micro-kernel over lines of the image, for any kernel, stride and
 * dilation.
 *
 *     x, padded lines            The w * c numbers that one line of a window holds are contiguous
 *   +--------------------+       in x, and the next window's begin stride * c reals further on. So
 *   | [ w * c ]          |       the micro-kernel reads windows where they are: its rows are the
 *   |   [ w * c ]        |       windows of one line of y, its segments the lines of a window, and
 *   |      [ w * c ]     |       no patches are copied:
 *   +--------------------+
 *                                    y[ow, 64] = windows[ow, h, w, c] weight[h, w, c, 64]
 *
 * for each block of lines of x (so that it stays in the cache), pair of panels, and line of y.
 *
 * If dilation or the channels of other groups lie between the pixels of a window, a segment is one
 * pixel of c numbers, and the lines of the kernel are taken one after the other. With a kernel of
 * 1x1 and stride 1, all images are one long line: the product of two matrices. The weight gradient
 * sums over the pixels of a block, for some of a window's numbers at a time. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/minmax.h"

enum {
    PAIR = 2 * LS_PANEL,
    /* Reals of x in a block of whole lines; a block that is a part of one line may have twice as
     * many, and has at least LEAST_PIXELS windows, at most BLOCK_PIXELS. */
    BLOCK_REALS = 100000,
    LEAST_PIXELS = 256,
    BLOCK_PIXELS = 448,
    DEPTH = 512, /* numbers of a long window at a time: BLOCK_PIXELS of them stay in a cache */
    INPUTS = 252 /* numbers of a window whose gradients are summed at a time, for the same reason */
};

/* Windows [i, i + lines) x [j, j + columns) of an image. */
typedef struct block {
    long i, lines, j, columns;
} block;

/* The pixels in the windows of a block: in x itself, or in a copy with the zeros around it. */
typedef struct view {
    const real *first;
    long line, pixel; /* reals from one to the next */
    ls_ahead next;    /* the pixels of the next block, in x */
} view;

/* `lines`: scratch for the copy. */
static view view_of(const ls_conv_problem *s, const real *image, const block *b, real *lines)
{
    const long top = b->i * s->h.stride - s->h.pad, left = b->j * s->w.stride - s->w.pad;
    const long height = ls_window_axis_reach(&s->h, b->lines);
    const long width = ls_window_axis_reach(&s->w, b->columns);
    const long begin = ls_max(0, -left), end = ls_min(width, s->w.size - left);
    const long line = s->w.size * s->x_pixel;
    const real *origin = image + top * line + left * s->x_pixel;
    const long read = b->columns == s->w.out ? b->lines * s->h.stride * line
                                             : b->columns * s->w.stride * s->x_pixel;
    const ls_ahead next = {origin + read, origin + 2 * read, NULL};
    const bool joined = s->x_pixel == s->c;
    if (top >= 0 && top + height <= s->h.size && begin == 0 && end == width)
        return (view){origin, line, s->x_pixel, next};
    memset(lines, 0, (size_t)(height * width * s->c) * sizeof *lines);
    for (long v = ls_max(0, -top); v < ls_min(height, s->h.size - top); v++)
        for (long u = begin; u < end; u += joined ? width : 1)
            memcpy(lines + (v * width + u) * s->c, origin + v * line + u * s->x_pixel,
                   (size_t)((joined ? end - begin : 1) * s->c) * sizeof *lines);
    return (view){lines, width * s->c, s->c, next};
}

/* A 1x1 kernel that reads every pixel once: joins all images, if there are any, to one line. */
static ls_conv_problem flattened(const ls_conv_problem *s, long *rows)
{
    ls_conv_problem flat = *s;
    if (*rows && s->h.kernel * s->w.kernel * s->h.stride * s->w.stride == 1 && s->h.pad == 0 &&
        s->w.pad == 0 && s->h.out == s->h.size && s->w.out == s->w.size &&
        s->y_line == s->w.size * s->y_pixel && s->y_image == s->h.size * s->y_line) {
        flat.w.size = flat.w.out = *rows * s->h.size * s->w.size;
        flat.h.size = flat.h.out = 1;
        *rows = 1;
    }
    return flat;
}

/* The size of a block; `deep`: for the gradient, where its windows are the depth of the product.
 * Blocks that are parts of a line are about equal. */
static block largest(const ls_conv_problem *s, bool deep)
{
    const long most = ls_max(LEAST_PIXELS, ls_min(BLOCK_PIXELS, 2 * BLOCK_REALS / s->c));
    const long depth = deep ? ls_tile_best()->depth : most;
    const long blocks = ls_max(1, (s->w.out + depth - 1) / depth);
    block b = {.lines = 1, .columns = (s->w.out + blocks - 1) / blocks};
    const long line = ls_window_axis_reach(&s->w, b.columns) * s->c * s->h.stride;
    if (b.columns == s->w.out)
        b.lines = deep ? depth / s->w.out : BLOCK_REALS / line;
    b.lines = ls_max(1, ls_min(b.lines, s->h.out));
    return b;
}

/* Calls `visit` for all blocks of all images; y: index of the block's first output in y. */
typedef void visit_block(const ls_conv_problem *s, const ls_conv_data *data, view *x,
                         const block *b, long y);

static void each_block(const ls_conv_problem *whole, const ls_conv_data *data, bool deep,
                       real *lines, visit_block *visit)
{
    long rows = data->rows;
    const ls_conv_problem s = flattened(whole, &rows);
    const block most = largest(&s, deep);
    for (long n = 0; n < rows; n++)
        for (block b = {.i = 0}; b.i < s.h.out; b.i += most.lines)
            for (b.j = 0; b.j < s.w.out; b.j += most.columns) {
                b.lines = ls_min(most.lines, s.h.out - b.i);
                b.columns = ls_min(most.columns, s.w.out - b.j);
                view x = view_of(&s, data->x + n * s.h.size * s.w.size * s.x_pixel, &b, lines);
                visit(&s, data, &x, &b, n * s.y_image + b.i * s.y_line + b.j * s.y_pixel);
            }
}

/* Whether a line of a window is contiguous. */
static bool is_contiguous(const ls_conv_problem *s, const view *x)
{
    return s->w.kernel == 1 || s->w.dilation * x->pixel == s->c;
}

static void run_block(const ls_conv_problem *s, const ls_conv_data *data, view *x, const block *b,
                      long y)
{
    const long line = s->w.kernel * s->c, patch = s->h.kernel * line;
    const long next_line = s->h.dilation * x->line, next_pixel = s->w.dilation * x->pixel;
    const bool contiguous = is_contiguous(s, x);
    /* The image is one block: no block before has brought the weights into the cache, so the next
     * pair of panels is fetched while this one is computed. */
    const bool one_block = s->h.out == 1 && b->columns == s->w.out;
    const long segments = contiguous ? s->h.kernel : s->w.kernel;
    const long most = !contiguous ? s->c : segments > 1 ? line : DEPTH; /* of a segment */
    const bool whole = segments * most >= patch; /* the sum is made in one go */
    for (long k = 0; k < patch; k += segments * most) {
        const long depth = ls_min(most, patch - k);
        const real *a = x->first + (contiguous ? k : k / line * next_line);
        ls_tile tile = {.segments = segments,
                        .depth = depth,
                        .a = {.row = s->w.stride * x->pixel,
                              .depth = 1,
                              .segment = contiguous ? next_line : next_pixel},
                        .b = {.segment = depth * LS_PANEL, .panel = patch * LS_PANEL},
                        .c = {.row = s->y_pixel, .panel = LS_PANEL},
                        .add = data->add || k > 0};
        for (long o = 0; o < s->out; o += PAIR) {
            const real *weight = data->weight + o * patch + k * LS_PANEL;
            const real *panel = weight + 2 * tile.b.panel;
            const long reals = segments * depth * LS_PANEL;
            ls_ahead other = {panel + tile.b.panel, panel + tile.b.panel + reals, NULL};
            ls_ahead pair = {panel, panel + reals, &other};
            tile.bias = data->bias ? data->bias + o : NULL;
            if (o + PAIR < s->out)
                tile.ahead = one_block ? &pair : NULL;
            else
                tile.ahead = whole ? &x->next : NULL;
            for (long i = 0; i < b->lines; i++)
                ls_tile_best()->run(&tile, b->columns, ls_min(PAIR, s->out - o),
                                    a + i * s->h.stride * x->line, weight,
                                    data->y + y + i * s->y_line + o);
        }
    }
}

static void run(const ls_conv_problem *s, const ls_conv_data *data)
{
    each_block(s, data, false, data->scratch, run_block);
}

/* Adds what a block gives to the wanted part of dweight. */
static void add_block(const ls_conv_problem *s, const ls_conv_data *data, view *x, const block *b,
                      long y)
{
    const long line = s->w.kernel * s->c, patch = s->h.kernel * line;
    const long pixels = b->lines * b->columns, numbers = is_contiguous(s, x) ? line : s->c;
    const long made = b->columns == s->w.out ? b->lines * s->y_line : b->columns * s->y_pixel;
    ls_ahead next = {data->dy + y + made, data->dy + y + 2 * made, NULL};
    x->next.after = &next;
    const ls_tile tile = {
        .segments = b->lines,
        .depth = b->columns,
        .a = {.row = 1, .depth = s->w.stride * x->pixel, .segment = s->h.stride * x->line},
        .b = {.segment = b->columns * LS_PANEL, .panel = pixels * LS_PANEL},
        .c = {.row = LS_PANEL, .panel = patch * LS_PANEL},
        .add = true,
        .ahead = &x->next};
    for (long o = data->part.begin; o < data->part.end; o += PAIR) {
        const long outs = ls_min(PAIR, data->part.end - o);
        ls_panel_pack(data->dy + y + o, s->y_pixel, pixels, outs, data->scratch);
        for (long k = 0, count; k < patch; k += count) {
            const long tap = k / s->c, kh = tap / s->w.kernel, kw = tap % s->w.kernel;
            count = ls_min(INPUTS, numbers - k % numbers);
            ls_tile_best()->run(&tile, count, ls_panel_round(outs),
                                x->first + kh * s->h.dilation * x->line +
                                    kw * s->w.dilation * x->pixel + k % s->c,
                                data->scratch, data->dweight + o * patch + k * LS_PANEL);
        }
    }
}

enum { PACKED = LS_TILE_DEPTH * PAIR };

static void gradient(const ls_conv_problem *s, const ls_conv_data *data)
{
    each_block(s, data, true, data->scratch + PACKED, add_block);
}

static bool suits(const ls_conv_problem *s)
{
    return !s->depthwise;
}

static long scratch(const ls_conv_problem *s)
{
    long most = 0;
    for (int deep = 0; deep < 2; deep++) {
        const block b = largest(s, deep);
        most = ls_max(most, ls_window_axis_reach(&s->h, b.lines) *
                                ls_window_axis_reach(&s->w, b.columns) * s->c);
    }
    return PACKED + most;
}

const ls_conv_kernel ls_conv_direct = {"direct", suits, scratch, run, gradient};
