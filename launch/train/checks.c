/* checks: what must hold between a job and its data before a run starts. */
#include "launch/train/checks.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/lengths.h"
#include "launch/session/chunks.h"
#include "launch/session/evaluation.h"
#include "launch/train/judge.h"
#include "launch/train/ranges.h"
#include "launch/train/states.h"

/* Whether a stage has the metric that the job names: stages of other objectives have others. */
static bool has_metric(const ls_session *s)
{
    int i = 0;
    while (i < s->job->stages &&
           ls_objective_metric(s->stage[i].objective, s->job->evaluate.metric) < 0)
        i++;
    return i < s->job->stages;
}

static bool check_metric(const ls_session *s, int stage, ls_error *error)
{
    char known[256] = "", place[256];
    const ls_objective *objective = s->stage[stage].objective;
    const char *wanted = s->job->evaluate.metric;
    for (int k = 0; k < objective->metrics; k++)
        ls_format_join(known, sizeof known, objective->metric[k].name);
    if (wanted && !has_metric(s))
        return ls_error_set(
            error, LS_USAGE, "%s: there is no metric '%s' in stage %d, which has: %s",
            ls_job_where(s->job, "evaluate.metric", place, sizeof place), wanted, stage + 1, known);
    return ls_judge_metric(s->job, objective) >= 0 || s->job->evaluate.stop_after == 0 ||
           ls_error_set(error, LS_USAGE,
                        "%s: nothing tells in stage %d (%s) which evaluation is better: name a "
                        "metric by evaluate.metric=, one of: %s",
                        ls_job_where(s->job, "evaluate.stop_after", place, sizeof place), stage + 1,
                        objective->type->name, known);
}

static bool check_average(const ls_session *s, int stage, ls_error *error)
{
    char place[256];
    return !s->job->evaluate.average || ls_states_kept(&s->stage[stage], LS_OPTIMIZER_AVERAGE) ||
           ls_error_set(error, LS_USAGE,
                        "%s: there is no average to evaluate in stage %d: give its optimizer "
                        "ema=0.999 (the share that an update keeps), or leave evaluate.average out",
                        ls_job_where(s->job, "evaluate.average", place, sizeof place), stage + 1);
}

/* Whether a gap that evaluate.gap= limits is ever found. */
static bool check_gap(const ls_session *s, ls_error *error)
{
    char place[256];
    const ls_job_evaluate *evaluate = &s->job->evaluate;
    int i = 0;
    if (evaluate->gap == 0)
        return true;
    while (i < s->job->stages && ls_objective_gap(s->stage[i].objective) < 0)
        i++;
    const ls_split_id split = ls_split_find(evaluate->split);
    const char *why =
        i == s->job->stages ? "no stage's objective has a gap between the evaluated "
                              "and the training rows (rbm has one)"
        : split == LS_TRAIN ? "the training rows themselves are evaluated, so the gap "
                              "is always 0: evaluate.split=valid"
        : !ls_dataset_split(s->data, split)->present
            ? "the data has no rows of evaluate.split to find it by: import them "
              "(--valid N)"
        : evaluate->every.unit == LS_EVERY_NEVER ? "nothing is evaluated (evaluate.every=never)"
                                                 : NULL;
    return !why || ls_error_set(error, LS_USAGE, "%s: %s; or leave evaluate.gap out",
                                ls_job_where(s->job, "evaluate.gap", place, sizeof place), why);
}

bool ls_checks_takes_y(const ls_session *s)
{
    int i = 0;
    while (i < s->job->stages && !s->stage[i].objective->takes_y)
        i++;
    return i < s->job->stages;
}

static bool check_rows(const ls_session *s, ls_error *error)
{
    const char *data = ls_dataset_path(s->data), *split = s->job->evaluate.split;
    const char *unused = ls_dataset_unused(s->data);
    ls_split_id id = ls_split_find(split);
    if (!ls_dataset_split(s->data, LS_TRAIN)->present)
        return ls_error_set(error, LS_DATA, "%s: there is no train/x to train on%s%s", data,
                            unused[0] ? "; not used: " : "", unused);
    if (id == LS_SPLITS)
        return ls_error_set(error, LS_USAGE, "evaluate.split=%s: write train, valid or test",
                            split);
    const ls_split *judged = ls_dataset_split(s->data, id);
    if (judged->present && ls_checks_takes_y(s) && !judged->has_y)
        return ls_error_set(error, LS_DATA, "%s: %s/y is missing, evaluation needs it", data,
                            split);
    return judged->present || s->job->evaluate.stop_after == 0 ||
           ls_error_set(error, LS_USAGE,
                        "evaluate.stop_after=%ld, but %s has no rows of %s to judge by: import "
                        "them (--valid N), or give evaluate.stop_after=0%s%s",
                        s->job->evaluate.stop_after, data, split, unused[0] ? "; not used: " : "",
                        unused);
}

