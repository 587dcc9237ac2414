/* evaluation: exact sums of an objective over a split, by fixed chunks of rows, or of a stream of
 * tokens by fixed streams: the same bits on any rank count. */
#pragma once
#include "core/objective.h"
#include "dist/comm.h"
#include "io/dataset.h"

typedef struct ls_evaluation {
    uint64_t seed;   /* of what the objective draws; the caller sets it */
    ls_estimate how; /* each row's log-likelihood is estimated; samples 0: it is not */
    long training;   /* the first training rows that a gap may be against; 0: all are */
    long rows;
    ls_sums sums[LS_PHASES];
    ls_sums compared[LS_PHASES]; /* the same over as many training rows, where a metric is a gap */
    int figures;                 /* that it found of the model as a whole */
    ls_figure figure[LS_FIGURES];
    double likelihood, likelihood2; /* the sum of the rows' estimates, in nats; of their squares */
    long classes;                   /* width of the confusion matrix; 0: none is wanted */
    long *confusion;                /* [classes, classes] by label and prediction */
} ls_evaluation;

/* The mean log-likelihood of the rows, and its standard error over them. */
double ls_evaluation_likelihood(const ls_evaluation *evaluation, double *standard_error);
/* For an objective with classes: makes the confusion matrix, so that ls_evaluate counts into it.
 * Free it with ls_evaluation_release. */
void ls_evaluation_add_confusion(ls_evaluation *evaluation, const ls_objective *objective);
void ls_evaluation_release(ls_evaluation *evaluation);
/* The value of each metric, value[objective->metrics]; of a gap NaN, where the data has no training
 * rows to compare with. */
void ls_evaluation_values(const ls_evaluation *evaluation, const ls_objective *objective,
                          double *value);
/* How many tokens of the split are judged, where it is evaluated as a stream: all that have one
 * before them. 0: rows are judged. */
long ls_evaluation_tokens(const ls_objective *objective, const ls_split *split);
/* Rows of a chunk: ls_objective_chunk, or all rows of the split where these are fewer; of a stream
 * of tokens those that streams.h says. */
long ls_evaluation_chunk(const ls_objective *objective, const ls_dataset *data, ls_split_id split);
/* Whether the split has what the objective is evaluated by; LS_DATA errors. */
bool ls_evaluation_check(const ls_objective *objective, const ls_dataset *data, ls_split_id id,
                         ls_error *error);
/* The error where no label of the split counts; false. */
bool ls_evaluation_no_label(const ls_dataset *data, ls_split_id id, ls_error *error);
/* **Collective.** Adds to *evaluation, which holds a seed, the number of training rows, maybe what
 * estimate is wanted (of an objective with `assess`) and an empty confusion matrix. Where a metric
 * is a gap, and the rows are not those of training, as many of the first training rows are
 * evaluated too. Compile the objective with chunk_rows = ls_evaluation_chunk. The error is the same
 * on all ranks. */
bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id split,
                 ls_evaluation *evaluation, ls_error *error);
