/* stage: the stage that runs: its objective, compiled for this rank's shards, and its loader. */
#pragma once
#include "io/loader.h"
#include "launch/session/session.h"
#include "launch/train/shards.h"

typedef struct ls_stage {
    int number;
    const ls_job_stage *keys; /* the job's keys of the stage */
    ls_session_stage *specs;  /* the same, parsed */
    ls_objective *objective;  /* specs->objective; NULL: no stage is open */
    ls_loader *loader;
    double rate; /* of the last update, after the schedule */
} ls_stage;

/* Rows of an evaluation chunk; 0 where nothing is evaluated. */
long ls_stage_chunk(const ls_session *session, int number, const ls_every *evaluate);
/* Rows of the largest shard of a batch. */
long ls_stage_shard_rows(const ls_session *session, int number, int shards);
/* Compiles the objective for shards and evaluation chunks; the loader begins to read the rows of
 * this rank's shards, for the steps from `first_step` on. */
void ls_stage_open(ls_stage *stage, const ls_session *session, int number, const ls_shards *shards,
                   const ls_every *evaluate, long first_step);
/* Frees loader and objective: a stage runs once. */
void ls_stage_close(ls_stage *stage);
