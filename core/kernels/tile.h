/* tile: the micro-kernel, a block of a product of matrices that stays in registers.
 *
 *     c[i, j] = c[i, j] or bias[j] + sum over s < segments, k < depth of a[i, s, k] * b[s, k, j]
 *
 *                j: columns
 *          +------------------+
 *     k    | b: four vectors  |
 *          +------------------+
 *      k   +------------------+
 *    +---+ |                  |
 *  i | a | | c: in registers  |
 *    +---+ +------------------+
 *
 * The product is cut into blocks of c whose sums stay in registers from the first k to the last:
 * c is touched once. One source (tile_code.h) is compiled for each instruction set, with the block
 * that its registers hold: 7 x 64 with AVX-512, 3 x 32 with AVX2, 3 x 16 plain (float). Each step k
 * loads four vectors of b and multiplies them by one number of each row of a: with 7 rows 28
 * multiply-adds for 11 loads, so arithmetic is the bound and not memory. The last columns are
 * computed by blocks two vectors wide and twice as high, or one vector wide.
 *
 * Words: a *panel* is 32 columns of b stored together, [k][32] (panel.h); a *segment* is `depth`
 * values of k whose numbers in a lie at equal distances, such as one line of a kernel, and the next
 * segment begins elsewhere; a *strip* is the columns that one block is wide, over all rows.
 *
 * On a processor without AVX2 the plain micro-kernel has vectors of 16 bytes and no fused
 * multiply-add. There OpenBLAS (tile_blas.h) computes the same products, as one more entry of the
 * table: it has kernels for many processors, and is about three times as fast.
 *
 * All else is strides. So the rows of a may be pixels of an image whose windows overlap (a
 * convolution copies no patches), rows of a matrix, or its columns. */
#pragma once
#include "core/tensor.h"

enum { LS_TILE_DEPTH = 160 }; /* the largest ls_tiles.depth of all instruction sets */
enum { LS_PANEL = 32 };       /* columns of a panel, on every instruction set */

/* Reals from one to the next. Columns [32 p, 32 p + 32) of b begin at b + p * b.panel, those of c
 * at c + p * c.panel. Consecutive k of b are 32 reals apart; b.row and c.depth are not used. */
typedef struct ls_strides {
    long row, depth, segment, panel;
} ls_strides;

/* Memory that the caller reads next: while blocks are computed, [at, end) is prefetched, one cache
 * line with each step k of a wide block. `at` moves on; after `end` comes the list's next entry. */
typedef struct ls_ahead {
    const real *at, *end;
    struct ls_ahead *after; /* NULL: nothing */
} ls_ahead;

typedef struct ls_tile {
    long segments, depth;
    ls_strides a, b, c;
    bool add;         /* adds the finished sums to c: sums that start at 0 round less */
    ls_ahead *ahead;  /* NULL: nothing is prefetched */
    bool far;         /* a is not in the caches and a.depth is 1: its next block is prefetched */
    const real *bias; /* [columns], the sums begin with it (not with `add`); NULL: 0 */
} ls_tile;

/* Any number of rows and columns; b must have whole panels, c and bias only these columns. */
typedef void ls_tile_run(const ls_tile *tile, long rows, long columns, const real *a, const real *b,
                         real *c);

struct ls_winograd;

/* The micro-kernel of an instruction set, and what else is compiled with it. */
typedef struct ls_tiles {
    const char *name;  /* "avx512" */
    bool (*can)(void); /* whether this processor has the instructions; blas: OpenBLAS is there */
    int rows;          /* of a block four vectors wide: multiples of it are fastest */
    int depth; /* k of a product over pixels (gradients) whose operands stay in a near cache */
    ls_tile_run *run;
    void (*transpose)(const real *from, real *to); /* to[j, i] = from[i, j], 32 x 32 numbers */
    const struct ls_winograd *winograd;
} ls_tiles;

/* All that were compiled, the best first; NULL-terminated. */
extern const ls_tiles *const ls_tiles_all[];
/* The best that this processor has, or the one of this name; NULL: it has none. */
const ls_tiles *ls_tile_find(const char *name);
/* The one that the environment variable names, else the best. A wrong name is fatal. */
#define LS_TILE_VARIABLE "LOCKSTEP_INSTRUCTIONS"
#define LS_TILE_EXPECTED                                                                           \
    LS_TILE_VARIABLE "=%s: expected avx512, avx2, blas or plain; the processor must have avx512 "  \
                     "and avx2, and blas needs OpenBLAS (`lockstep --version` says why it can't "  \
                     "be loaded)"
const ls_tiles *ls_tile_best(void);
/* Describes it in at most `size` bytes: "avx2", "blas: " and what OpenBLAS says of itself, or plain
 * and why it is not blas. */
void ls_tile_describe(char *text, size_t size);