/* No line of `transform` moves what targets stand for by their place in the row. */
static bool check_places(const ls_session *s, ls_error *error)
{
    char shape[96];
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const char *mover = ls_dataset_mover(s->data);
    const bool placed = train->has_y && ls_shape_count(&train->y.shape) > 1 &&
                        (train->y.shape.rank > 1 || train->labelled);
    return !mover || !placed || !ls_checks_takes_y(s) ||
           ls_error_set(
               error, LS_USAGE,
               "transform: %s moves what lies in a row of x, but not in its targets, which "
               "are %s: they would stand for other places; leave it out",
               mover, ls_shape_text(&train->y.shape, shape, sizeof shape));
}

/* The stage's rows= are there to train on. */
static bool check_stage_rows(const ls_session *s, int stage, ls_error *error)
{
    char key[32], place[256];
    long wanted = s->job->stage[stage].rows, all = ls_dataset_split(s->data, LS_TRAIN)->x.rows;
    snprintf(key, sizeof key, "stages.%d.rows", stage);
    return wanted <= all ||
           ls_error_set(error, LS_USAGE,
                        "%s: %ld rows are more than there are: %s has %ld training rows",
                        ls_job_where(s->job, key, place, sizeof place), wanted,
                        ls_dataset_path(s->data), all);
}

/* There is a window for each of the stage's streams, or one at all. */
static bool check_windows(const ls_session *s, int stage, ls_error *error)
{
    char key[32], place[256], by_rows[48] = "";
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    const long unroll = s->job->unroll, batch = s->job->stage[stage].batch;
    const long rows = s->job->stage[stage].rows ? s->job->stage[stage].rows : train->x.rows;
    if (!train->tokens || s->stage[stage].epoch_batches > 0)
        return true;
    if (rows == 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s holds %ld tokens, but one window of unroll=%ld needs %ld: give "
                            "a smaller unroll, or more tokens",
                            ls_dataset_path(s->data), train->x.path, train->tokens, unroll,
                            unroll + 1);
    snprintf(key, sizeof key, "stages.%d.batch", stage);
    if (s->job->stage[stage].rows)
        snprintf(by_rows, sizeof by_rows, " by `rows: %ld`", rows);
    return ls_error_set(error, LS_USAGE,
                        "%s: %ld streams side by side (carry=1) need a window of %ld tokens each, "
                        "but of %ld tokens there are %ld%s: give a smaller batch or unroll%s",
                        ls_job_where(s->job, key, place, sizeof place), batch, unroll,
                        train->tokens, ls_min(rows, train->x.rows), by_rows,
                        by_rows[0] ? ", or more rows" : "");
}

static bool has_objective(const ls_recipe_list *list, const char *objective)
{
    int i = 0;
    while (i < list->count && strcmp(list->at[i].objective, objective) != 0)
        i++;
    return i < list->count;
}

/* Whether a stage of the job has an objective as the model has it by an option: one of the default
 * stages, but none of those that it has without the option, unless that says what is so anyway. */
static bool is_heard(const ls_job *job, const ls_recipe_list *with, const ls_recipe_list *without)
{
    bool says_more = false, is_heard = false;
    for (int i = 0; i < with->count; i++)
        says_more |= !has_objective(without, with->at[i].objective);
    for (int i = 0; i < job->stages; i++)
        is_heard |= has_objective(with, job->stage[i].objective) &&
                    !(says_more && has_objective(without, job->stage[i].objective));
    return is_heard;
}

/* Whether a stage says the same as the option of the model: "loss=bce" in both. */
static bool is_said(const ls_job *job, const char *option)
{
    const size_t length = strlen(option);
    for (int i = 0; i < job->stages; i++)
        for (const char *at = job->stage[i].objective; (at = strstr(at, option)); at += length)
            if (at > job->stage[i].objective && at[-1] == ' ' && strchr(" ", at[length]))
                return true;
    return false;
}

