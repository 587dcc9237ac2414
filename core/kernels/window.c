/* window: a kernel that slides over an image, and the patches that it sees. */
#include "core/kernels/window.h"

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
    *height = list->at[0];
    *width = list->at[list->count - 1];
    return true;
}

bool ls_window_set(ls_window *window, const ls_shape *x, const ls_list *kernel,
                   const ls_list *stride, const ls_list *pad, ls_error *error)
{
    char shape[96];
    if (x->rank != 2 && x->rank != 3)
        return ls_error_set(error, LS_USAGE,
                            "takes images, height x width x channels, but its input is %s",
                            ls_shape_text(x, shape, sizeof shape));
    ls_window w = {.h = x->at[0], .w = x->at[1], .c = x->rank == 3 ? x->at[2] : 1};
    if (!read_pair(kernel, "kernel", &w.kernel_h, &w.kernel_w, error) ||
        !read_pair(stride, "stride", &w.stride_h, &w.stride_w, error) ||
        !read_pair(pad, "pad", &w.pad_h, &w.pad_w, error))
        return false;
    w.stride_h = w.stride_h ? w.stride_h : w.kernel_h;
    w.stride_w = w.stride_w ? w.stride_w : w.kernel_w;
    if (w.kernel_h > w.h + 2 * w.pad_h || w.kernel_w > w.w + 2 * w.pad_w)
        return ls_error_set(error, LS_USAGE,
                            "kernel %ldx%ld is larger than its input of %ldx%ld with pad %ld,%ld: "
                            "take a smaller kernel, or more pad",
                            w.kernel_h, w.kernel_w, w.h, w.w, w.pad_h, w.pad_w);
    w.out_h = (w.h + 2 * w.pad_h - w.kernel_h) / w.stride_h + 1;
    w.out_w = (w.w + 2 * w.pad_w - w.kernel_w) / w.stride_w + 1;
    *window = w;
    return true;
}

bool ls_window_set_pool(ls_window *window, const ls_shape *x, const ls_list *kernel,
                        const ls_list *stride, const ls_list *pad, ls_error *error)
{
    if (!ls_window_set(window, x, kernel, stride, pad, error))
        return false;
    if (2 * window->pad_h > window->kernel_h || 2 * window->pad_w > window->kernel_w)
        return ls_error_set(error, LS_USAGE,
                            "pad %ld,%ld is more than half of the kernel %ldx%ld: a window could "
                            "lie outside of the image",
                            window->pad_h, window->pad_w, window->kernel_h, window->kernel_w);
    return true;
}

/* Where a patch begins, and which of its columns lie inside of the image: [left, right). */
typedef struct place {
    long row, top, side, left, right;
} place;

static place place_of(const ls_window *window, long position)
{
    long ow = position % window->out_w, line = position / window->out_w;
    place p = {.row = line / window->out_h,
               .top = line % window->out_h * window->stride_h - window->pad_h,
               .side = ow * window->stride_w - window->pad_w};
    p.left = p.side < 0 ? -p.side : 0;
    p.right = window->w - p.side < window->kernel_w ? window->w - p.side : window->kernel_w;
    if (p.right < p.left)
        p.left = p.right = 0;
    return p;
}

/* Where in x columns [left, right) of a patch begin in its line `kh`; -1: all outside. */
static long inside(const ls_window *window, const place *p, long kh)
{
    long line = p->top + kh;
    if (line < 0 || line >= window->h || p->left == p->right)
        return -1;
    return ((p->row * window->h + line) * window->w + p->side + p->left) * window->c;
}

void ls_window_gather(const ls_window *window, const real *x, long first, long count, real *patches)
{
    long width = window->kernel_w * window->c;
    for (long i = 0; i < count; i++) {
        place p = place_of(window, first + i);
        long begin = p.left * window->c, end = p.right * window->c;
        for (long kh = 0; kh < window->kernel_h; kh++, patches += width) {
            long at = inside(window, &p, kh);
            if (at < 0) {
                memset(patches, 0, (size_t)width * sizeof *patches);
                continue;
            }
            memset(patches, 0, (size_t)begin * sizeof *patches);
            memcpy(patches + begin, x + at, (size_t)(end - begin) * sizeof *patches);
            memset(patches + end, 0, (size_t)(width - end) * sizeof *patches);
        }
    }
}

LS_CLONES void ls_window_scatter(const ls_window *window, const real *patches, long first,
                                 long count, real *dx)
{
    long width = window->kernel_w * window->c;
    for (long i = 0; i < count; i++) {
        place p = place_of(window, first + i);
        long begin = p.left * window->c, n = (p.right - p.left) * window->c;
        for (long kh = 0; kh < window->kernel_h; kh++, patches += width) {
            long at = inside(window, &p, kh);
            if (at < 0)
                continue;
            for (long j = 0; j < n; j++)
                dx[at + j] += patches[begin + j];
        }
    }
}
