/* h5_type: what a type or a shape in an object header says. */
#pragma once
#include "io/h5/guard/h5_piece.h"

enum { LS_H5_RANK = 32 };
typedef struct ls_h5_type {
    int class;     /* 0 whole numbers, 1 floats, ... as HDF5 counts them */
    uint64_t size; /* bytes of one value */
    uint64_t base; /* of a type of lists or texts of varying length: bytes of one element; else 0 */
    bool scattered; /* values, or parts of them, stand in the global heap */
} ls_h5_type;
/* Reads the type that begins there; `depth` is how many types it is a part of. False where it is no
 * type. */
bool ls_h5_type_read(ls_h5_piece *piece, int depth, ls_h5_type *type);
/* Reads a shape: its rank, and how many values it has (UINT64_MAX where that does not fit). */
bool ls_h5_type_space(ls_h5_piece *piece, int *rank, uint64_t *points);
