/* chunks: the rows of a split, or rows that are still to be made, cut into chunks of a fixed size
 * that are spread over the ranks. They are the same on any number of ranks, so what is computed
 * from a chunk has the same bits. */
#pragma once
#include "dist/comm.h"
#include "io/dataset.h"

typedef struct ls_chunks {
    ls_dataset *data; /* NULL: nothing is read; the batches hold numbers of rows alone */
    ls_split_id split;
    long rows;    /* how many, from the first on; 0: all of the split */
    long size;    /* rows of a chunk */
    bool targets; /* y is read too, where the split has it */
    void *context;
    /* Called for each chunk, on one rank. It fills `results` [rows, width]. Without `collect`, rows
     * of unequal length stand within the chunk the longest first. */
    void (*apply)(void *context, const ls_batch *batch, long chunk, real *results);
    long width; /* reals that `results` holds for a row; 0: none */
    /* Called on rank 0 with the results of each chunk, in the order of the rows; NULL: the results
     * are not gathered. */
    bool (*collect)(void *context, long rows, const real *results, ls_error *error);
} ls_chunks;

/* How many chunks the split has. */
long ls_chunks_count(const ls_chunks *chunks);
/* **Collective.** Reads all chunks and calls `apply` and `collect`. The error, of reading or of
 * `collect`, is the same on all ranks. */
bool ls_chunks_run(const ls_chunks *chunks, ls_comm *comm, ls_error *error);
