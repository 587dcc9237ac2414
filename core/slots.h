/* slots: sets of parameter slots, as a list of intervals of their numbers. */
#pragma once
#include "core/check.h"

/* Slots, reals or rows [begin, end). */
typedef struct ls_interval {
    long begin, end;
} ls_interval;

/* Reals of an array: ascending intervals, borrowed. */
typedef struct ls_runs {
    long count;
    const ls_interval *at;
} ls_runs;

enum { LS_INTERVALS = 256 };
typedef struct ls_slots {
    int count;
    ls_interval at[LS_INTERVALS]; /* sorted; neighbouring intervals are joined */
} ls_slots;

typedef struct ls_params ls_params;

/* Adds slots [begin, end), keeping the list sorted and joined. More than LS_INTERVALS intervals are
 * a bug: a set that a person names is built by the functions below. */
void ls_slots_add(ls_slots *slots, long begin, long end);
/* The same; if there would be more intervals, false and an LS_USAGE error. */
bool ls_slots_try_add(ls_slots *slots, long begin, long end, ls_error *error);
/* *both: what is in a and in b; *rest: what is in a and not in b. LS_USAGE if there would be more
 * intervals than fit. The result must be another list than a and b. */
bool ls_slots_intersect(const ls_slots *a, const ls_slots *b, ls_slots *both, ls_error *error);
bool ls_slots_subtract(const ls_slots *a, const ls_slots *b, ls_slots *rest, ls_error *error);
/* The slots that patterns name: "encoder, net/dense2, net/conv*". They stand between commas; each
 * is compared with a slot's whole name and with what it lies in ("net/conv1/weight", "net/conv1",
 * "net"), as fnmatch(3) does, with * for '/' too; one that matches none of these, with the names
 * without their nets ("conv1/weight", "conv1"). LS_USAGE if one matches nothing; the error names
 * the nearest name that there is. */
bool ls_slots_match(const ls_params *params, const char *patterns, ls_slots *slots,
                    ls_error *error);
ls_slots ls_slots_all(const ls_params *params);
bool ls_slots_meet(const ls_slots *a, const ls_slots *b); /* some slot is in both */
bool ls_slots_contain(const ls_slots *slots, int slot);
/* The reals of each interval, padding included. */
ls_interval ls_slots_reals(const ls_params *params, const ls_interval *slots);
