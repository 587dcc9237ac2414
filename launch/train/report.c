/* report: adds up sums over steps, calls the listener, writes records of metrics.jsonl. */
#include "launch/train/report.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "launch/json.h"

enum { RECORDS_AN_EPOCH = 20 };

void ls_report_notice(const ls_listener *listener, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    if (!listener->notice)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    listener->notice(listener->context, text);
}

static const ls_session_stage *stage_of(const ls_report *report)
{
    return &report->session->stage[report->position->stage];
}

/* value[metrics] of training steps, by sums[phases]; NaN of those that only evaluations have. */
static void find_values(const ls_objective *objective, const ls_sums *sums, double *value)
{
    for (int k = 0; k < objective->metrics; k++)
        value[k] = objective->metric[k].evaluated ? NAN : ls_objective_value(objective, k, sums);
}

static const char *trouble_of(const ls_objective *objective, const double *value)
{
    return objective->type->advice.trouble ? objective->type->advice.trouble(objective, value)
                                           : NULL;
}

typedef enum { TRAINING, EVALUATION } source;

/* The metrics that there are, as a JSON object. */
static json_t *values(const ls_report *report, const double *value, source of)
{
    const ls_objective *objective = stage_of(report)->objective;
    const char *trouble = trouble_of(objective, value);
    json_t *object = json_object();
    for (int k = 0; k < objective->metrics; k++)
        if (of == EVALUATION || !objective->metric[k].evaluated)
            json_object_set_new(object, objective->metric[k].name, ls_json_real(value[k]));
    if (trouble)
        json_object_set_new(object, "trouble", json_string(trouble));
    return object;
}

static void clear(ls_sums *sums)
{
    memset(sums, 0, LS_PHASES * sizeof *sums);
}

static void add(const ls_sums *sums, ls_sums *to)
{
    for (int p = 0; p < LS_PHASES; p++)
        for (int k = 0; k < LS_SUMS; k++)
            to[p].at[k] += sums[p].at[k];
}

/* Writes a text into metrics.jsonl. If it can't be written, the listener gets a notice, and
 * training goes on; of those that follow it only hears when they are written again. Where the run
 * directory is no longer this job's, training ends after the next step (trainer_update.c). */
static void write_record(ls_report *report, const char *text)
{
    ls_error error;
    if (!ls_rundir_metrics(report->run, text, &error)) {
        if (report->lost++ == 0 && ls_rundir_check(report->run, &error))
            ls_report_notice(report->listener,
                             "%s; training goes on, and the next notice comes when records can be "
                             "written again",
                             error.text);
        return;
    }
    if (report->lost)
        ls_report_notice(report->listener,
                         "metrics.jsonl: records can be written again; %ld are missing",
                         report->lost);
    report->lost = 0;
}

/* Writes a record: where the run stands, then the members of `more`, which is freed. */
static void put_record(ls_report *report, json_t *more)
{
    const ls_position *position = report->position;
    double epochs = (double)position->stage_step / ls_session_steps_per_epoch(stage_of(report));
    json_t *record = json_pack("{s:I, s:I, s:f, s:f}", "stage", (json_int_t)position->stage, "step",
                               (json_int_t)position->step, "epoch", epochs, "seconds",
                               ls_clock_now() - report->opened);
    json_object_update(record, more);
    json_decref(more);
    char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text)
        write_record(report, text);
    else
        ls_report_notice(report->listener, "a record of metrics.jsonl is not JSON");
    free(text);
    json_decref(record);
}

/* The rate, or that of each phase where they are not the same. */
static void add_rates(const ls_report *report, json_t *record)
{
    const ls_objective *objective = stage_of(report)->objective;
    const double *rate = report->rate;
    bool differ = false;
    for (int p = 1; p < objective->phases; p++)
        differ |= rate[p] != rate[0];
    for (int p = 0; p < (differ ? objective->phases : 1); p++) {
        char key[2 * LS_WORD];
        snprintf(key, sizeof key, "rate%s%s", differ ? "_" : "",
                 differ ? objective->phase[p].name : "");
        json_object_set_new(record, key, json_real(rate[p]));
    }
}

/* Operations of products a second of a rank, at so many rows a second. */
static double flops_of(const ls_report *report, double samples_per_second)
{
    const ls_objective *objective = stage_of(report)->objective;
    return objective->type->flops(objective) * samples_per_second /
           ls_objective_batches(objective) / report->timing.comm->size;
}

/* What a step took, over the ranks. */
static void add_times(const ls_report *report, json_t *record)
{
    for (int k = 0; k < LS_TIMES; k++) {
        char key[2 * LS_WORD];
        const ls_spread *spread = &report->timing.spread[k];
        snprintf(key, sizeof key, "%s_seconds", ls_timing_names[k]);
        json_object_set_new(record, key,
                            json_pack("[f, f, f]", spread->least, spread->median, spread->most));
    }
}

