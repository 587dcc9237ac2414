/* judge: compares evaluations by one figure. */
#include "launch/train/judge.h"

#include <math.h>

int ls_judge_metric(const ls_job *job, const ls_objective *objective)
{
    const char *wanted = job->evaluate.metric;
    const int found = wanted ? ls_objective_metric(objective, wanted) : -1;
    return found < 0 ? objective->judged : found;
}

bool ls_judge_note(const ls_job *job, const ls_objective *objective, const double *value,
                   ls_position *position)
{
    const int judged = ls_judge_metric(job, objective), gap = ls_objective_gap(objective);
    position->gap = gap < 0 ? 0 : value[gap];
    if (judged < 0)
        return false;
    const double now = value[judged];
    bool better = objective->metric[judged].lower ? now < position->best : now > position->best;
    if (!isfinite(now) || !isfinite(value[0]) || !(better || isnan(position->best))) {
        position->stale++;
        return false;
    }
    position->best = now;
    position->best_step = position->step;
    position->stale = 0;
    return true;
}

void ls_judge_forget(ls_position *position)
{
    position->best = NAN;
    position->best_step = 0;
}

bool ls_judge_gap_exceeded(const ls_job *job, const ls_position *position)
{
    return job->evaluate.gap > 0 && position->gap > job->evaluate.gap;
}

bool ls_judge_ends(const ls_job *job, const ls_position *position)
{
    return (job->evaluate.stop_after > 0 && position->stale >= job->evaluate.stop_after) ||
           ls_judge_gap_exceeded(job, position);
}
