/* judge: which figure of an evaluation says what is best, and when there has been no better one for
 * too long. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/job/job.h"

/* Which of an objective's sums is judged by: the job's metric, else the objective's first, else the
 * loss; -1 where the objective has no metric of that name. */
int ls_judge_sum(const ls_job *job, const ls_objective *objective);
/* Notes an evaluation: true where it is the best so far, which position->best then holds. Larger
 * metrics are better, smaller losses are. What is not finite is never best. */
bool ls_judge_note(const ls_job *job, const ls_objective *objective, const ls_sums *sums,
                   ls_position *position);
/* Forgets the best: what comes is measured in another way. */
void ls_judge_forget(ls_position *position);
/* Whether the last evaluate.stop_after evaluations of the stage brought no better one. */
bool ls_judge_patience_over(const ls_job *job, const ls_position *position);
