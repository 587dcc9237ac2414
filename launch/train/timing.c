/* timing: adds up spans of time, gathers them over the ranks. */
#include "launch/train/timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/minmax.h"

const char *const ls_timing_names[LS_TIMES] = {
    [LS_TIME_COMPUTE] = "compute", [LS_TIME_WAIT] = "wait",     [LS_TIME_DATA] = "data",
    [LS_TIME_SUM] = "sum",         [LS_TIME_UPDATE] = "update",
};

/* What a span counts as; LS_TIMES: nothing. */
static const ls_time counts_as[LS_SPANS] = {
    [LS_SPAN_STEP] = LS_TIMES,
    [LS_SPAN_DATA] = LS_TIME_DATA,
    [LS_SPAN_GRADIENT] = LS_TIME_COMPUTE,
    [LS_SPAN_FORWARD] = LS_TIMES,
    [LS_SPAN_BACKWARD] = LS_TIMES,
    [LS_SPAN_WAIT] = LS_TIME_WAIT,
    [LS_SPAN_SUM] = LS_TIME_SUM,
    [LS_SPAN_UPDATE] = LS_TIME_UPDATE,
    [LS_SPAN_PREPARE] = LS_TIME_UPDATE,
    [LS_SPAN_CHECKPOINT] = LS_TIMES,
    [LS_SPAN_EVALUATION] = LS_TIMES,
    [LS_SPAN_SAMPLES] = LS_TIMES,
};

static void note(void *context, const ls_span *span)
{
    ls_timing *t = context;
    const ls_time part = counts_as[span->kind];
    double seconds = span->end - span->begin;
    if (t->timeline)
        ls_timeline_note(t->timeline, span);
    if (part == LS_TIMES)
        return;
    if (part == LS_TIME_WAIT || part == LS_TIME_SUM)
        t->inner += seconds;
    else
        seconds -= t->inner;
    t->step[part] += seconds;
}

struct ls_timing_place {
    int machine;
    char host[sizeof((ls_comm *)0)->host];
};

void ls_timing_open(ls_timing *t, ls_comm *comm, const ls_listener *listener)
{
    const bool several = comm->machines > 1;
    struct ls_timing_place here = {.machine = several ? comm->machine_index : comm->node_index};
    *t = (ls_timing){.comm = comm, .listener = listener, .watch = {note, t}, .slow = -1};
    t->machines = several ? comm->machines : comm->nodes;
    t->machine_sizes = ls_alloc((size_t)t->machines, sizeof *t->machine_sizes);
    t->place = ls_alloc((size_t)comm->size, sizeof *t->place);
    memcpy(here.host, comm->host, sizeof here.host);
    ls_comm_gather(comm, &here, sizeof here, t->place);
    for (int r = 0; r < comm->size && comm->rank == 0; r++)
        t->machine_sizes[t->place[r].machine]++;
}

void ls_timing_release(ls_timing *t)
{
    ls_timeline_destroy(t->timeline);
    ls_free(t->machine_sizes);
    ls_free(t->place);
}

void ls_timing_clear(ls_timing *t)
{
    memset(t->total, 0, sizeof t->total);
    t->steps = 0;
}

void ls_timing_start(ls_timing *t)
{
    ls_timing_clear(t);
    memset(t->step, 0, sizeof t->step);
    memset(t->spread, 0, sizeof t->spread);
    t->recents = 0;
}

double ls_timing_begin(ls_timing *t)
{
    t->inner = 0;
    return ls_clock_now();
}

void ls_timing_step(ls_timing *t, long rows)
{
    const long at = t->recents++ % LS_SLOW_STEPS;
    t->recent[at] = t->step[LS_TIME_COMPUTE] + t->step[LS_TIME_DATA];
    t->recent_row[at] = rows > 0 ? t->recent[at] / (double)rows : 0;
    for (int k = 0; k < LS_TIMES; k++)
        t->total[k] += t->step[k];
    memset(t->step, 0, sizeof t->step);
    t->steps++;
}

/* What a rank tells rank 0. */
typedef struct figures {
    double seconds[LS_TIMES]; /* of a step */
    ls_slow_rank pace;        /* zeros until there are LS_SLOW_STEPS steps */
} figures;

static figures figures_of(const ls_timing *t)
{
    figures mine = {.seconds = {0}};
    for (int k = 0; k < LS_TIMES && t->steps > 0; k++)
        mine.seconds[k] = t->total[k] / (double)t->steps;
    if (t->recents >= LS_SLOW_STEPS)
        mine.pace = (ls_slow_rank){ls_slow_pace_of(t->recent), ls_slow_pace_of(t->recent_row)};
    return mine;
}

/* Sorts values[count]; of an even number, the lower of the two in the middle is the median. */
static ls_spread spread_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ls_ascending);
    return (ls_spread){values[0], values[(count - 1) / 2], values[count - 1]};
}

/* "ranks 4 to 7 on node7", or "rank 4 on node7". */
static void name_machine(const ls_timing *t, int machine, char *text, size_t size)
{
    int first = 0, last;
    for (int i = 0; i < machine; i++)
        first += t->machine_sizes[i];
    last = first + t->machine_sizes[machine] - 1;
    if (first == last)
        snprintf(text, size, "rank %d on %s", first, t->place[first].host);
    else
        snprintf(text, size, "ranks %d to %d on %s", first, last, t->place[first].host);
}

/* Says when a machine becomes slow, another one, or none. */
static void tell_slow(ls_timing *t, const figures *all, long step)
{
    char name[sizeof t->place->host + 64], text[sizeof name + 256];
    const int before = t->slow;
    ls_slow_rank *ranks = ls_alloc((size_t)t->comm->size, sizeof *ranks);
    for (int r = 0; r < t->comm->size; r++)
        ranks[r] = all[r].pace;
    const ls_slow slow = ls_slow_find(ranks, t->machine_sizes, t->machines, before);
    ls_free(ranks);
    const double now = ls_clock_now(), pause = 60;
    if (slow.machine == before || !t->listener->notice || (t->told > 0 && now < t->told + pause))
        return;
    t->slow = slow.machine;
    t->told = now;
    name_machine(t, t->slow < 0 ? before : t->slow, name, sizeof name);
    if (t->slow < 0)
        snprintf(text, sizeof text, "step %ld: no longer slower than the others: %s", step, name);
    else
        snprintf(text, sizeof text,
                 "step %ld: slow: %s: computing and waiting for data take %.3g s a step, %.2f "
                 "times the median (%.3g s), for %d steps now; all others wait for it",
                 step, name, slow.seconds, slow.seconds / slow.median, slow.median, LS_SLOW_STEPS);
    t->listener->notice(t->listener->context, text);
}

void ls_timing_gather(ls_timing *t, long step)
{
    const int size = t->comm->size;
    const bool first = t->comm->rank == 0;
    const figures mine = figures_of(t);
    figures *all = first ? ls_alloc((size_t)size, sizeof *all) : NULL;
    ls_comm_gather(t->comm, &mine, sizeof mine, all);
    if (!first)
        return;
    double *values = ls_alloc((size_t)size, sizeof *values);
    for (int k = 0; k < LS_TIMES; k++) {
        for (int r = 0; r < size; r++)
            values[r] = all[r].seconds[k];
        t->spread[k] = spread_of(values, size);
    }
    if (t->machines > 1 && t->recents >= LS_SLOW_STEPS)
        tell_slow(t, all, step);
    ls_free(values);
    ls_free(all);
}
