/* judge: by which figure evaluations are compared, and whether training should stop early. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/job/job.h"

/* The metric that evaluations are compared by: the job's, if the objective has it, else the
 * objective's own choice; -1: it chooses none. */
int ls_judge_metric(const ls_job *job, const ls_objective *objective);
/* Compares an evaluation, value[metrics], with the best so far: true where it is better; then it is
 * position->best. One whose figure or first metric, mostly the loss, is not finite never is;
 * without a metric to judge by, none is. */
bool ls_judge_note(const ls_job *job, const ls_objective *objective, const double *value,
                   ls_position *position);
/* Forgets the best evaluation, with which those to come cannot be compared. */
void ls_judge_forget(ls_position *position);
/* Whether the last evaluate.stop_after evaluations of the stage brought no better one, or the last
 * one's gap is above evaluate.gap: the stage ends early. */
bool ls_judge_ends(const ls_job *job, const ls_position *position);
/* Whether it is the gap that ends it. */
bool ls_judge_gap_exceeded(const ls_job *job, const ls_position *position);
