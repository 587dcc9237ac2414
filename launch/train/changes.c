/* changes: shards, batch, schedule and evaluation may change between two starts of a run. */
#include "launch/train/changes.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/loader.h"
#include "launch/job/job_compatible.h"
#include "launch/session/class_names.h"
#include "launch/train/checks.h"
#include "launch/train/judge.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void change_shards(ls_trainer *t, const ls_job *before)
{
    const ls_job *now = t->session.job;
    const ls_listener *listener = &t->options.listener;
    long *shards = &t->position.shards;
    if (now->accumulate != before->accumulate && !now->shards)
        ls_report_notice(listener,
                         "accumulate matters at a run's first start only: the run keeps its %ld "
                         "shards (shards=N changes them)",
                         *shards);
    if (!now->shards || now->shards == *shards ||
        ls_max(now->shards, t->comm->size) == *shards) /* ranks have added some */
        return;
    ls_report_notice(listener,
                     "shards: %ld of the job instead of %ld of the checkpoint: the bits differ "
                     "from here on",
                     now->shards, *shards);
    *shards = now->shards;
}

/* A batch of another size, or other rows, make another number of batches an epoch: stage_step is
 * converted, so that the run goes on at the same part of the same epoch. A stage that is counted in
 * steps keeps them, and takes another number of rows. */
static void change_batch(ls_trainer *t, const ls_job *before)
{
    const long stage = t->position.stage;
    const ls_job_stage *was = &before->stage[stage], *is = &t->session.job->stage[stage];
    const ls_session_stage *now = &t->session.stage[stage];
    const long all = ls_dataset_split(t->session.data, LS_TRAIN)->x.rows;
    const long rows = was->rows ? ls_min(was->rows, all) : all;
    const long batches = ls_session_epoch_batches(now, rows, was->batch);
    const long done = t->position.stage_step * now->batches; /* in batches */
    if (is->steps && was->steps && was->batch != is->batch)
        ls_report_notice(&t->options.listener,
                         "batch: the stage is counted in steps, of which it keeps %ld; steps of "
                         "%ld rows would be %ld for as many rows",
                         is->steps, is->batch, is->steps * was->batch / is->batch);
    if (done % batches && (was->rows != is->rows || was->batch != is->batch ||
                           was->bucket != is->bucket || !same_text(was->sampling, is->sampling)))
        ls_report_notice(
            &t->options.listener,
            "batch, rows, bucket or sampling: the rest of this epoch is cut anew, so some of its "
            "rows may come twice or not at all; from the next epoch on every row comes once");
    if (batches == now->epoch_batches || done == 0)
        return;
    t->first.cut = ls_objective_streams(now->objective);
    if (is->steps)
        return;
    const long same_part =
        done / batches * now->epoch_batches + done % batches * now->epoch_batches / batches;
    t->position.stage_step = ls_max(1, same_part / now->batches);
}

/* Over another number of steps, the schedule may give another rate at this step. */
static void notice_schedule(const ls_trainer *t, const ls_job *before)
{
    long stage = t->position.stage, step = t->position.stage_step;
    const ls_job_stage *was = &before->stage[stage];
    const ls_session_stage *now = &t->session.stage[stage];
    const double per_epoch = ls_session_steps_per_epoch(now);
    const long steps = was->steps ? was->steps : ls_session_steps(now, was->epochs);
    if (ls_schedule_factor(&now->schedule, step, steps, per_epoch) !=
        ls_schedule_factor(&now->schedule, step, now->steps, per_epoch))
        ls_report_notice(&t->options.listener,
                         "schedule: '%s' now spans another number of steps, so the rate goes on "
                         "from another point than it had reached",
                         t->session.job->stage[stage].schedule);
}

/* Where evaluations are no longer comparable, the best so far is forgotten. */
static void change_evaluation(ls_trainer *t, const ls_job *before)
{
    const ls_job_evaluate *was = &before->evaluate, *now = &t->session.job->evaluate;
    if (same_text(was->metric, now->metric) && same_text(was->split, now->split) &&
        was->average == now->average)
        return;
    ls_report_notice(&t->options.listener, "evaluate: another metric, split or average than "
                                           "before: the best is sought anew");
    ls_judge_forget(&t->position);
    t->position.stale = 0;
    t->position.gap = 0;
}