/* Options of a model that only its default stages hear of change nothing where the job's stages
 * have objectives of their own. */
static bool check_model(const ls_job *job, ls_error *error)
{
    char option[LS_MODEL_OPTION], place[256], *less;
    bool ok = true;
    for (int k = 0; ok && job->model && (less = ls_model_drop(job->model, k, option)); k++) {
        ls_recipe_list with = {0}, without = {0};
        ok = ls_model_stages(job->model, &with, error) && ls_model_stages(less, &without, error);
        if (ok && !is_said(job, option) && !is_heard(job, &with, &without))
            ok = ls_error_set(error, LS_USAGE,
                              "%s: %s is for the model's default objective, but this job has one "
                              "of its own, '%s': write it there if it takes it, and leave it out "
                              "of `model`",
                              ls_job_where(job, "model", place, sizeof place), option,
                              job->stage[0].objective);
        ls_model_release_stages(&with);
        ls_model_release_stages(&without);
        ls_free(less);
    }
    return ok;
}

bool ls_checks_pass(const ls_session *s, ls_error *error)
{
    bool ok = check_model(s->job, error) && check_rows(s, error) && check_places(s, error) &&
              ls_ranges_standard(s, error) && check_gap(s, error);
    for (int i = 0; ok && i < s->job->stages; i++)
        ok = check_stage_rows(s, i, error) && check_windows(s, i, error) &&
             check_metric(s, i, error) && check_average(s, i, error);
    return ok;
}

/* Reading has checked the rows; sees whether any label counts. */
static void see_labels(void *any, const ls_batch *batch, long chunk, real *results)
{
    const long labels = batch->y ? ls_shape_count(&batch->y_shape) : 0;
    bool *seen = any;
    for (long r = 0; r < batch->rows; r++) {
        const bool steps = batch->length && batch->y_shape.rank > 0;
        const long count = steps ? ls_min(labels, (long)batch->length[r]) : labels;
        for (long i = 0; i < count; i++)
            *seen = *seen || batch->y[r * labels + i] >= 0;
    }
}

bool ls_checks_judged_rows(const ls_session *s, ls_error *error)
{
    enum { ROWS = 4096, BYTES = 4 << 20 };
    ls_split_id id = ls_split_find(s->job->evaluate.split);
    const ls_split *split = ls_dataset_split(s->data, id);
    long most = BYTES / (long)sizeof(real) / ls_shape_count(&split->row);
    bool labels = false;
    const ls_chunks chunks = {.data = s->data,
                              .split = id,
                              .size = ls_max(1, ls_min(ROWS, most)),
                              .targets = ls_checks_takes_y(s),
                              .apply = see_labels,
                              .context = &labels};
    for (int i = 0; i < s->job->stages; i++)
        if (!ls_evaluation_check(s->stage[i].objective, s->data, id, error))
            return false;
    if (!ls_chunks_run(&chunks, s->comm, error))
        return false;
    return !chunks.targets || !split->ignores || ls_comm_max(s->comm, labels) > 0 ||
           ls_evaluation_no_label(s->data, id, error);
}

const ls_layer *ls_checks_synchronous(const ls_session *s)
{
    for (int n = 0; n < s->task.nets; n++)
        for (int i = 0; i < s->net[n]->count; i++)
            if (s->net[n]->layers[i]->sums)
                return s->net[n]->layers[i];
    return NULL;
}

bool ls_checks_shards(const ls_session *s, int shards, ls_error *error)
{
    const ls_layer *layer = ls_checks_synchronous(s);
    int ranks = s->comm->size;
    return !layer || shards == ranks ||
           ls_error_set(error, LS_USAGE,
                        "%s/%s: statistics over all ranks (sync=1) need one shard a rank, but the "
                        "run has %d shards on %d rank%s: give shards=%d%s",
                        layer->net->name, layer->name, shards, ranks, ranks > 1 ? "s" : "", ranks,
                        s->job->accumulate > 1 ? " in place of accumulate" : "");
}

/* The steps of the first `rows` training rows, the shortest first; NULL: rows have no lengths. Free
 * it with ls_free. */
