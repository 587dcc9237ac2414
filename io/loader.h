/* loader: the batches of a stage, for one rank, read ahead by a thread.
 *
 * An epoch has ceil(n / batch) steps for n rows, all of the split or its first ones; its last batch
 * holds the rows that are left, so no row is dropped or comes twice. Step k of a stage is batch k %
 * steps of epoch k / steps. With `shuffle`, the order of the rows in epoch e is the permutation of
 * the random stream (seed, LS_RANDOM_SHUFFLE, e, stage): a function, so a run that resumes at step
 * k reads what it would have read. With a sampler, the rows of an epoch are as many draws, by the
 * stream (seed, LS_RANDOM_SAMPLE, e, stage): some rows come several times, others not. The random
 * parts of the data set's transforms depend on (seed, stage, e) and on the row, or with a sampler
 * on its place in the epoch.
 *
 * With `bucket`, of a split with lengths, batches are made of rows of similar lengths
 * (ls_lengths_bucket): then an epoch's order is a list of 8 bytes a row, made when it begins. Of a
 * split with lengths the rows of a shard stand the longest first, so that a recurrent layer may
 * leave them as they end (core/layers/recurrent.h).
 *
 * With `streams`, each row of a batch is a stream of its own: of n = batch * w rows, row i of batch
 * k of an epoch is row i * w + k. */
#pragma once
#include "core/random.h"
#include "io/dataset.h"
#include "io/sampler.h"

typedef struct ls_loader_plan {
    ls_split_id split;
    uint64_t seed;
    uint32_t stage;
    bool targets;              /* y is read too, where the split has it */
    bool shuffle, streams;     /* one of them, or none: the rows come in their order */
    const ls_sampler *sampler; /* borrowed; in place of `shuffle` it draws the rows; or NULL */
    long bucket;               /* with `shuffle`: of ls_lengths_epoch; 0: no order by length */
    long rows;                 /* the first so many of the split; 0: all */
    long batch;                /* rows of a batch over all ranks, 1 or more */
    int shards, begin, end;    /* a batch has `shards` shards; this rank reads [begin, end) */
    long first_step, end_step; /* of the stage: [first_step, end_step) are read */
} ls_loader_plan;

typedef struct ls_loader ls_loader;
long ls_loader_steps_per_epoch(long rows, long batch);
/* Starts to read. `data` is borrowed. Close with ls_loader_close. */
ls_loader *ls_loader_open(ls_dataset *data, const ls_loader_plan *plan);
void ls_loader_close(ls_loader *loader);
/* This rank's rows of the next step, which may be none; they stay until the next call. At most
 * end_step - first_step calls. NULL and an error if the rows can't be read. */
const ls_batch *ls_loader_next(ls_loader *loader, ls_error *error);
/* Seconds that ls_loader_next has waited for rows so far. */
double ls_loader_waited(const ls_loader *loader);
