/* loader: (seed, epoch, rows) -> batches, read ahead by a thread.
 *
 * Step k of a stage is batch k % steps of epoch k / steps, steps = ceil(n / batch); the last batch
 * of an epoch holds what is left: nothing is dropped or repeated. Epoch e's order is the
 * permutation of stream (seed, shuffle, stage, e). A rank reads the rows of its own shards only.
 * The random part of the data set's transforms follows (seed, stage, e). */
#pragma once
#include "core/random.h"
#include "io/dataset.h"

typedef struct ls_loader_plan {
    ls_split_id split;
    uint64_t seed;
    uint32_t stage;
    bool shuffle;
    long batch;                /* rows over all ranks */
    int shards, begin, end;    /* this rank's shards [begin, end) of `shards` */
    long first_step, end_step; /* of the stage */
} ls_loader_plan;

typedef struct ls_loader ls_loader;
long ls_loader_steps_per_epoch(long rows, long batch);
/* The thread starts reading. `data` is borrowed. Close with ls_loader_close. */
ls_loader *ls_loader_open(ls_dataset *data, const ls_loader_plan *plan);
void ls_loader_close(ls_loader *feed);
/* This rank's rows of the next step: good until the next call. NULL and an error where reading
 * failed, or past end_step. */
const ls_batch *ls_loader_next(ls_loader *feed, ls_error *error);
/* Seconds spent waiting in ls_loader_next so far. */
double ls_loader_waited(const ls_loader *feed);
