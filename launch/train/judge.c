/* judge: compares evaluations by one figure. */
#include "launch/train/judge.h"

#include <math.h>
#include <string.h>

#include "launch/session/evaluation.h"

int ls_judge_sum(const ls_job *job, const ls_objective *objective)
{
    const char *wanted = job->evaluate.metric;
    if (wanted ? strcmp(wanted, "loss") == 0 : !objective->metrics[0])
        return LS_SUM_LOSS;
    for (int k = 0; objective->metrics[k]; k++)
        if (!wanted || strcmp(wanted, objective->metrics[k]) == 0)
            return LS_SUM_METRICS + k;
    return -1;
}

bool ls_judge_note(const ls_job *job, const ls_objective *objective, const ls_sums *sums,
                   ls_position *position)
{
    int judged = ls_judge_sum(job, objective);
    double value = ls_sums_mean(sums, judged);
    bool better = judged >= LS_SUM_METRICS ? value > position->best : value < position->best;
    if (!isfinite(value) || !(better || isnan(position->best))) {
        position->stale++;
        return false;
    }
    position->best = value;
    position->best_step = position->step;
    position->stale = 0;
    return true;
}

void ls_judge_forget(ls_position *position)
{
    position->best = NAN;
    position->best_step = 0;
}

bool ls_judge_patience_over(const ls_job *job, const ls_position *position)
{
    return job->evaluate.stop_after > 0 && position->stale >= job->evaluate.stop_after;
}
