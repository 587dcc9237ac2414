/* memory: the one place that allocates. Aligned to 64 bytes, zeroed, counted.
 * Running out of memory is fatal on every rank (ls_check), with the size asked for. */
#pragma once
#include <stddef.h>

enum { LS_ALIGN = 64 }; /* bytes: one AVX-512 vector, one cache line */

/* count * size bytes, zeroed; the product is checked for overflow; 0 bytes gives a valid pointer.
 * Blocks of 2 MiB and more ask for huge pages. The caller frees with ls_free. */
void *ls_alloc(size_t count, size_t size);
/* Grows or shrinks; new bytes are zeroed. `pointer` may be NULL. */
void *ls_realloc(void *pointer, size_t count, size_t size);
/* NULL is allowed. */
void ls_free(void *pointer);
/* A block that has room for `bytes`: `block` (NULL: none) if *room says that it has, else a larger
 * one, and `block` is freed. Its contents are undefined. *room becomes the bytes that it has. */
void *ls_memory_room(void *block, size_t *room, size_t bytes);
/* malloc, for a library that can be given one: its memory is not counted, `free` frees it, and
 * running out of it is as fatal. */
void *ls_memory_malloc(size_t bytes);
/* memset to 0; large blocks are written past the caches, without reading what is overwritten. */
void ls_memory_zero(void *block, size_t bytes);
/* memcpy; large blocks are written past the caches, without reading what is overwritten. */
void ls_memory_copy(void *to, const void *from, size_t bytes);
/* printf into a new string; the caller frees with ls_free. */
char *ls_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *ls_copy_string(const char *text);
/* Appends `word` to list[size], after ", " unless list is empty; what does not fit is cut off. */
void ls_format_join(char *list, size_t size, const char *word);

/* Bytes and blocks that are allocated now; tests check that they return to what they were. */
size_t ls_memory_held(void);
size_t ls_memory_blocks(void);
/* Bytes of RAM that the process takes now, by its proportional set size: a page that k processes
 * share counts 1/k in each. 0 where Linux does not tell. */
double ls_memory_process(void);

/* Plans one arena for blocks whose lifetimes are known: those whose lifetimes [first, last] do not
 * overlap may share bytes. First fit, 64-byte aligned, deterministic. Fills `offset` of each,
 * returns the arena's bytes. */
typedef struct ls_block {
    size_t size;     /* bytes */
    int first, last; /* inclusive times of use */
    size_t offset;   /* result */
} ls_block;
size_t ls_memory_plan(ls_block *blocks, int count);
