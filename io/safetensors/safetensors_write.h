/* safetensors_write: writes a safetensors file, which appears whole or not at all. */
#pragma once
#include "core/tensor.h"

/* A tensor of the file, of numbers of `real`'s type. Borrowed. */
typedef struct ls_safetensors_entry {
    const char *name; /* UTF-8; no two are equal */
    ls_shape shape;
} ls_safetensors_entry;

/* What is written. */
typedef struct ls_safetensors_contents {
    int count;
    const ls_safetensors_entry *at;
    const char *const *metadata; /* key, text, key, text, ..., NULL */
} ls_safetensors_contents;

typedef struct ls_safetensors_write ls_safetensors_write;

/* Begins the file PATH and writes its header; equal contents are equal bytes. NULL and LS_IO. */
ls_safetensors_write *ls_safetensors_write_begin(const char *path,
                                                 const ls_safetensors_contents *contents,
                                                 ls_error *error);
/* Appends numbers: those of each entry in turn. LS_IO errors. */
bool ls_safetensors_write_numbers(ls_safetensors_write *write, const real *numbers, long count,
                                  ls_error *error);
/* Finishes the file, durably, after all numbers. LS_IO errors. */
bool ls_safetensors_write_end(ls_safetensors_write *write, ls_error *error);
/* Gives it up in place of _end: nothing is left of it. */
void ls_safetensors_write_discard(ls_safetensors_write *write);
