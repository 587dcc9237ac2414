/* evaluation: exact sums of an objective over a split, by fixed chunks of rows: the same bits on
 * any rank count. */
#pragma once
#include "core/objective.h"
#include "dist/comm.h"
#include "io/dataset.h"

typedef struct ls_evaluation {
    long rows;
    ls_sums sums;
    long classes;    /* width of the confusion matrix; 0: none */
    long *confusion; /* [classes, classes] label, prediction; NULL where not asked for */
} ls_evaluation;

/* **Collective.** The objective must be compiled with chunk_rows = ls_objective_chunk. `confusion`:
 * also fill the matrix (labels only; free it with ls_evaluation_release). The error is the same on
 * all ranks. */
bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id split,
                 bool confusion, ls_evaluation *evaluation, ls_error *error);
void ls_evaluation_release(ls_evaluation *evaluation);
/* Sum `k` divided by the weight. */
double ls_sums_mean(const ls_sums *sums, int k);
