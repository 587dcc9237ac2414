/* safetensors_table: the header of a safetensors file, judged as a stranger's.
 *
 *     8 bytes    length N of the header, little-endian
 *     N bytes    JSON: {"NAME": {"dtype": "F32", "shape": [64, 3], "data_offsets": [0, 768]}, ...,
 *                       "__metadata__": {"KEY": "TEXT", ...}}, perhaps with blanks behind it
 *     the rest   the numbers; offsets count from here
 *
 * The tensors must cover the rest from the first byte to the last, without holes and overlaps, so
 * that a file has one meaning and hides nothing. */
#pragma once
#include "io/safetensors/safetensors_type.h"

enum {
    LS_SAFETENSORS_PREFIX = 8, /* bytes before the header */
    LS_SAFETENSORS_HEADER =
        16 << 20,            /* at most so many bytes of header; nets of ours have 0.1 MB */
    LS_SAFETENSORS_DEPTH = 4 /* arrays and objects inside each other; a header has 3 */
};

typedef struct ls_safetensor {
    char *name;
    const ls_safetensors_type *type;
    ls_shape shape;
    uint64_t begin, end; /* its bytes, counted from the first number of the file */
} ls_safetensor;

typedef struct ls_safetensors_table {
    int count;
    ls_safetensor *at; /* in the order of their bytes */
} ls_safetensors_table;

/* Reads `header`, the JSON of the file `path`, which has `data` bytes of numbers behind it. LS_DATA
 * errors name file and tensor, what was expected and what was found. Release it in any case. */
bool ls_safetensors_table_read(const char *path, const char *header, size_t size, uint64_t data,
                               ls_safetensors_table *table, ls_error *error);
void ls_safetensors_table_release(ls_safetensors_table *table);
/* The tensor called `name`; NULL: there is none. */
const ls_safetensor *ls_safetensors_table_find(const ls_safetensors_table *table, const char *name);
