/* schedule: the factor on an optimizer's rate as a function of progress, with linear warm-up. */
#pragma once
#include "core/spec.h"

typedef struct ls_schedule ls_schedule;
typedef struct ls_schedule_type {
    const char *name, *help;
    /* progress: done share of the steps, 0 to 1; epochs: done so far. */
    double (*factor)(const ls_schedule *schedule, double progress, double epochs);
    const ls_option *options;
} ls_schedule_type;

struct ls_schedule {
    const ls_schedule_type *type;
    double warmup; /* epochs */
    double gamma;  /* step, multistep: factor at each drop */
    double every;  /* step: epochs between drops */
    ls_reals at;   /* multistep: epochs between which the factor stays */
    double final;  /* cosine, linear: factor at the end */
};

extern const ls_schedule_type ls_schedule_types[]; /* ends with a NULL name */
/* `text` is a spec: "cosine warmup=1". LS_USAGE errors. */
bool ls_schedule_parse(const char *text, ls_schedule *schedule, ls_error *error);
/* The factor of step `step` (from 0) of `steps`, with `steps_per_epoch`. During warm-up: linear
 * from 1/n to 1 over its n steps, times the schedule's own factor. */
double ls_schedule_factor(const ls_schedule *schedule, long step, long steps,
                          double steps_per_epoch);
