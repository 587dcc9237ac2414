/* chunks: the rows of a split in fixed chunks by global row, spread over the ranks: what is
 * computed from a chunk has the same bits on any rank count. */
#pragma once
#include "dist/comm.h"
#include "io/dataset.h"

typedef struct ls_chunks {
    ls_dataset *data;
    ls_split_id split;
    long size;    /* rows of a chunk */
    bool targets; /* y is read too, where the split has it */
    void *context;
    /* On the rank that chunk number `chunk` falls to. `results` [rows, width] is for it to fill. */
    void (*apply)(void *context, const ls_batch *batch, long chunk, real *results);
    long width; /* reals of results a row; 0: none */
    /* On rank 0, each chunk's results in the order of the rows; NULL: they are not gathered. */
    bool (*take)(void *context, long rows, const real *results, ls_error *error);
} ls_chunks;

/* How many chunks the split has. */
long ls_chunks_count(const ls_chunks *chunks);
/* **Collective.** Reads and applies all chunks. The error, of reading or of `take`, is the same on
 * all ranks. */
bool ls_chunks_run(const ls_chunks *chunks, ls_comm *comm, ls_error *error);
