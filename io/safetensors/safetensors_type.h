/* safetensors_type: the types of numbers that a safetensors file may hold, and their bytes. All are
 * little-endian, as the machines are that this program runs on. */
#pragma once
#include "core/tensor.h"

typedef struct ls_safetensors_type {
    const char *name; /* "F32", as the header of a file has it */
    size_t size;      /* bytes of a number */
    /* Turns stored numbers into ours; float64 is rounded by the float build. NULL: weights are
     * never of this type. */
    void (*read)(const void *stored, size_t count, real *numbers);
} ls_safetensors_type;

/* The type called `name`; NULL: the format has no such type. */
const ls_safetensors_type *ls_safetensors_type_find(const char *name);
/* That of `real`. */
extern const char *const ls_safetensors_type_real;
