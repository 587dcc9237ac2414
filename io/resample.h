/* resample: pictures of another size, without aliasing: bilinear, widened to the scale.
 *
 * Output pixel i of n lies at c = (i + 1/2) s in an input of m pixels, s = m / n. It is the mean of
 * the input pixels, weighted by a triangle of half the width w = max(s, 1) around c:
 *
 *     weight of input pixel j = max(0, 1 - |j + 1/2 - c| / w), scaled to a sum of 1
 *
 * So a smaller picture averages all pixels that fall into one of its own, and a larger one is
 * bilinear. Weights are rounded to multiples of 2^-22; rows are done first, rounded to bytes, then
 * columns: as PIL's Image.resize(size, Image.BILINEAR) does it, whose bytes these are.
 *
 * Rows come one by one: what is held of a picture is its rows at the output's width. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Which part of an axis is made: pixels [first, first + count) of `to` that stand for `from`. */
typedef struct ls_resample_axis {
    long from, to, first, count;
    long begin, end; /* the pixels of `from` that go into these; of ls_resample_plan */
    long taps;       /* room for the weights of one pixel */
    long *start;     /* [count] the first pixel that goes into each, */
    long *used;      /* [count] how many, */
    int32_t *weight; /* [count][taps] and their weights * 2^22 */
    long room[2];    /* allocated: pixels, weights */
} ls_resample_axis;

typedef struct ls_resample {
    int channels; /* 1 or 3 */
    ls_resample_axis x, y;
    uint8_t *held;  /* [8 rows][columns of the window][channels] as they came, */
    long rows_held; /* so many of them, */
    uint8_t *band;  /* [columns][8 rows][4 bytes] and side by side */
    uint8_t *rows;  /* [rows of the window][x.count][channels] */
    size_t room[3]; /* allocated: bytes of held, band, rows */
} ls_resample;

/* Plans pixels [x.first, +x.count) and [y.first, +y.count) of the picture. From here on x.begin
 * to y.end say which pixels are needed. Buffers of the last picture are used again; a resample
 * begins as {0}, and ls_resample_release frees them. */
void ls_resample_plan(ls_resample *r, int channels, const ls_resample_axis *x,
                      const ls_resample_axis *y);
/* Takes row y of the window, one after the other: pixels [x.begin, x.end), [channels] each. */
void ls_resample_row(ls_resample *r, long y, const uint8_t *pixels);
/* After all rows of the window: writes out[y.count][x.count][channels]. */
void ls_resample_finish(const ls_resample *r, uint8_t *out);
void ls_resample_release(ls_resample *r);
