/* schedule: constant, step, multistep, cosine, linear; each with linear warm-up. */
#include "core/schedule.h"

#include <math.h>

static double constant(const ls_schedule *schedule, double progress, double epochs)
{
    return 1;
}

/* gamma^floor(epochs / every); the small number keeps 3 * 0.1 from falling short of 0.3. */
static double step(const ls_schedule *schedule, double progress, double epochs)
{
    return pow(schedule->gamma, floor(epochs / schedule->every + 1e-9));
}

/* gamma for each of the epochs that are over; they may stand in any order. */
static double multistep(const ls_schedule *schedule, double progress, double epochs)
{
    double factor = 1;
    for (int k = 0; k < schedule->at.count; k++)
        factor *= epochs + 1e-9 >= schedule->at.at[k] ? schedule->gamma : 1;
    return factor;
}

/* Half a wave from 1 down to `final` (Loshchilov and Hutter 2017, eq. 5, without restarts). */
static double cosine(const ls_schedule *schedule, double progress, double epochs)
{
    const double pi = 3.14159265358979323846;
    return schedule->final + (1 - schedule->final) * 0.5 * (1 + cos(pi * progress));
}

static double linear(const ls_schedule *schedule, double progress, double epochs)
{
    return 1 + (schedule->final - 1) * progress;
}

/* clang-format off */
#define NUMBER(field, start, least, most, text)                                                    \
    {#field, LS_OPTION_REAL, offsetof(ls_schedule, field), start, least, most, NULL, text}
#define WARMUP NUMBER(warmup, "0", 0, 1e6, "epochs over which the rate grows from near 0"), {0}
#define GAMMA NUMBER(gamma, "0.1", 0, 1e6, "factor at each drop")
#define EPOCHS(field, text)                                                                        \
    {#field, LS_OPTION_REALS, offsetof(ls_schedule, field), NULL, 1e-6, 1e9, NULL, text}
/* clang-format on */

static const ls_option constant_options[] = {WARMUP};
static const ls_option step_options[] = {
    GAMMA, NUMBER(every, NULL, 1e-6, 1e9, "epochs between drops"), WARMUP};
static const ls_option multistep_options[] = {
    GAMMA, EPOCHS(at, "epochs after which it drops: at=82,123"), WARMUP};
static const ls_option final_options[] = {
    NUMBER(final, "0", 0, 1e6, "factor at the end of the stage"), WARMUP};

const ls_schedule_type ls_schedule_types[] = {
    {"constant", "the optimizer's rate throughout", constant, constant_options},
    {"step", "times gamma every so many epochs", step, step_options},
    {"multistep", "times gamma after each of some epochs", multistep, multistep_options},
    {"cosine", "half a cosine wave from 1 to the final factor", cosine, final_options},
    {"linear", "a straight line from 1 to the final factor", linear, final_options},
    {.name = NULL}};

bool ls_schedule_parse(const char *text, ls_schedule *schedule, ls_error *error)
{
    ls_spec spec;
    *schedule = (ls_schedule){0};
    if (!ls_spec_parse_plain(text, &spec, error))
        return false;
    schedule->type = ls_spec_find_entry(ls_schedule_types, sizeof *ls_schedule_types, spec.type,
                                        "schedule", "schedules", error);
    return schedule->type && ls_spec_read(&spec, schedule->type->options, NULL, schedule, error);
}

double ls_schedule_factor(const ls_schedule *schedule, long step, long steps,
                          double steps_per_epoch)
{
    double progress = steps > 0 ? (double)step / (double)steps : 0;
    double factor = schedule->type->factor(schedule, progress, (double)step / steps_per_epoch);
    long warm = lround(ceil(schedule->warmup * steps_per_epoch - 1e-9));
    return step < warm ? factor * (double)(step + 1) / (double)warm : factor;
}
