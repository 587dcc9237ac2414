/* snapshot: a copy of a run's state, from which a checkpoint is written while training goes on. */
#pragma once
#include "dist/shared.h"
#include "io/checkpoint/checkpoint_writer.h"
#include "launch/train/carry.h"

/* The copy lies in memory that the ranks of rank 0's node share; each of them copies its part.
 * Other nodes hold the same numbers, and take no part, but for the rows that an objective carries:
 * these are gathered from all ranks. {0}: there is no copy to be made. */
typedef struct ls_snapshot {
    ls_comm *comm;
    ls_checkpoint_writer *writer; /* on rank 0, which opens and closes it; NULL on the others */
    ls_shared *shared;            /* holds the next two; NULL: this node makes no copies */
    real *copy;                   /* [arrays, size]: the values, then the states */
    ls_checkpoint_handover *handover;
    real *rows;          /* on rank 0: the gathered rows; NULL on the others */
    long size;           /* reals of an array */
    long taken;          /* how many snapshots so far */
    double held;         /* seconds that the last one took of training on this rank */
    double wait, waited; /* seconds of the last wait, which count too, and of all */
} ls_snapshot;

/* Bytes that the copy of `arrays` arrays takes on rank 0's node. */
size_t ls_snapshot_bytes(const ls_params *params, int arrays);
/* **Collective.** Makes the memory, and touches it; `rows`: reals of the rows that are gathered at
 * most. Free with ls_snapshot_release in either case. */
bool ls_snapshot_create(ls_snapshot *snapshot, ls_comm *comm, const ls_params *params, int arrays,
                        long rows, ls_error *error);
void ls_snapshot_release(ls_snapshot *snapshot); /* **Collective** over the node. */
/* Waits until the write of the snapshot before has ended, on rank 0 by going on with it. */
void ls_snapshot_wait(ls_snapshot *snapshot);
/* To be called by every rank at the same point of the run, where no rank updates, after a wait:
 * copies this rank's part of the contents' values and, for LS_CHECKPOINT_ALL, of their arrays and
 * of the carried rows. On rank 0 a thread begins to write them. No rank waits for another, but to
 * gather rows. */
void ls_snapshot_take(ls_snapshot *snapshot, const ls_checkpoint_contents *contents,
                      const ls_carry *carry, ls_checkpoint_part part);
