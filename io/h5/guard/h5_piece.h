/* h5_piece: the bytes of an HDF5 file, read number by number and never past the end of a piece of
 * them; and the walk: what is known of the file while it is judged (h5_check.c explains how). */
#pragma once
#include <stdint.h>

#include "core/check.h"

/* The address by which the format says that something is not there. */
#define LS_H5_NOWHERE UINT64_MAX

/* An object that a group names. */
typedef struct ls_h5_named {
    uint64_t address; /* of its header */
    int depth;        /* how many groups it lies in */
} ls_h5_named;

typedef struct ls_h5_named_list {
    ls_h5_named *entry; /* ls_free */
    size_t count, room; /* room: entries that fit before it must grow */
} ls_h5_named_list;
void ls_h5_named_push(ls_h5_named_list *list, uint64_t address, int depth);

typedef struct ls_h5_walk {
    const char *path;           /* of the file, for messages */
    const unsigned char *bytes; /* from the superblock on: addresses count from there */
    uint64_t size, skipped;     /* bytes from there to the end; bytes of the file before it */
    uint64_t budget;            /* bytes that may still be read */
    long heap_budget;           /* steps through global heaps that may still be made */
    uint64_t unpack_budget;     /* bytes of gzip chunks that are still unpacked on trial */
    /* Half of the entries that a node has room for: a node of names (SNOD), of a group's B-tree, of
     * a B-tree of chunks. */
    uint64_t leaf_k, tree_k, chunk_k;
    int depth;               /* how many groups the object that is being checked lies in */
    ls_h5_named_list todo;   /* objects that are still to be checked; the last is next */
    ls_h5_named_list dense;  /* groups whose names only HDF5 can read */
    ls_h5_named_list shared; /* objects with several names so far */
    bool refused;            /* *error is set */
    ls_error *error;
} ls_h5_walk;

/* Refuses the file: "FILE: is damaged at byte N: expected ...". Of several refusals the first
 * counts: it is that of the innermost caller. Returns false. */
bool ls_h5_walk_damaged(ls_h5_walk *walk, uint64_t address, const char *expected);
/* Refuses a file that may be sound, but has something that we do not read. Returns false. */
bool ls_h5_walk_unknown(ls_h5_walk *walk, uint64_t address, const char *what);

/* Bytes [at, end) of the file, of which those before `at` have been read. Reading past the end
 * gives 0 and sets `over`, so that a reader needs to ask only once, after the last number. */
typedef struct ls_h5_piece {
    ls_h5_walk *walk;
    uint64_t at, end;
    bool over;
} ls_h5_piece;
/* *piece becomes bytes [address, address + size), which are taken from the budget. The file is
 * refused where it does not have them, or where the budget is spent. */
bool ls_h5_piece_open(ls_h5_walk *walk, uint64_t address, uint64_t size, ls_h5_piece *piece);
/* Reads the next `bytes` (1 to 8) as a number, little-endian. */
uint64_t ls_h5_piece_number(ls_h5_piece *piece, int bytes);
/* Skips the next `bytes`, and returns them as a piece of their own. */
ls_h5_piece ls_h5_piece_skip(ls_h5_piece *piece, uint64_t bytes);
/* Skips a text and the 0 that ends it. */
void ls_h5_piece_text(ls_h5_piece *piece);
/* Whether the next four bytes are these; skips them. */
bool ls_h5_piece_signed(ls_h5_piece *piece, const char *signature);