static int32_t *shortest_rows(const ls_session *s, long rows)
{
    const ls_split *train = ls_dataset_split(s->data, LS_TRAIN);
    if (!train->length)
        return NULL;
    int32_t *shortest = ls_alloc((size_t)rows, sizeof *shortest);
    int64_t *row = ls_alloc((size_t)rows, sizeof *row);
    for (long r = 0; r < rows; r++)
        row[r] = r;
    ls_lengths_sort(train->length, rows, row, NULL);
    for (long r = 0; r < rows; r++)
        shortest[r] = train->length[row[rows - 1 - r]];
    ls_free(row);
    return shortest;
}

/* The numbers of a channel in so many rows of the layer's output, of the shortest where rows have
 * lengths. */
static long count_numbers(const ls_net *net, int layer, long rows, const int32_t *shortest)
{
    const ls_shape *y = &net->layers[layer]->y;
    const long places = ls_shape_count(y) / ls_shape_last(y);
    if (!shortest || net->own_input || ls_net_steps_after(net, layer, net->x.at[0]) == 0)
        return rows * places;
    long steps = 0;
    for (long r = 0; r < rows; r++)
        steps += ls_net_steps_after(net, layer, shortest[r]);
    return steps * (places / y->at[0]);
}

/* The fewest numbers of a channel that a layer of a net makes statistics of, and in which step. */
typedef struct sample {
    const ls_layer *layer;
    long numbers, rows, parts; /* rows of the step's batch; parts: into which they are cut */
    bool last;                 /* the batch is the last of an epoch, and smaller than the others */
    bool shortest;             /* of the shortest rows that there are */
} sample;

/* The smallest part that has any of the rows, if they are cut into parts. */
static long smallest_part(long rows, long parts)
{
    return rows < parts ? 1 : rows / parts;
}

/* Whether the layer takes statistics of the rows: a frozen one goes by its running ones. */
static bool mixes_rows(const ls_session *s, int stage, const ls_layer *layer)
{
    for (int k = 0; k < layer->slots; k++)
        if (s->params->slots[layer->slot[k]].kind == LS_SLOT_STATE &&
            ls_slots_contain(&s->stage[stage].objective->frozen, layer->slot[k]))
            return false;
    return layer->type->mixes_rows;
}

static void look_at_batch(const ls_session *s, int stage, int shards, long rows, bool last,
                          const int32_t *shortest, sample *fewest)
{
    for (int n = 0; n < s->task.nets; n++)
        for (int i = 0; i < s->net[n]->count; i++) {
            const ls_layer *layer = s->net[n]->layers[i];
            long parts = layer->sums ? 1 : shards;
            if (!mixes_rows(s, stage, layer))
                continue;
            const long part = smallest_part(rows, parts);
            const long numbers = count_numbers(s->net[n], i, part, shortest);
            const bool fewer = numbers < count_numbers(s->net[n], i, part, NULL);
            if (!fewest->layer || numbers < fewest->numbers)
                *fewest = (sample){layer, numbers, rows, parts, last, fewer};
        }
}

static sample find_sample(const ls_session *s, int stage, int shards)
{
    sample fewest = {.layer = NULL};
    long rows = s->stage[stage].rows;
    long batch = ls_min(s->job->stage[stage].batch, rows);
    int32_t *shortest = shortest_rows(s, rows);
    look_at_batch(s, stage, shards, batch, false, shortest, &fewest);
    if (rows % batch && s->stage[stage].steps >= ls_session_steps(&s->stage[stage], 1))
        look_at_batch(s, stage, shards, rows % batch, true, shortest, &fewest);
    ls_free(shortest);
    return fewest;
}

/* The next larger batch of which each part has two rows or more in every step; 0: there is none. */
static long larger_batch(long rows, long batch, long parts)
{
    do
        batch++;
    while (batch <= rows && (smallest_part(batch, parts) < 2 ||
                             (rows % batch && smallest_part(rows % batch, parts) < 2)));
    return batch <= rows ? batch : 0;
}

/* Whether statistics of the whole batch would be of more numbers, and can be had. */
static bool could_sync(const ls_session *s, const sample *f)
{
    char key[2 * LS_WORD];
    bool lines = strcmp(ls_session_net_key(s, f->layer->net->name, key, sizeof key), "model") != 0;
    return lines && f->rows > 1 && f->parts > 1 && f->parts == s->comm->size;
}

