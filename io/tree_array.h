/* tree_array: any array of an HDF5 file as doubles, block by block, in row-major order. */
#pragma once
#include "io/h5.h"
#include "io/tree.h"

typedef struct ls_tree_array {
    hid_t dataset;    /* borrowed */
    const char *path; /* borrowed */
    const char *type, *storage;
    int rank;
    long at[LS_TREE_RANK];
    long rows, row; /* along the first dimension; numbers in one of them */
    bool numbers;   /* integers or floats that were written */
} ls_tree_array;

/* What `dataset` is like. LS_DATA errors for sizes that no machine can hold. */
bool ls_tree_array_open(hid_t dataset, const char *path, ls_tree_array *array, ls_error *error);
/* Numbers in a block, the last apart. */
long ls_tree_array_block(const ls_tree_array *array);
/* Numbers of block `index` into values[ls_tree_array_block]; *count gets how many, 0 after the
 * last.
 */
bool ls_tree_array_read_block(const ls_tree_array *array, long index, double *values, long *count,
                              ls_error *error);
/* All blocks in turn; `block` returns false to end. */
bool ls_tree_array_read(const ls_tree_array *array,
                        bool (*block)(void *context, const double *values, long count),
                        void *context, ls_error *error);
