/* judge: compares evaluations by one figure. */
#include "launch/train/judge.h"

#include <math.h>

int ls_judge_metric(const ls_job *job, const ls_objective *objective)
{
    const char *wanted = job->evaluate.metric;
    return wanted ? ls_objective_metric(objective, wanted) : objective->judged;
}

bool ls_judge_note(const ls_job *job, const ls_objective *objective, const ls_sums *sums,
                   ls_position *position)
{
    int judged = ls_judge_metric(job, objective);
    if (judged < 0)
        return false;
    double value = ls_objective_value(objective, judged, sums);
    bool better = objective->metric[judged].lower ? value < position->best : value > position->best;
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
