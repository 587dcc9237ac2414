/* window: the windows of a kernel that goes over an image [h, w, c] in steps. */
#pragma once

/* One direction, height or width, of `size` pixels: the window of output i < out holds the pixels
 * i * stride - pad + k * dilation, k < kernel. Outside of the image are zeros (maxpool: nothing).
 */
typedef struct ls_window_axis {
    long size, kernel, stride, pad, dilation, out;
} ls_window_axis;

typedef struct ls_window {
    ls_window_axis h, w;
    long c;
} ls_window;

/* Pixels from the first to the last that lie in the windows of so many neighbouring outputs. */
static inline long ls_window_axis_reach(const ls_window_axis *axis, long outputs)
{
    return (outputs - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
}

/* An image of one pixel and a window that is this pixel. */
static inline ls_window ls_window_pixel(long c)
{
    const ls_window pixel = {{1, 1, 1, 0, 1, 1}, {1, 1, 1, 0, 1, 1}, c};
    return pixel;
}
