/* plan: the memory that a run takes, and the size of its checkpoints. */
#pragma once
#include "launch/train/trainer.h"

/* Bytes of a rank: what it takes for itself, its share of what its node holds once, and, on rank 0,
 * what writing a checkpoint and pictures takes. All is touched, so ls_memory_process counts the
 * same. */
typedef struct ls_plan {
    double own, share, writing;
    double stage;      /* the part of `own` that only the stage with the largest such part takes */
    double checkpoint; /* bytes of the file */
} ls_plan;

/* Of a run whose shards are divided. */
ls_plan ls_plan_make(const ls_trainer *trainer);
/* The bytes that a rank takes only while this stage runs. */
double ls_plan_stage_bytes(const ls_trainer *trainer, long stage);
/* The operations of this stage that are left from the run's position on, on the rank that has most
 * of a batch: those of products, of which a multiply-add counts 2. */
double ls_plan_stage_flops(const ls_trainer *trainer, long stage);
/* Rows of the largest shard of a stage, and of its chunks: of evaluations and pictures, the larger
 * (0: it has neither). */
void ls_plan_rows(const ls_trainer *trainer, long stage, long *shard, long *chunk);
