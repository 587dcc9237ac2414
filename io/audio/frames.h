/* frames: what is made of the features of a whole sound: normalised, with deltas, with context. */
#pragma once

typedef enum { LS_FRAMES_PLAIN, LS_FRAMES_MEAN, LS_FRAMES_VARIANCE } ls_frames_norm;

/* Over the frames of x [frames, width], each feature to mean 0, and for LS_FRAMES_VARIANCE to
 * deviation 1; in place. A feature that never changes becomes 0. */
void ls_frames_normalize(double *x, long frames, long width, ls_frames_norm norm);
/* x [frames, width] is the first part of lines `stride` apart: puts its deltas behind it, from
 * `at` to at + width. */
void ls_frames_delta(double *x, long frames, long stride, long from, long at, long width);
/* Frame t of y [frames, (2 context + 1) width] becomes the frames t - context ... t + context of x
 * [frames, width]; before the first frame the first stands again, after the last the last. */
void ls_frames_stack(const double *x, long frames, long width, long context, float *y);
