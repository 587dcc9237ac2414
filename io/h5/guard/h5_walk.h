/* h5_walk: what h5_check, h5_message, h5_type and h5_table share: the bytes of a file, and pieces
 * of them that are read number by number, never past their end. */
#pragma once
#include <stdint.h>

#include "core/check.h"

/* An address that points nowhere. */
#define LS_H5_NOWHERE UINT64_MAX

/* A group that keeps its names in a heap with checksums, and how deep it lies. */
typedef struct ls_h5_dense {
    uint64_t at;
    int depth;
} ls_h5_dense;

typedef struct ls_h5_walk {
    const char *path;           /* for messages */
    const unsigned char *bytes; /* from the superblock on: addresses count from there */
    uint64_t size, skipped;     /* skipped: bytes of the file before */
    uint64_t budget;            /* bytes that may still be looked at: no sound file needs more */
    long heap_budget;           /* the same, objects of global heaps */
    uint64_t unpack_budget;     /* bytes of packed chunks whose size is tried: 0 after that many */
    int depth;                  /* of groups in groups */
    uint64_t leaf_k, tree_k;    /* half of the most entries in a node of names, of groups, */
    uint64_t chunk_k;           /* of chunks */
    ls_h5_dense *dense;         /* groups whose names HDF5 is to tell */
    int dense_count;
    uint64_t *shared; /* addresses of objects with several names that were walked */
    int shared_count;
    ls_error error; /* the first */
} ls_h5_walk;

/* "FILE: is damaged at byte N: expected ...", unless there is an error already. Return false. */
bool ls_h5_walk_damaged(ls_h5_walk *walk, uint64_t at, const char *expected);
/* A sound file may hold it, but no file that we read needs it. */
bool ls_h5_walk_unknown(ls_h5_walk *walk, uint64_t at, const char *what);

/* Bytes [at, end) of the file. Reading past the end gives 0 and sets `over`. */
typedef struct ls_h5_piece {
    ls_h5_walk *walk;
    uint64_t at, end;
    bool over;
} ls_h5_piece;
/* Whether [address, address + size) lies in the file, as a piece; counted in the budget. */
bool ls_h5_piece_open(ls_h5_walk *walk, uint64_t address, uint64_t size, ls_h5_piece *piece);
/* The next `bytes` (1 to 8) as a number, little-endian. */
uint64_t ls_h5_piece_number(ls_h5_piece *piece, int bytes);
void ls_h5_piece_skip(ls_h5_piece *piece, uint64_t bytes);
/* The next `bytes` as a piece of their own. */
ls_h5_piece ls_h5_piece_part(ls_h5_piece *piece, uint64_t bytes);
/* Skips a text that ends in 0, and that 0. */
void ls_h5_piece_text(ls_h5_piece *piece);
/* Whether the next four bytes are these. */
bool ls_h5_piece_signed(ls_h5_piece *piece, const char *signature);

/* h5_table.c */

/* A group's names: B-tree of nodes at `tree`, texts in the heap at `heap`. */
bool ls_h5_table_group(ls_h5_walk *walk, uint64_t tree, uint64_t heap);
/* What all chunks of a data set are like. */
typedef struct ls_h5_chunk {
    int rank;
    uint64_t bytes, number; /* of a chunk, of one of its numbers, without filters */
    int gzips, others;      /* filters: gzip; those that we do not read */
    uint64_t before, after; /* bytes that checksums add before gzip, and after it */
} ls_h5_chunk;
/* The B-tree of a data set's chunks. */
bool ls_h5_table_chunks(ls_h5_walk *walk, uint64_t tree, const ls_h5_chunk *chunk);
/* A local heap: *texts gets its data. */
bool ls_h5_table_heap(ls_h5_walk *walk, uint64_t address, ls_h5_piece *texts);
/* Whether there is a text that ends in 0 at `offset` of a heap. */
bool ls_h5_table_text(const ls_h5_piece *texts, uint64_t offset);
/* Object `index`, of `bytes` (LS_H5_NOWHERE: any), of the global heap at `address`. */
bool ls_h5_table_global(ls_h5_walk *walk, uint64_t address, uint64_t index, uint64_t bytes);

/* h5_type.c */

enum { LS_H5_RANK = 32 };
/* What a type says of itself. */
typedef struct ls_h5_type {
    int class;
    uint64_t size;  /* bytes of one */
    uint64_t base;  /* of one of a list; 0: it is none */
    bool scattered; /* parts of it stand in the global heap */
} ls_h5_type;
/* The type that begins there, inside of `depth` others. */
bool ls_h5_type_read(ls_h5_piece *piece, int depth, ls_h5_type *type);
/* Rank and the product of the dimensions: UINT64_MAX where that is too large for it. */
bool ls_h5_type_space(ls_h5_piece *piece, int *rank, uint64_t *points);

/* h5_message.c */

/* What the messages of one object say. */
typedef struct ls_h5_object {
    uint64_t at;
    unsigned seen;   /* a bit for each kind of message */
    uint64_t links;  /* how many names it says that it has */
    uint64_t *named; /* addresses of what it names itself; ls_free */
    size_t named_count;
    uint64_t tree, heap;
    bool dense;
    int rank;
    uint64_t points, bytes; /* of its space, at most; of a number */
    bool scattered;         /* its values, or parts of them, are texts or lists elsewhere */
    uint64_t base;          /* where the values themselves are: bytes of one of a list; else 0 */
    uint64_t start;         /* of contiguous values */
    uint64_t fill, compact; /* bytes of fill value and of numbers in the header */
    uint64_t chunk_tree;
    ls_h5_chunk chunk; /* rank 0: not chunked */
} ls_h5_object;
enum {
    LS_H5_SPACE = 1,
    LS_H5_LINKS = 2,
    LS_H5_TYPE = 3,
    LS_H5_FILL = 5,
    LS_H5_LINK = 6,
    LS_H5_LAYOUT = 8,
    LS_H5_FILTERS = 11,
    LS_H5_ATTRIBUTE = 12,
    LS_H5_CONTINUED = 16,
    LS_H5_NAMES = 17
};
/* `points` texts or lists of varying length, `base` bytes each of a list, at `values`: what they
 * refer to is there, for HDF5 does not ask. */
bool ls_h5_message_lists(ls_h5_piece *values, uint64_t points, uint64_t base);
/* A message of an object header. */
bool ls_h5_message_check(ls_h5_object *object, unsigned type, unsigned flags, ls_h5_piece *body);

/* h5_check.c */

/* An object that is named once more, and all that it names. *object (NULL: not wanted) gets what it
 * says, but for `named`. */
bool ls_h5_check_object(ls_h5_walk *walk, uint64_t address, ls_h5_object *object);
