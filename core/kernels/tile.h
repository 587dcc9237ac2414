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
 * One source (tile_code.h) is compiled for each instruction set with the block that its registers
 * hold: 7 x 64 with AVX-512, 3 x 32 with AVX2, 3 x 16 plain (float). Each step k loads four vectors
 * of b and multiplies them by one number of each row of a: 28 multiply-adds for 11 loads, so the
 * arithmetic is the bound. The last columns take blocks of two vectors, twice as high, or of one.
 *
 * Everything else is strides: a's rows are pixels of an image that overlap (a convolution needs no
 * patches), rows of a matrix, or its columns; a segment is a line of a kernel. */
#pragma once
#include "core/tensor.h"

enum { LS_TILE_DEPTH = 160 }; /* of all instruction sets the largest ls_tiles.depth */
enum { LS_PANEL = 32 };       /* columns of b that lie together, on every instruction set */

/* From one to the next, in reals. Columns [32 p, 32 p + 32) of b begin at b + p * b.panel, those of
 * c at c + p * c.panel; b has no rows and c no depth, and from k to k b has 32 reals. */
typedef struct ls_strides {
    long row, depth, segment, panel;
} ls_strides;

/* What will be read next: [at, end) is fetched from memory meanwhile, a cache line for each step k
 * of a wide block, and `at` moves on; then what comes after it. */
typedef struct ls_ahead {
    const real *at, *end;
    struct ls_ahead *after; /* NULL: nothing */
} ls_ahead;

typedef struct ls_tile {
    long segments, depth;
    ls_strides a, b, c;
    bool add;         /* to what c holds, in the end: short sums round less */
    ls_ahead *ahead;  /* NULL: nothing is fetched */
    bool far;         /* a comes from memory, a.depth is 1: it is fetched a block ahead */
    const real *bias; /* [columns] without add: added; NULL: 0 */
} ls_tile;

/* Any number of rows and columns; b must have whole panels, c and bias only the columns wanted. */
typedef void ls_tile_run(const ls_tile *tile, long rows, long columns, const real *a, const real *b,
                         real *c);

struct ls_winograd;

/* The micro-kernel of an instruction set, and what else is compiled with it. */
typedef struct ls_tiles {
    const char *name;  /* "avx512" */
    bool (*can)(void); /* whether this processor has the instructions */
    int rows;          /* of a block four vectors wide: multiples of it are fastest */
    int depth;         /* of a gradient's product: its operands stay in a near cache */
    ls_tile_run *run;
    void (*turn)(const real *from, real *to); /* to[j, i] = from[i, j], of 32 x 32 numbers */
    const struct ls_winograd *winograd;
} ls_tiles;

/* All that were compiled, the best first; NULL-terminated. */
extern const ls_tiles *const ls_tiles_all[];
/* The best that this processor has, or the one of this name; NULL: it has none. */
const ls_tiles *ls_tile_find(const char *name);
/* That which the environment's variable names, else the best; programs check the name first. */
#define LS_TILE_VARIABLE "LOCKSTEP_INSTRUCTIONS"
#define LS_TILE_EXPECTED                                                                           \
    LS_TILE_VARIABLE "=%s: expected avx512, avx2 or plain, and a processor that has it"
const ls_tiles *ls_tile_best(void);
