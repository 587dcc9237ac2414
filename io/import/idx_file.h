/* idx_file: reading IDX files, plain or gzip (LeCun, Cortes, Burges: the MNIST database).
 *
 * Big-endian: two zero bytes, a byte for the type (8: uint8), one for the number of dimensions, the
 * sizes as 32-bit numbers, the data. */
#pragma once
#include <zlib.h>

#include "core/check.h"

typedef enum { LS_IDX_IMAGES /* [rows, h, w] */, LS_IDX_LABELS /* [rows] */ } ls_idx_kind;

typedef struct ls_idx {
    const char *path; /* borrowed */
    gzFile file;
    ls_idx_kind kind;
    long rows, height, width; /* labels: 1 x 1 */
    long read;                /* rows read so far */
} ls_idx;

/* Opens a file and reads its header. LS_DATA errors say what the file holds instead. Close it with
 * ls_idx_close. */
bool ls_idx_open(ls_idx *idx, const char *path, ls_idx_kind kind, ls_error *error);
/* Reads the next n rows. LS_DATA errors where the file is damaged or cut short. */
bool ls_idx_read(ls_idx *idx, long n, void *bytes, ls_error *error);
/* After the last row: whether the file ends there. LS_DATA errors where it does not. */
bool ls_idx_at_end(ls_idx *idx, ls_error *error);
void ls_idx_close(ls_idx *idx);
