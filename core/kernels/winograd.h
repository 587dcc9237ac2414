/* winograd: 3x3 convolutions with a quarter of the multiplications, and 5x5 with about a third:
 * F(4x4, 3x3) and F(2x2, 5x5) of Lavin and Gray 2016 (Fast algorithms for convolutional neural
 * networks, section 4), which are both polynomial products by way of the points 0, 1, -1, 2, -2 and
 * infinity.
 *
 * A tile of 4x4 (or 2x2) outputs depends on 6x6 inputs d. With the filter g, u = G g G^T, and *
 * the product of two 6x6 matrices number by number:
 *
 *     forward     y  = A^T [sum over channels of u * (B^T d B)] A
 *     gradient    dg = G^T [sum over tiles of (B^T d B) * (A dy A^T)] G
 *     backward    forward, of dy, with the flipped filter
 *
 *     B^T = 4  0 -5  0  1  0      G = 1/4    0    0  ..    A^T = 1  1  1  1  1  0
 *           0 -4 -4  1  1  0         -1/6 -1/6 -1/6  ..          0  1 -1  2 -2  0
 *           0  4 -4 -1  1  0         -1/6  1/6 -1/6  ..          0  1  1  4  4  0
 *           0 -2 -1  2  1  0         1/24 1/12  1/6  ..          0  1 -1  8 -8  1
 *           0  2 -1 -2  1  0         1/24 -1/12 1/6  ..
 *           0  4  0 -5  0  1            0    0    1        (2x2: the first two, 1 at the end)
 *
 * A row of G holds the powers of its point, as many as the filter has taps, divided by the product
 * of the point's distances from the other points. The sums over channels (or tiles) are 36
 * products of matrices, one for each *position* of the 6x6 tile.
 *
 * So each transform goes between *pixels*, an image cut into tiles, and *positions*, 36 matrices.
 * The size of a tile says which transform it is:
 *
 *     size    pixels of        pixels to positions     positions to pixels
 *     6       x                B^T d B
 *     4, 2    dy; y            A dy A^T                A^T m A
 *     3, 5    taps, one tile   G g G^T                 G^T m G
 *
 * A kernel of 1x3 or 1x5 goes along lines, and so do its transforms: F(4, 3) and F(2, 5) take the
 * products from one side only (B^T d, A^T m, ...), have 6 positions, and need 1/2 and 3/5 of the
 * multiplications. With dilation, the pixels that are `dilation` apart are an image of their own,
 * and the tiles of these images alternate. Of a line of y, with dilation 2:
 *
 *     pixel    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 ...
 *     tile     0  1  0  1  0  1  0  1  2  3  2  3  2  3  2  3  4
 */
#pragma once
#include "core/kernels/tile.h"
#include "core/kernels/window.h"
#include "core/params.h"

enum { LS_WINOGRAD_SIZE = 6 };

/* Images and their tiles: in each direction `out` tiles of `kernel` pixels, which are `dilation`
 * apart: `dilation` tiles begin at neighbouring pixels, and the next of them stride * dilation
 * pixels further. Tiles are numbered row by row, image by image. Pixels of a tile outside of the
 * image are read as 0, and not written. */
typedef struct ls_winograd_image {
    ls_window_axis h, w;
    long pixel, line, image; /* reals from one to the next */
} ls_winograd_image;

/* Tiles [first, first + count) as positions: at[36 or 6][channels / group][count][group]. */
typedef struct ls_winograd_block {
    long first, count;
    long channels, group; /* multiples of 16 */
    real *at;
    long step; /* reals from position to position */
} ls_winograd_block;

/* The transforms, compiled for each instruction set; `pixels` points at channel 0 of image 0. */
typedef struct ls_winograd {
    void (*to_positions)(const ls_winograd_image *image, const real *pixels,
                         const ls_winograd_block *block);
    /* Pixels become the result plus bias [channels] (NULL: 0), or (add) are added to. */
    void (*to_pixels)(const ls_winograd_image *image, const ls_winograd_block *block,
                      const real *bias, bool add, real *pixels);
} ls_winograd;