/* Whether `text` has the line [line, line + length). */
static bool has_line(const char *text, const char *line, size_t length)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        if (strncmp(text, line, length) == 0 && strcspn(text, "\n") == length)
            return true;
    return false;
}

/* Of two descriptions of data (ls_dataset_describe), the first line of `a` from *at on that `b` has
 * not and in which `what` stands: " rows: ", or ": digest ". *at moves behind it; "" without one.
 */
static const char *line_apart(const char *a, const char *b, const char *what, const char **at,
                              int *length)
{
    for (*at = *at ? *at : a; **at;) {
        const char *line = *at, *found = strstr(line, what);
        size_t end = strcspn(line, "\n");
        *at += end + (line[end] == '\n');
        *length = (int)end;
        if (found && found < line + end && !has_line(b, line, end))
            return line;
    }
    *length = 0;
    return "";
}

/* Names the first array that is not as it was. */
static bool refuse_data(const ls_trainer *t, ls_error *error)
{
    const char *before = t->checkpoint->data, *now = t->session.data_text, *at = NULL, *to = NULL;
    char difference[512] = "";
    int length, other;
    if (before) {
        const char *was = line_apart(before, now, " rows: ", &at, &length);
        const char *is = line_apart(now, before, " rows: ", &to, &other);
        snprintf(difference, sizeof difference, " ('%.*s' before, '%.*s' now)", length ? length : 7,
                 length ? was : "nothing", other ? other : 7, other ? is : "nothing");
    }
    return ls_error_set(error, LS_DATA,
                        "%s was trained on data of other shapes or types than %s%s: to begin a run "
                        "on them with what it has learned, give --weights %s and another "
                        "run=DIRECTORY",
                        t->resumed, ls_dataset_path(t->session.data), difference, t->resumed);
}

/* Other numbers of the same shapes are trained on, but not in silence; evaluations of other rows
 * cannot be compared. */
static void change_data(ls_trainer *t)
{
    const char *split = t->session.job->evaluate.split, *at = NULL, *line;
    char names[128] = "", name[16];
    bool judged = false;
    for (int length; t->checkpoint->data; ls_format_join(names, sizeof names, name)) {
        line = line_apart(t->checkpoint->data, t->session.data_text, ": digest ", &at, &length);
        if (!*line)
            break;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " :"), line);
        judged = judged || strncmp(name, split, strcspn(name, "/")) == 0;
    }
    if (!names[0])
        return;
    ls_report_notice(&t->options.listener,
                     "data: %s of %s hold%s other numbers than when %s was written%s", names,
                     ls_dataset_path(t->session.data), strchr(names, ',') ? "" : "s", t->resumed,
                     judged ? ": evaluations can't be compared, the best is sought anew" : "");
    if (judged) {
        ls_judge_forget(&t->position);
        t->position.stale = 0;
        t->position.gap = 0;
    }
}

bool ls_changes_accept(ls_trainer *t, const ls_job *before, ls_error *error)
{
    const ls_job *now = t->session.job;
    const ls_listener *l = &t->options.listener;
    if (t->position.stage >= before->stages)
        return ls_error_set(error, LS_DATA,
                            "%s: says that its run is in stage %ld of %d; it is damaged or forged",
                            t->resumed, t->position.stage + 1, before->stages);
    if (!ls_job_compatible(before, now, t->position.stage, l->notice, l->context, error))
        return false;
    if (!ls_vocabulary_same(t->resumed, t->checkpoint->vocabulary, ls_dataset_path(t->session.data),
                            ls_dataset_vocabulary(t->session.data), error) ||
        (ls_checks_takes_y(&t->session) &&
         !ls_class_names_same(t->resumed, t->checkpoint->data, ls_dataset_path(t->session.data),
                              t->session.data_text, error)))
        return false;
    if (t->position.data_digest != ls_dataset_shape_digest(t->session.data))
        return refuse_data(t, error);
    change_shards(t, before);
    change_batch(t, before);
    notice_schedule(t, before);
    change_evaluation(t, before);
    change_data(t);
    return true;
}
