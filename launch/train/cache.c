/* cache: finds out how much memory is free for unpacked chunks. */
#include "launch/train/cache.h"

#include <math.h>

#include "core/available.h"
#include "launch/train/plan.h"

bool ls_cache_reserve(ls_trainer *t, ls_error *error)
{
    const ls_plan plan = ls_plan_make(t);
    double mine = plan.own + plan.share, all = ls_available_machine() - plan.writing;
    double spare = fmin(all / t->comm->machine_size, ls_available_process()) - mine;
    return ls_dataset_keep(t->session.data, LS_TRAIN, spare > 0 ? spare / 2 : 0, error);
}
