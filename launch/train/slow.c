/* slow: compares machines by their slowest ranks. */
#include "launch/train/slow.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"

static const double slow_above = 1.2, slow_until = 1.1;
static const double lost_least = 0.01; /* seconds in LS_SLOW_STEPS */

ls_slow_pace ls_slow_pace_of(const double *seconds)
{
    double sorted[LS_SLOW_STEPS];
    memcpy(sorted, seconds, sizeof sorted);
    qsort(sorted, LS_SLOW_STEPS, sizeof *sorted, ls_ascending);
    return (ls_slow_pace){sorted[LS_SLOW_STEPS / 2], sorted[LS_SLOW_STEPS / 4]};
}

static void take_slower(ls_slow_pace *most, const ls_slow_pace *rank)
{
    most->usual = fmax(most->usual, rank->usual);
    most->least = fmax(most->least, rank->least);
}

/* Of two in the middle the faster, so that of two machines the slower is compared with the faster.
 */
static double median_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ls_ascending);
    return values[(count - 1) / 2];
}

/* How many times the median machine's time a machine takes at least, by steps and by rows. */
static double ratio_of(const ls_slow_rank *machine, double step, double row)
{
    return step > 0 && row > 0 ? fmin(machine->step.least / step, machine->row.least / row) : 0;
}

/* The slowest rank of each machine. */
static ls_slow_rank *slowest_of(const ls_slow_rank *ranks, const int *sizes, int machines)
{
    ls_slow_rank *machine = ls_alloc((size_t)machines, sizeof *machine);
    for (int n = 0, r = 0; n < machines; n++)
        for (int end = r + sizes[n]; r < end; r++) {
            take_slower(&machine[n].step, &ranks[r].step);
            take_slower(&machine[n].row, &ranks[r].row);
        }
    return machine;
}

ls_slow ls_slow_find(const ls_slow_rank *ranks, const int *sizes, int machines, int before)
{
    ls_slow_rank *machine = slowest_of(ranks, sizes, machines);
    double *values = ls_alloc((size_t)machines, sizeof *values), most = 0;
    int slowest = 0;
    for (int n = 0; n < machines; n++)
        values[n] = machine[n].step.usual;
    const double step = median_of(values, machines);
    for (int n = 0; n < machines; n++)
        values[n] = machine[n].row.usual;
    const double row = median_of(values, machines);
    for (int n = 0; n < machines; n++) {
        const double ratio = ratio_of(&machine[n], step, row);
        slowest = ratio > most ? n : slowest;
        most = fmax(ratio, most);
    }
    const double former = before >= 0 ? ratio_of(&machine[before], step, row) : 0;
    const bool stays = former > slow_until && most < slow_above * former;
    slowest = stays ? before : slowest;
    const double lost = LS_SLOW_STEPS * (machine[slowest].step.usual - step);
    const bool slow = stays || (most > slow_above && lost >= lost_least);
    const ls_slow found = {slow ? slowest : -1, machine[slowest].step.usual, step};
    ls_free(values);
    ls_free(machine);
    return found;
}
