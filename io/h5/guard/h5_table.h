/* h5_table: the trees and heaps that hold a file's names, chunks and long texts. */
#pragma once
#include "io/h5/guard/h5_piece.h"

/* Checks a group: its B-tree begins at `tree`, its names stand in the local heap at `heap`. The
 * objects that it names go onto walk->todo. */
bool ls_h5_table_group(ls_h5_walk *walk, uint64_t tree, uint64_t heap);

/* What all chunks of a data set have in common. */
typedef struct ls_h5_chunk {
    int rank;
    uint64_t bytes, number; /* of a chunk, of one of its numbers: both without filters */
    int gzips, others;      /* filters: how many are gzip; how many we do not read */
    uint64_t before, after; /* bytes that checksums add before gzip packs a chunk, and after it */
} ls_h5_chunk;
/* Checks the B-tree of a data set's chunks, and the chunks. */
bool ls_h5_table_chunks(ls_h5_walk *walk, uint64_t tree, const ls_h5_chunk *chunk);

/* Checks the local heap at `address`; *texts becomes its data. */
bool ls_h5_table_heap(ls_h5_walk *walk, uint64_t address, ls_h5_piece *texts);
/* Whether a text that ends in 0 stands at `offset` of a local heap. */
bool ls_h5_table_text(const ls_h5_piece *texts, uint64_t offset);
/* Whether the global heap at `address` holds object `index`, of `bytes` (LS_H5_NOWHERE: of any
 * size). */
bool ls_h5_table_global(ls_h5_walk *walk, uint64_t address, uint64_t index, uint64_t bytes);