static void write_step_record(ls_report *report)
{
    double value[LS_METRICS];
    find_values(stage_of(report)->objective, report->record, value);
    json_t *record = values(report, value, TRAINING);
    double now = ls_clock_now(), seconds = now - report->record_start;
    double waited = report->waited - report->record_waited;
    add_rates(report, record);
    const double speed = (report->position->samples - report->record_rows) / seconds;
    json_object_set_new(record, "samples_per_second", json_real(speed));
    json_object_set_new(record, "waiting", json_real(waited / seconds));
    add_times(report, record);
    json_object_set_new(record, "gflops",
                        json_pack("[f, f]", 1e-9 * flops_of(report, speed), 1e-9 * report->pace));
    if (report->written > 0) {
        json_object_set_new(record, "held_seconds", json_real(report->held));
        json_object_set_new(record, "write_seconds", json_real(report->written));
    }
    put_record(report, record);
    clear(report->record);
    report->record_rows = report->position->samples;
    report->record_waited = report->waited;
    report->record_start = now;
}

/* With value[metrics]; NULL: those of the epoch so far. */
static ls_figures figures_of(const ls_report *report, const double *value)
{
    const ls_position *position = report->position;
    const ls_session_stage *stage = stage_of(report);
    const ls_job *job = report->session->job;
    double seconds = ls_clock_now() - report->stage_start;
    double steps_here = (double)(position->stage_step - report->stage_first);
    double steps_left = (double)(stage->steps - position->stage_step);
    ls_figures figures = {
        .stage = (int)position->stage,
        .stages = job->stages,
        .epoch = ls_session_epochs(stage, position->stage_step) -
                 ls_session_ends_epoch(stage, position->stage_step),
        .epochs = job->stage[position->stage].steps ? 0 : job->stage[position->stage].epochs,
        .step = position->stage_step,
        .steps = stage->steps,
        .steps_per_epoch = ls_session_steps_per_epoch(stage),
        .epoch_end = ls_session_ends_epoch(stage, position->stage_step),
        .run_step = position->step,
        .objective = stage->objective,
        .samples_per_second = (position->samples - report->stage_rows) / seconds,
        .seconds = seconds,
        .seconds_left = steps_here > 0 ? seconds / steps_here * steps_left : -1,
        .waiting = report->waited / seconds,
        .work = {.ranks = report->timing.comm->size, .pace = report->pace},
        .held = report->held,
        .written = report->written,
    };
    memcpy(figures.work.spent, report->timing.spread, sizeof figures.work.spent);
    figures.work.flops = flops_of(report, figures.samples_per_second);
    if (value)
        memcpy(figures.value, value, (size_t)stage->objective->metrics * sizeof *value);
    else
        find_values(stage->objective, report->epoch, figures.value);
    figures.trouble = trouble_of(stage->objective, figures.value);
    return figures;
}

void ls_report_start(ls_report *report)
{
    clear(report->epoch);
    clear(report->record);
    ls_timing_start(&report->timing);
    report->stage_start = report->record_start = ls_clock_now();
    report->stage_first = report->position->stage_step;
    report->stage_rows = report->record_rows = report->position->samples;
    report->record_waited = report->waited = 0;
}

void ls_report_step(ls_report *report, const ls_sums *sums)
{
    const ls_session_stage *stage = stage_of(report);
    const long step = report->position->stage_step;
    if (step == 1 || ls_session_ends_epoch(stage, step - 1))
        clear(report->epoch);
    add(sums, report->epoch);
    add(sums, report->record);
    const long every = (ls_session_steps(stage, 1) + RECORDS_AN_EPOCH - 1) / RECORDS_AN_EPOCH;
    bool due = step % every == 0 || ls_session_ends_epoch(stage, step) || step == stage->steps;
    if (due || step % LS_TIMING_EVERY == 0)
        ls_timing_gather(&report->timing, report->position->step);
    if (report->run && due)
        write_step_record(report);
    if (due)
        ls_timing_clear(&report->timing);
    if (report->listener->step) {
        ls_figures figures = figures_of(report, NULL);
        report->listener->step(report->listener->context, &figures);
    }
}

void ls_report_evaluation(ls_report *report, const double *value, double seconds)
{
    const char *split = report->session->job->evaluate.split;
    if (report->listener->evaluation) {
        ls_figures figures = figures_of(report, value);
        report->listener->evaluation(report->listener->context, &figures, split,
                                     report->position->best_step == report->position->step);
    }
    if (report->run)
        put_record(report, json_pack("{s:o}", split, values(report, value, EVALUATION)));
    report->record_start += seconds; /* samples_per_second is of training alone */
}

void ls_report_failure(ls_report *report, const char *why)
{
    if (report->run)
        put_record(report, json_pack("{s:s}", "trouble", why));
}

void ls_report_stage(ls_report *report, const char *how)
{
    const ls_position *position = report->position;
    bool judged = !isnan(position->best);
    if (report->run)
        put_record(report, json_pack("{s:s, s:f, s:o*, s:o*}", "final", how, "stage_seconds",
                                     ls_clock_now() - report->stage_start, "best",
                                     judged ? json_real(position->best) : NULL, "best_step",
                                     judged ? json_integer(position->best_step) : NULL));
    if (report->listener->stage_end) {
        ls_figures figures = figures_of(report, NULL);
        report->listener->stage_end(report->listener->context, &figures, how);
    }
}
