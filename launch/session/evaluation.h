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
    long *confusion; /* [classes, classes] by label and prediction; or NULL */
} ls_evaluation;

/* **Collective.** The objective must be compiled with chunk_rows = ls_objective_chunk. The error is
 * the same on all ranks. Without the matrix: evaluation->confusion stays NULL. */
bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id split,
                 ls_evaluation *evaluation, ls_error *error);
/* **Collective.** The same with the confusion matrix, for data with labels. Call
 * ls_evaluation_release afterwards, whether this succeeds or fails. */
bool ls_evaluate_confusion(ls_comm *comm, ls_objective *objective, ls_dataset *data,
                           ls_split_id split, ls_evaluation *evaluation, ls_error *error);
void ls_evaluation_release(ls_evaluation *evaluation);
/* Sum `k` divided by the weight. */
double ls_sums_mean(const ls_sums *sums, int k);
