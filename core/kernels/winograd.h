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
 * the filter has taps. The sums are 36 products of matrices, one a place of the 6x6 tile. */
#pragma once
#include "core/kernels/tile.h"

enum { LS_WINOGRAD_SIZE = 6, LS_WINOGRAD_PLACES = 36, LS_WINOGRAD_GROUP = 16 };

/* Images whose outputs [out_h, out_w] are cut into tiles, row by row, image by image. c and out are
 * multiples of 16. */
typedef struct ls_winograd_image {
    long kernel, tile; /* 3 and 4, or 5 and 2 */
    long h, w, c;      /* of the side that is read */
    long pad_h, pad_w;
    long out_h, out_w, out;
    long tiles_w, tiles; /* along a line; of an image */
} ls_winograd_image;

/* The transforms, compiled for each instruction set. v, z, m, u: [36][...], places `place` apart.
 */
typedef struct ls_winograd {
    /* v[36][c / 16][count][16] = B^T d B of tiles [first, first + count) of x. */
    void (*input)(const ls_winograd_image *image, const real *x, long first, long count, real *v,
                  long place);
    /* z[36][count][32] = A dy A^T of channels [channel, channel + 32) of dy [out_h, out_w, out];
     * columns beyond `out` are left as they are. */
    void (*slope)(const ls_winograd_image *image, const real *dy, long first, long count,
                  long channel, real *z, long place);
    /* u[36][count][32] = G g G^T of g [kernel * kernel][count][32], taps `tap` apart. */
    void (*filter)(long kernel, const real *g, long tap, long count, real *u, long place);
    /* y = or (add) += A^T m A + bias (NULL: none) of m [36][count][64], `columns` channels from
     * `channel` on. */
    void (*output)(const ls_winograd_image *image, const real *m, long place, long first,
                   long count, long channel, long columns, const real *bias, bool add, real *y);
    /* dg[kernel * kernel][count][32] += G^T m G of m [36][count][32], taps `tap` apart. */
    void (*gradient)(long kernel, const real *m, long place, long count, real *dg, long tap);
} ls_winograd;
