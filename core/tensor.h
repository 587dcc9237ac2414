/* tensor: number type, shapes, and borrowed views of data. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"

/* The engine's number type: float, or double in lockstep-double (gradient checks). */
#ifdef LS_DOUBLE
typedef double real;
#define LS_REAL_NAME "float64"
#else
typedef float real;
#define LS_REAL_NAME "float32"
#endif

enum { LS_MAX_RANK = 6 };

/* Of one row unless said otherwise: {} a scalar (a class label), {n} a vector, {h, w, c} an image
 * (NHWC without the N), {t, f} a sequence. */
typedef struct ls_shape {
    int rank;
    long at[LS_MAX_RANK];
} ls_shape;

long ls_shape_count(const ls_shape *shape); /* product; 1 for rank 0 */
long ls_shape_last(const ls_shape *shape);  /* the last dimension; 1 for rank 0 */
bool ls_shape_equal(const ls_shape *a, const ls_shape *b);
/* Whether rows of the shape `made` can stand for rows of the shape `row`: both are equal, but for a
 * last dimension of one channel, or `made` is a vector of as many numbers. */
bool ls_shape_fits(const ls_shape *made, const ls_shape *row);
/* "28x28x1", or "scalar" for rank 0, into `text` of `size` bytes; returns text. */
const char *ls_shape_text(const ls_shape *shape, char *text, size_t size);
/* Reads "28,28,1"; `key` names it in the LS_USAGE error. */
bool ls_shape_parse(const char *key, const char *text, ls_shape *shape, ls_error *error);

typedef enum ls_dtype {
    LS_U8,
    LS_I8,
    LS_U16,
    LS_I16,
    LS_U32,
    LS_I32,
    LS_I64,
    LS_F32,
    LS_F64
} ls_dtype;
size_t ls_dtype_size(ls_dtype type);
const char *ls_dtype_name(ls_dtype type); /* "uint8", ..., as numpy says it */

/* Rows of a batch. The pointers are borrowed and row-major, rows first. */
typedef struct ls_batch {
    long rows;  /* rows here: of the rank, or of one shard */
    long first; /* index of row 0 in the global batch */
    long total; /* rows of the global batch */
    long epoch; /* of the stage, from 0 */
    ls_shape x_shape;
    const real *x; /* [rows, x_shape] */
    ls_shape y_shape;
    const real *y; /* [rows, y_shape] targets, or labels as whole numbers (rank 0: one a row); NULL:
                      none */
    const int64_t *row; /* [rows] their indices in the data set */
    /* [rows] steps of each that count, the first dimension of x being time: 1 to all, or in windows
     * of a stream 0 to all. Behind them x is 0, and so are labels of steps. NULL: all count. */
    const int32_t *length;
    /* [total] the same of the rows of all shards, in any order; NULL: unknown. */
    const int32_t *all_length;
} ls_batch;

/* The rows of shard `index` of `shards`: [index*total/shards, (index+1)*total/shards) of the global
 * batch, which must lie in `batch`. 0 rows are possible. */
ls_batch ls_batch_shard(const ls_batch *batch, int index, int shards);
