/* generation: rows that an objective makes: samples, walks, planes, and reconstructions of rows of
 * the data. Chunks of them are spread over the ranks; a row is the same on any number of ranks. */
#pragma once
#include "core/objective.h"
#include "dist/comm.h"
#include "io/dataset.h"
#include "launch/job/job.h"

/* Called on rank 0 with each chunk, in the order of the rows. */
typedef bool ls_generation_collect(void *context, long rows, const real *x, ls_error *error);

typedef struct ls_generation_plan {
    ls_comm *comm;
    ls_objective *objective; /* compiled for chunks of ls_generation_chunk */
    /* Its transforms are taken back from what is made, so that `collect` gets the file's units. */
    const ls_dataset *data;
    uint64_t seed; /* of what the objective draws */
    ls_generation_collect *collect;
    void *context;
} ls_generation_plan;

/* The split whose first rows stand for the data beside what is made: that of the job's evaluations,
 * else the training rows. */
ls_split_id ls_generation_split(const ls_job *job, const ls_dataset *data);
/* Rows of a chunk, of `rows` in all. */
long ls_generation_chunk(const ls_objective *objective, long rows);
/* **Collective.** Makes what->rows rows, which `collect` gets as [rows, task.x]. The error is the
 * same on all ranks. */
bool ls_generation_run(const ls_generation_plan *plan, const ls_generation *what, ls_error *error);
/* **Collective.** Rebuilds the first `rows` rows of a split; `collect` gets [rows, 2, task.x]: each
 * row, then what became of it. The error is the same on all ranks. */
bool ls_generation_rebuild(const ls_generation_plan *plan, ls_dataset *data, ls_split_id split,
                           long rows, ls_error *error);
