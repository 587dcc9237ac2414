/* window: a kernel that slides over an image [h, w, c]. */
#pragma once

/* One direction, height or width: output i < out sees, of `size` places, those at
 * i * stride - pad + k * dilation, k < kernel; what lies outside counts as zero, or not at all. */
typedef struct ls_window_axis {
    long size, kernel, stride, pad, dilation, out;
} ls_window_axis;

typedef struct ls_window {
    ls_window_axis h, w;
    long c;
} ls_window;

/* Places from the first to the last that so many outputs see. */
static inline long ls_window_axis_reach(const ls_window_axis *axis, long outputs)
{
    return (outputs - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
}

/* A window that is its image: one pixel of c numbers. */
static inline ls_window ls_window_pixel(long c)
{
    const ls_window pixel = {{1, 1, 1, 0, 1, 1}, {1, 1, 1, 0, 1, 1}, c};
    return pixel;
}
