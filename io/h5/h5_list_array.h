/* h5_list_array: any array of an HDF5 file block by block, in row-major order: numbers as doubles.
 */
#pragma once
#include "io/h5/h5.h"
#include "io/h5/h5_list.h"

typedef struct ls_h5_list_array {
    hid_t dataset;    /* borrowed */
    const char *path; /* borrowed */
    const char *type, *storage;
    int rank;
    long at[LS_H5_LIST_RANK];
    long rows, row; /* along the first dimension; numbers in one of them */
    size_t
        value; /* bytes of one in memory: of a double, of others as stored, of a pointer to text */
    bool numbers; /* integers or floats that were written */
    bool others;  /* texts, records and others that were, as many bytes each or contiguous texts */
} ls_h5_list_array;

/* What `dataset` is like. LS_DATA errors for sizes that no machine can hold. */
bool ls_h5_list_array_open(hid_t dataset, const char *path, ls_h5_list_array *array,
                           ls_error *error);
/* Values in a block, the last apart. */
long ls_h5_list_array_block(const ls_h5_list_array *array);
/* Numbers of block `index` into values[ls_h5_list_array_block]; *count gets how many, 0 after the
 * last. `memory` is the HDF5 type of values: H5T_NATIVE_DOUBLE for numbers. */
bool ls_h5_list_array_read_block(const ls_h5_list_array *array, long index, hid_t memory,
                                 void *values, long *count, ls_error *error);
/* All blocks in turn; `block` returns false to end. */
bool ls_h5_list_array_read(const ls_h5_list_array *array,
                           bool (*block)(void *context, const double *values, long count),
                           void *context, ls_error *error);
