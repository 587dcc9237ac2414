/* safetensors: files of named arrays of numbers, in the format that PyTorch and others exchange
 * (https://github.com/huggingface/safetensors); safetensors_table.h has its bytes. A file is taken
 * as a stranger's: all of its header is judged before a number is read. */
#pragma once
#include "io/safetensors/safetensors_table.h"

typedef struct ls_safetensors {
    char *path;
    int file;
    uint64_t first; /* byte of the file at which the numbers begin */
    ls_safetensors_table table;
} ls_safetensors;

/* Whether the file looks like one, by its first bytes, or else by its name: it has to be read by
 * ls_safetensors_open, whose error says what is wrong with it. */
bool ls_safetensors_looks(const char *path);
/* Opens the file and reads its header. NULL and an LS_DATA error, or LS_IO where it can't be read.
 * Close with ls_safetensors_close. */
ls_safetensors *ls_safetensors_open(const char *path, ls_error *error);
void ls_safetensors_close(ls_safetensors *file); /* NULL is allowed */
/* Reads all numbers of a tensor whose type has a `read`, in its row-major order. LS_DATA: one is
 * not finite, or the file became shorter; LS_IO. */
bool ls_safetensors_read(const ls_safetensors *file, const ls_safetensor *tensor, real *numbers,
                         ls_error *error);