/* What gives the statistics more numbers, into text[size]. */
static void find_remedies(const ls_session *s, int stage, const sample *f, char *text, size_t size)
{
    char remedy[64];
    long rows = s->stage[stage].rows;
    long batch = larger_batch(rows, s->job->stage[stage].batch, f->parts);
    *text = 0;
    if (could_sync(s, f))
        ls_format_join(text, size, "sync=1 to that line");
    if (f->parts > 1 && f->rows > 1) {
        snprintf(remedy, sizeof remedy, "shards=%ld or fewer (or fewer ranks)", f->rows / 2);
        ls_format_join(text, size, remedy);
    }
    if (batch) {
        snprintf(remedy, sizeof remedy, "%sbatch=%ld", *text ? "or " : "", batch);
        ls_format_join(text, size, remedy);
    }
}

static void describe_sample(const ls_session *s, int stage, const sample *f, char *text,
                            size_t size)
{
    long rows = s->stage[stage].rows;
    long batch = s->job->stage[stage].batch;
    int used = snprintf(text, size, "%s/%s: ", f->layer->net->name, f->layer->name);
    if (f->last)
        used += snprintf(text + used, size - (size_t)used,
                         "the last batch of an epoch (%ld rows in batches of %ld) has %ld row%s",
                         rows, batch, f->rows, f->rows > 1 ? "s" : "");
    else
        used += snprintf(text + used, size - (size_t)used, "a batch has %ld row%s", f->rows,
                         f->rows > 1 ? "s" : "");
    if (f->parts > 1)
        used += snprintf(text + used, size - (size_t)used, " in %ld shards", f->parts);
    snprintf(text + used, size - (size_t)used, ", which is %ld value%s per channel%s", f->numbers,
             f->numbers > 1 ? "s" : "", f->shortest ? " if they are the shortest" : "");
}

bool ls_checks_statistics(const ls_session *s, long stage, int shards, char *few, size_t size,
                          ls_error *error)
{
    enum { ENOUGH = 8 };
    char what[320], remedies[160], place[256], key[2 * LS_WORD];
    *few = 0;
    for (int i = (int)stage; i < s->job->stages; i++) {
        const sample f = find_sample(s, i, shards);
        if (!f.layer || f.numbers >= ENOUGH)
            continue;
        describe_sample(s, i, &f, what, sizeof what);
        find_remedies(s, i, &f, remedies, sizeof remedies);
        if (f.numbers < 2)
            return ls_error_set(
                error, LS_USAGE, "%s: %s: mean and deviation need more than 1; give %s",
                ls_job_where(s->job, ls_session_net_key(s, f.layer->net->name, key, sizeof key),
                             place, sizeof place),
                what, *remedies ? remedies : "more training rows");
        snprintf(few, size, "%s: mean and deviation of so few are rough%s", what,
                 could_sync(s, &f) ? "; sync=1 takes those of the whole batch" : "");
    }
    return true;
}

/* Whether a stage trains, or freezes, some slot of these. */
static bool uses(const ls_session_stage *stage, const ls_slots *slots)
{
    const ls_objective *objective = stage->objective;
    bool used = ls_slots_meet(slots, &objective->frozen);
    for (int p = 0; p < objective->phases; p++)
        used |= ls_slots_meet(slots, &objective->phase[p].slots);
    return used;
}

const ls_net *ls_checks_idle_net(const ls_session *s)
{
    for (int n = 0; n < s->task.nets; n++) {
        const ls_interval own = s->net[n]->slots;
        const ls_slots slots = {.count = own.begin < own.end, .at = {own}};
        bool idle = slots.count > 0;
        for (int i = 0; idle && i < s->job->stages; i++)
            idle = !uses(&s->stage[i], &slots);
        if (idle)
            return s->net[n];
    }
    return NULL;
}

const ls_net *ls_checks_noise(const ls_session *s)
{
    for (int i = 0; i < s->job->stages; i++) {
        const ls_objective *objective = s->stage[i].objective;
        if (objective->outputs.rows && !objective->outputs.rebuilds &&
            !objective->outputs.rows->own_input)
            return objective->outputs.rows;
    }
    return NULL;
}
