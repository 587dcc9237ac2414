/* h5_list_array: reads any array of an HDF5 file block by block, in row-major order. */
#pragma once
#include "io/h5/h5.h"
#include "io/h5/h5_list.h"

typedef struct ls_h5_list_array {
    hid_t dataset;              /* borrowed */
    const char *path;           /* borrowed */
    const char *type, *storage; /* "float32", "contiguous" */
    int rank;
    long at[LS_H5_LIST_RANK]; /* its shape */
    long rows, row;           /* along the first dimension; values in one row */
    long block_rows;          /* rows of a block; the last block may have fewer */
    /* Bytes of a value in memory: numbers are doubles, texts of varying length pointers, all others
     * as they are stored. */
    size_t value;
    bool numbers; /* it holds whole numbers or floats, and they were written */
    bool others;  /* it holds other values that can be read: of one size, or contiguous texts */
} ls_h5_list_array;

/* Describes `dataset`; reads no values. LS_DATA errors for sizes that no machine can hold. */
bool ls_h5_list_array_open(hid_t dataset, const char *path, ls_h5_list_array *array,
                           ls_error *error);
/* Reads block `index` into values[block_rows * row], whose HDF5 type is `memory` (H5T_NATIVE_DOUBLE
 * for numbers); *count gets how many it has, 0 after the last. */
bool ls_h5_list_array_read(const ls_h5_list_array *array, long index, hid_t memory, void *values,
                           long *count, ls_error *error);
