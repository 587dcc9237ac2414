/* report: what rank 0 tells while a net trains: progress, and metrics.jsonl. */
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/memory.h"
#include "launch/json.h"
#include "launch/session/evaluation.h"
#include "launch/train/trainer.h"

enum { RECORDS_AN_EPOCH = 20 };

void ls_report_line(ls_trainer *t, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    if (!t->progress)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ls_progress_line(t->progress, "%s", line);
}

/* Adds means of `sums` to a JSON object: loss, then the objective's metrics. */
static void add_means(const ls_trainer *t, json_t *object, const ls_sums *sums)
{
    json_object_set_new(object, "loss", ls_json_real(ls_sums_mean(sums, LS_SUM_LOSS)));
    for (int k = 0; t->objective->metrics[k]; k++)
        json_object_set_new(object, t->objective->metrics[k],
                            ls_json_real(ls_sums_mean(sums, LS_SUM_METRICS + k)));
}

static json_t *new_record(const ls_trainer *t)
{
    json_t *record = json_object();
    json_object_set_new(record, "stage", json_integer(t->state.stage));
    json_object_set_new(record, "step", json_integer(t->state.step));
    json_object_set_new(record, "epoch",
                        json_real((double)t->state.stage_step / (double)t->steps_per_epoch));
    json_object_set_new(record, "seconds", json_real(ls_clock_now() - t->start));
    return record;
}

/* A metrics.jsonl that can't be written is told once a record, and is no reason to stop. */
static void put_record(ls_trainer *t, json_t *record)
{
    ls_error error;
    char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (!text || !ls_rundir_metrics(t->run, text, &error))
        ls_report_line(t, "%s", text ? error.text : "a record of metrics.jsonl is not JSON");
    free(text);
    json_decref(record);
}

static void write_record(ls_trainer *t)
{
    json_t *record = new_record(t);
    double now = ls_clock_now(), waited = ls_loader_waited(t->feed);
    t->rows_per_second = t->record_rows / (now - t->record_start);
    add_means(t, record, &t->record_sums);
    json_object_set_new(record, "rate", json_real(t->rate));
    json_object_set_new(record, "samples_per_second", json_real(t->rows_per_second));
    json_object_set_new(record, "waiting",
                        json_real((waited - t->record_waited) / (now - t->record_start)));
    put_record(t, record);
    t->record_sums = (ls_sums){{0}};
    t->record_rows = 0;
    t->record_waited = waited;
    t->record_start = now;
}

static void show_progress(ls_trainer *t)
{
    double metric[LS_SUMS], elapsed = ls_clock_now() - t->stage_start;
    long here = t->state.stage_step - t->stage_first;
    for (int k = 0; t->objective->metrics[k]; k++)
        metric[k] = ls_sums_mean(&t->epoch_sums, LS_SUM_METRICS + k);
    const ls_job_stage *stage = &t->job->stage[t->state.stage];
    ls_progress_state state = {
        .stage = (int)t->state.stage,
        .stages = t->job->stages,
        .epoch = (t->state.stage_step - 1) / t->steps_per_epoch,
        .epochs = stage->steps ? 0 : stage->epochs,
        .step = t->state.stage_step,
        .steps = t->steps,
        .steps_per_epoch = t->steps_per_epoch,
        .loss = ls_sums_mean(&t->epoch_sums, LS_SUM_LOSS),
        .metrics = t->objective->metrics,
        .metric = metric,
        .samples_per_second = t->stage_rows / elapsed,
        .seconds_left = elapsed / (double)here * (double)(t->steps - t->state.stage_step),
        .waiting = ls_loader_waited(t->feed) / elapsed,
    };
    ls_progress_step(t->progress, &state);
}

void ls_report_step(ls_trainer *t, const ls_sums *sums)
{
    if (!t->run)
        return;
    if ((t->state.stage_step - 1) % t->steps_per_epoch == 0)
        t->epoch_sums = (ls_sums){{0}};
    for (int k = 0; k < LS_SUMS; k++) {
        t->epoch_sums.at[k] += sums->at[k];
        t->record_sums.at[k] += sums->at[k];
    }
    t->record_rows += sums->at[LS_SUM_WEIGHT];
    t->stage_rows += sums->at[LS_SUM_WEIGHT];
    long every = (t->steps_per_epoch + RECORDS_AN_EPOCH - 1) / RECORDS_AN_EPOCH;
    if (t->state.stage_step % every == 0 || t->state.stage_step % t->steps_per_epoch == 0 ||
        t->state.stage_step == t->steps)
        write_record(t);
    show_progress(t);
}

void ls_report_evaluation(ls_trainer *t, const ls_sums *sums)
{
    if (!t->run)
        return;
    char metrics[256] = "";
    int used = 0;
    for (int k = 0; t->objective->metrics[k] && used < (int)sizeof metrics; k++)
        used += snprintf(metrics + used, sizeof metrics - (size_t)used, ", %s %.4f",
                         t->objective->metrics[k], ls_sums_mean(sums, LS_SUM_METRICS + k));
    ls_report_line(t, "epoch %.4g, step %ld: %s loss %.4f%s%s",
                   (double)t->state.stage_step / (double)t->steps_per_epoch, t->state.step,
                   t->job->evaluate.split, ls_sums_mean(sums, LS_SUM_LOSS), metrics,
                   t->state.stale ? "" : " (best so far)");
    json_t *record = new_record(t), *means = json_object();
    add_means(t, means, sums);
    json_object_set_new(record, t->job->evaluate.split, means);
    put_record(t, record);
    t->record_start += ls_clock_now() - t->evaluation_start; /* it is not training time */
}

void ls_report_stage(ls_trainer *t, const char *how)
{
    if (!t->run)
        return;
    json_t *record = new_record(t);
    json_object_set_new(record, "final", json_string(how));
    json_object_set_new(record, "stage_seconds", json_real(ls_clock_now() - t->stage_start));
    if (!isnan(t->state.best)) {
        json_object_set_new(record, "best", json_real(t->state.best));
        json_object_set_new(record, "best_step", json_integer(t->state.best_step));
    }
    put_record(t, record);
    ls_report_line(t, "stage %ld of %d %s: step %ld, %.0f s, %.0f samples/s", t->state.stage + 1,
                   t->job->stages, how, t->state.step, ls_clock_now() - t->stage_start,
                   t->stage_rows / (ls_clock_now() - t->stage_start));
}
