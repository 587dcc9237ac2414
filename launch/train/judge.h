/* judge: by which figure evaluations are compared, and whether training should stop early. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/job/job.h"

/* The index in ls_sums of the figure that evaluations are compared by: the job's metric, else the
 * objective's first, else the loss; -1 where the objective has no metric of that name. */
int ls_judge_sum(const ls_job *job, const ls_objective *objective);
/* Compares an evaluation with the best so far: true where it is better; then it is position->best.
 * Larger metrics and smaller losses are better; what is not finite never is. */
bool ls_judge_note(const ls_job *job, const ls_objective *objective, const ls_sums *sums,
                   ls_position *position);
/* Forgets the best evaluation, with which those to come cannot be compared. */
void ls_judge_forget(ls_position *position);
/* Whether the last evaluate.stop_after evaluations of the stage brought no better one. */
bool ls_judge_patience_over(const ls_job *job, const ls_position *position);
