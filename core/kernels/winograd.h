/* winograd: 3x3 convolutions with a quarter of the multiplications, and 5x5 with about a third:
 * F(4x4, 3x3) and F(2x2, 5x5) of Lavin and Gray 2016 (Fast algorithms for convolutional neural
 * networks, section 4), which are both polynomial products by way of the points 0, 1, -1, 2, -2 and
 * infinity.
 *
 * A tile of 4x4 (2x2) outputs sees 6x6 inputs d. With g the filter, * by place, and u = G g G^T:
 *
 *     forward     y  = A^T [sum over channels of u * (B^T d B)] A
 *     gradient    dg = G^T [sum over tiles of (B^T d B) * (A dy A^T)] G
 *     backward    forward, of dy, with the filter turned round
 *
 *     B^T = 4  0 -5  0  1  0      G = 1/4    0    0  ..    A^T = 1  1  1  1  1  0
 *           0 -4 -4  1  1  0         -1/6 -1/6 -1/6  ..          0  1 -1  2 -2  0
 *           0  4 -4 -1  1  0         -1/6  1/6 -1/6  ..          0  1  1  4  4  0
 *           0 -2 -1  2  1  0         1/24 1/12  1/6  ..          0  1 -1  8 -8  1
 *           0  2 -1 -2  1  0         1/24 -1/12 1/6  ..
 *           0  4  0 -5  0  1            0    0    1        (2x2: the first two, 1 at the end)
 *
 * Row p of G holds the powers of its point, divided by its distances from the others, as many as
 * the filter has taps. The sums are 36 products of matrices, one a place of the 6x6 tile.
 *
 * So there are images of pixels, cut into tiles, on the one side, and 36 places on the other. The
 * size of a tile says how it is transformed:
 *
 *     6       x                pixels to places: B^T d B
 *     4, 2    dy; y                              A dy A^T     and back: A^T m A
 *     3, 5    taps, one tile                     G g G^T                G^T m G
 */
#pragma once
#include "core/kernels/tile.h"
#include "core/kernels/window.h"
#include "core/params.h"

enum { LS_WINOGRAD_SIZE = 6, LS_WINOGRAD_PLACES = 36 };

/* Images and their tiles, in each direction `out` windows of `kernel` pixels, `stride` apart; the
 * number of a tile counts row by row, image by image. What lies outside the image is 0, or left. */
typedef struct ls_winograd_image {
    ls_window_axis h, w;
    long pixel, line, image; /* reals from one to the next */
} ls_winograd_image;

/* The other side, at [36][channels / group][count][group]: tiles [first, first + count). */
typedef struct ls_winograd_block {
    long first, count;
    long channels, group; /* multiples of 16 */
    real *at;
    long place; /* reals from place to place */
} ls_winograd_block;

/* The transforms, compiled for each instruction set; `pixels`: channel 0 of image 0. */
typedef struct ls_winograd {
    void (*to_places)(const ls_winograd_image *image, const real *pixels,
                      const ls_winograd_block *block);
    /* Pixels become the sum with bias [channels] (NULL: 0), or with what they are (add). */
    void (*to_pixels)(const ls_winograd_image *image, const ls_winograd_block *block,
                      const real *bias, bool add, real *pixels);
} ls_winograd;
