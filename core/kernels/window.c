/* window: a kernel that slides over an image, and the patches that it sees. */
#include "core/kernels/window.h"

#include <stdio.h>
#include <string.h>

#include "core/kernels/clones.h"

/* One direction of an option: "5" is both, "5,3" height and width. */
static bool read_pair(const ls_list *list, const char *key, long *height, long *width,
                      ls_error *error)
{
    if (list->count > 2)
        return ls_error_set(error, LS_USAGE,
                            "%s= takes one number, or two as height,width; found %d numbers", key,
                            list->count);
    *height = list->count ? list->at[0] : 1;
    *width = list->count == 2 ? list->at[1] : *height;
    return true;
}

static bool read_options(ls_window *w, const ls_window_options *options, ls_error *error)
{
    if (!read_pair(&options->kernel, "kernel", &w->kernel_h, &w->kernel_w, error) ||
        !read_pair(&options->stride, "stride", &w->stride_h, &w->stride_w, error) ||
        !read_pair(&options->pad, "pad", &w->pad_h, &w->pad_w, error) ||
        !read_pair(&options->dilation, "dilation", &w->dilation_h, &w->dilation_w, error))
        return false;
    w->stride_h = w->stride_h ? w->stride_h : w->kernel_h;
    w->stride_w = w->stride_w ? w->stride_w : w->kernel_w;
    return true;
}

/* The outputs along one direction, for a kernel that spans `reach` places. */
static long count_outputs(long size, long reach, long stride, long pad, bool ceil)
{
    long room = size + 2 * pad - reach;
    long out = (ceil ? room + stride - 1 : room) / stride + 1;
    return ceil && (out - 1) * stride >= size + pad ? out - 1 : out;
}

static bool too_large(const ls_window *w, ls_error *error)
{
    char dilation[64] = "";
    if (w->dilation_h > 1 || w->dilation_w > 1)
        snprintf(dilation, sizeof dilation, " with dilation %ld,%ld", w->dilation_h, w->dilation_w);
    return ls_error_set(error, LS_USAGE,
                        "kernel %ldx%ld%s is larger than its input of %ldx%ld with pad %ld,%ld: "
                        "take a smaller kernel, or more pad",
                        w->kernel_h, w->kernel_w, dilation, w->h, w->w, w->pad_h, w->pad_w);
}

bool ls_window_set(ls_window *window, const ls_shape *x, const ls_window_options *options,
                   ls_error *error)
{
    char shape[96];
    if (x->rank != 2 && x->rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "takes images, height x width x channels, but its input is %s",
                            ls_shape_text(x, shape, sizeof shape));
    ls_window w = {.h = x->at[0], .w = x->at[1], .c = x->rank == 3 ? x->at[2] : 1};
    if (!read_options(&w, options, error))
        return false;
    long reach_h = w.dilation_h * (w.kernel_h - 1) + 1,
         reach_w = w.dilation_w * (w.kernel_w - 1) + 1;
    if (reach_h > w.h + 2 * w.pad_h || reach_w > w.w + 2 * w.pad_w)
        return too_large(&w, error);
    w.out_h = count_outputs(w.h, reach_h, w.stride_h, w.pad_h, options->ceil);
    w.out_w = count_outputs(w.w, reach_w, w.stride_w, w.pad_w, options->ceil);
    *window = w;
    return true;
}

/* Where a patch begins, and which of its columns lie inside of the image: [left, right). */
typedef struct place {
    long row, top, side, left, right;
} place;

/* a / b rounded up, a >= 0. */
static long round_up(long a, long b)
{
    return (a + b - 1) / b;
}

static place place_of(const ls_window *window, long position)
{
    long ow = position % window->out_w, line = position / window->out_w;
    place p = {.row = line / window->out_h,
               .top = line % window->out_h * window->stride_h - window->pad_h,
               .side = ow * window->stride_w - window->pad_w};
    p.left = p.side < 0 ? round_up(-p.side, window->dilation_w) : 0;
    p.right = p.side < window->w ? round_up(window->w - p.side, window->dilation_w) : 0;
    p.right = p.right < window->kernel_w ? p.right : window->kernel_w;
    if (p.right < p.left)
        p.left = p.right = 0;
    return p;
}

/* Where in x columns [left, right) of a patch begin in its line `kh`; -1: all outside. */
static long inside(const ls_window *window, const place *p, long kh)
{
    long line = p->top + kh * window->dilation_h;
    if (line < 0 || line >= window->h || p->left == p->right)
        return -1;
    return ((p->row * window->h + line) * window->w + p->side + p->left * window->dilation_w) *
           window->c;
}

/* The columns of a patch's line lie in x as pieces of `length` reals, `step` apart: all in one, or
 * a piece a column where dilation or other channels lie between. */
typedef struct pieces {
    long length, step;
} pieces;

static pieces pieces_of(const ls_window *window, const place *p, long channels)
{
    if (window->dilation_w == 1 && channels == window->c)
        return (pieces){(p->right - p->left) * channels, 0};
    return (pieces){channels, window->dilation_w * window->c};
}

void ls_window_gather(const ls_window *window, const real *x, long channels, long first, long count,
                      real *patches)
{
    long width = window->kernel_w * channels;
    for (long i = 0; i < count; i++) {
        place p = place_of(window, first + i);
        pieces piece = pieces_of(window, &p, channels);
        long begin = p.left * channels, end = p.right * channels;
        for (long kh = 0; kh < window->kernel_h; kh++, patches += width) {
            long at = inside(window, &p, kh);
            if (at < 0) {
                memset(patches, 0, (size_t)width * sizeof *patches);
                continue;
            }
            memset(patches, 0, (size_t)begin * sizeof *patches);
            for (long j = begin; j < end; j += piece.length, at += piece.step)
                memcpy(patches + j, x + at, (size_t)piece.length * sizeof *patches);
            memset(patches + end, 0, (size_t)(width - end) * sizeof *patches);
        }
    }
}

LS_CLONES void ls_window_scatter(const ls_window *window, const real *patches, long channels,
                                 long first, long count, real *dx)
{
    long width = window->kernel_w * channels;
    for (long i = 0; i < count; i++) {
        place p = place_of(window, first + i);
        pieces piece = pieces_of(window, &p, channels);
        for (long kh = 0; kh < window->kernel_h; kh++, patches += width) {
            long at = inside(window, &p, kh), end = at < 0 ? 0 : p.right * channels;
            for (long j = p.left * channels; j < end; j += piece.length, at += piece.step)
                for (long k = 0; k < piece.length; k++)
                    dx[at + k] += patches[j + k];
        }
    }
}
