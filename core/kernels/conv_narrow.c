/* conv_narrow: convolutions with few channels, whose vectors run along the rows of the batch.
 *
 * The few channels of a pixel would fill only a part of a vector. So 32 images are transposed, that
 * is, the 32 numbers that they have at one position become neighbours: a panel of the micro-kernel
 * is one position of 32 images, and its rows are the output channels.
 *
 *     x [32, h, w, c]   ->   [height, width, c][32]              with the padding's zeros
 *     y [out, ow][32]   =    weight^T [out, kernel] x [kernel, ow][32]      for each line of y
 *
 * The kernel_w * c numbers of a line of the kernel are contiguous in x and in the weight, whose
 * single panel holds all outputs. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/panel.h"
#include "core/kernels/rows.h"
#include "core/minmax.h"

/* This way was measured to be the fastest up to IN channels, if the images stay in a cache. */
enum { IN = 16, PACKED_REALS = 1 << 20 };

/* Of the part of an image, padding included, that lies in some window. */
static long height_of(const ls_conv_problem *s)
{
    return ls_window_axis_reach(&s->h, s->h.out);
}

static long width_of(const ls_conv_problem *s)
{
    return ls_window_axis_reach(&s->w, s->w.out);
}

static long packed_reals(const ls_conv_problem *s)
{
    return height_of(s) * width_of(s) * s->c * LS_PANEL;
}

static long scratch(const ls_conv_problem *s)
{
    return packed_reals(s) + s->h.out * s->y_line * LS_PANEL;
}

static bool suits(const ls_conv_problem *s)
{
    return !s->depthwise && s->h.kernel * s->w.kernel > 1 && s->h.dilation * s->w.dilation == 1 &&
           s->c <= IN && s->out <= LS_PANEL && s->x_pixel == s->c && s->y_pixel == s->out &&
           s->y_line == s->w.out * s->out && scratch(s) <= PACKED_REALS;
}

/* Transposes that part of `rows` images. */
static void pack(const ls_conv_problem *s, const real *x, long rows, real *to)
{
    const long width = width_of(s), line = s->w.size * s->c;
    const long begin = ls_max(0, s->w.pad), end = ls_min(width, s->w.size + s->w.pad);
    memset(to, 0, (size_t)packed_reals(s) * sizeof *to);
    for (long i = ls_max(0, s->h.pad); i < ls_min(height_of(s), s->h.size + s->h.pad); i++)
        ls_panel_transpose_rows(x + (i - s->h.pad) * line + (begin - s->w.pad) * s->c,
                                s->h.size * line, rows, (end - begin) * s->c,
                                to + (i * width + begin) * s->c * LS_PANEL);
}

static void run(const ls_conv_problem *s, const ls_conv_data *data)
{
    const long line = width_of(s) * s->c * LS_PANEL;
    real *x = data->scratch, *y = x + packed_reals(s);
    const ls_tile tile = {
        .segments = s->h.kernel,
        .depth = s->w.kernel * s->c,
        .a = {.row = 1, .depth = LS_PANEL, .segment = s->w.kernel * s->c * LS_PANEL},
        .b = {.segment = line, .panel = s->w.stride * s->c * LS_PANEL},
        .c = {.row = LS_PANEL, .panel = s->out * LS_PANEL}};
    if (data->bias)
        ls_rows_fill(data->y, data->bias, data->rows * s->h.out * s->w.out, s->out);
    for (long n = 0; n < data->rows; n += LS_PANEL) {
        const long rows = ls_min(LS_PANEL, data->rows - n), columns = ls_panel_round(rows);
        const long positions = columns == LS_PANEL ? s->w.out : 1; /* at a time */
        pack(s, data->x + n * s->h.size * s->w.size * s->c, rows, x);
        for (long i = 0; i < s->h.out; i++)
            for (long j = 0; j < s->w.out; j += positions)
                ls_tile_best()->run(&tile, s->out, positions * columns, data->weight,
                                    x + i * s->h.stride * line + j * tile.b.panel,
                                    y + i * s->y_line * LS_PANEL + j * tile.c.panel);
        ls_panel_transpose_back(y, rows, s->h.out * s->y_line, data->add || data->bias,
                                data->y + n * s->y_image, s->y_image);
    }
}

const ls_conv_kernel ls_conv_narrow = {"narrow", suits, scratch, run, NULL};
