/* evaluation: the chunks' sums are added in their order, in double. */
#include "launch/session/evaluation.h"

#include <math.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "launch/session/chunks.h"
#include "launch/session/streams.h"

/* What the evaluation of each chunk adds to. */
typedef struct chunk_sums {
    ls_objective *objective;
    ls_evaluation *evaluation;
    ls_sums *sums;      /* [chunks, phases] */
    double *likelihood; /* [chunks, 2]: of the rows' estimates, and of their squares */
} chunk_sums;

/* The sums of the rows' estimates, and of their squares, in the order of the rows. */
static void assess_chunk(const chunk_sums *c, const ls_batch *batch, const ls_pass *pass,
                         double *sums)
{
    double *estimate = ls_alloc((size_t)batch->rows, sizeof *estimate);
    c->objective->type->assess(c->objective, batch, pass, c->evaluation->how.samples, estimate);
    for (long r = 0; r < batch->rows; r++) {
        sums[0] += estimate[r];
        sums[1] += estimate[r] * estimate[r];
    }
    ls_free(estimate);
}

/* Counts labels and predictions of the rows, or of those of their steps that are there. */
static void count_confusion(ls_evaluation *e, const ls_objective *objective, const ls_batch *batch,
                            const real *y)
{
    const long steps = ls_objective_steps(objective),
               width = ls_shape_count(&objective->output) / steps;
    for (long r = 0; r < batch->rows * steps; r++) {
        long label = (long)batch->y[r]; /* -1: there is none */
        if (label < 0 || (batch->length && r % steps >= batch->length[r / steps]))
            continue;
        long prediction = ls_loss_predict(y + r * width, width, objective->meaning->threshold);
        e->confusion[label * e->classes + prediction]++;
    }
}

static void evaluate_batch(void *context, const ls_batch *batch, const ls_carried *carried,
                           long chunk)
{
    chunk_sums *c = context;
    const ls_objective *objective = c->objective;
    const ls_pass pass = {.seed = c->evaluation->seed, .row = batch->first, .carried = carried};
    ls_sums sums[LS_PHASES], *all = &c->sums[chunk * objective->phases];
    const real *y = objective->type->evaluate(c->objective, batch, &pass, sums);
    for (int p = 0; p < objective->phases; p++)
        for (int k = 0; k < LS_SUMS; k++)
            all[p].at[k] += sums[p].at[k];
    if (c->evaluation->confusion)
        count_confusion(c->evaluation, objective, batch, y);
    if (c->evaluation->how.samples)
        assess_chunk(c, batch, &pass, &c->likelihood[2 * chunk]);
}

static void evaluate_chunk(void *context, const ls_batch *batch, long chunk, real *results)
{
    evaluate_batch(context, batch, NULL, chunk);
}

/* The draws of an estimate of the model as a whole. */
typedef struct drawing {
    ls_objective *objective;
    const ls_evaluation *evaluation;
    double *result; /* [draws] */
} drawing;

static void draw_chunk(void *context, const ls_batch *batch, long chunk, real *results)
{
    const drawing *d = context;
    const ls_pass pass = {.seed = d->evaluation->seed, .row = batch->first};
    d->objective->type->draw(d->objective, &pass, &d->evaluation->how, batch->first, batch->rows,
                             d->result + batch->first);
}

/* Draws of a chunk: a function of their number. The more there are in one, the faster they are; and
 * the fewer ranks have any. */
static long draw_size(const ls_objective *objective, long draws)
{
    enum { LEAST = 25, CHUNKS = 32 };
    return ls_min(ls_objective_chunk(objective), ls_max(LEAST, (draws + CHUNKS - 1) / CHUNKS));
}

/* How many of the first training rows an estimate is given, to know the data by: more would tell
 * little more. */
static long count_given(const ls_split *split)
{
    enum { ROWS = 2000, NUMBERS = 1 << 22 /* of all of them */ };
    const long width = ls_shape_count(&split->row);
    return split->present ? ls_min(ls_min(ROWS, ls_max(1, NUMBERS / width)), split->x.rows) : 0;
}

/* **Collective.** Draws what an estimate of the model as a whole needs, spread over the ranks;
 * every rank concludes from all of it. */
static bool draw_all(ls_comm *comm, ls_objective *objective, ls_evaluation *e, ls_error *error)
{
    const ls_objective_type *type = objective->type;
    const long draws = type->draws ? type->draws(objective, &e->how, error) : 0;
    drawing d = {.objective = objective, .evaluation = e};
    if (!ls_comm_agree(comm, draws >= 0, error))
        return false;
    d.result = ls_alloc((size_t)draws, sizeof *d.result);
    const ls_chunks chunks = {
        .rows = draws, .size = draw_size(objective, draws), .context = &d, .apply = draw_chunk};
    bool ok = draws == 0 || ls_chunks_run(&chunks, comm, error);
    ls_comm_sum(comm, d.result, draws); /* each was drawn by one rank, and is 0 on the others */
    if (ok && type->conclude)
        e->figures = type->conclude(objective, &e->how, draws, d.result, e->figure);
    ls_free(d.result);
    return ok;
}

/* **Collective.** Estimates the model as a whole, if the objective has something to estimate. */
static bool estimate_model(ls_comm *comm, ls_objective *objective, ls_dataset *data,
                           ls_evaluation *e, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, LS_TRAIN);
    const long rows = objective->type->draws ? count_given(split) : 0;
    real *x = ls_alloc((size_t)(rows * ls_shape_count(&split->row)), sizeof *x);
    int64_t *row = ls_alloc((size_t)rows, sizeof *row);
    const ls_batch given = {.rows = rows, .total = rows, .x_shape = split->row, .x = x, .row = row};
    for (long i = 0; i < rows; i++)
        row[i] = i;
    const bool read = rows == 0 || ls_dataset_read(data, LS_TRAIN, row, rows, NULL, x, NULL, error);
    e->how.given = rows ? &given : NULL;
    const bool ok = ls_comm_agree(comm, read, error) && draw_all(comm, objective, e, error);
    e->how.given = NULL;
    ls_free(row);
    ls_free(x);
    return ok;
}

void ls_evaluation_add_confusion(ls_evaluation *evaluation, const ls_objective *objective)
{
    const long classes = objective->classes;
    evaluation->classes = classes;
    evaluation->confusion = ls_alloc((size_t)(classes * classes), sizeof(long));
}

void ls_evaluation_release(ls_evaluation *evaluation)
{
    ls_free(evaluation->confusion);
    evaluation->confusion = NULL;
}

long ls_evaluation_tokens(const ls_objective *objective, const ls_split *split)
{
    return split->tokens && objective->takes_y ? split->tokens - 1 : 0;
}

long ls_evaluation_chunk(const ls_objective *objective, const ls_dataset *data, ls_split_id split)
{
    const ls_split *rows = ls_dataset_split(data, split);
    return ls_min(ls_objective_chunk(objective),
                  ls_evaluation_tokens(objective, rows) ? LS_STREAMS_CHUNK : rows->x.rows);
}

double ls_evaluation_likelihood(const ls_evaluation *e, double *standard_error)
{
    const double rows = (double)e->rows, mean = e->likelihood / rows;
    const double variance = fmax(0, e->likelihood2 - rows * mean * mean) / (rows - 1);
    *standard_error = rows > 1 ? sqrt(variance / rows) : NAN;
    return mean;
}

void ls_evaluation_values(const ls_evaluation *e, const ls_objective *objective, double *value)
{
    for (int k = 0; k < objective->metrics; k++) {
        value[k] = ls_objective_value(objective, k, e->sums);
        if (objective->metric[k].gap)
            value[k] -= ls_objective_value(objective, k, e->compared);
    }
}

/* What each stream of tokens carries. */
static long carried_by(const ls_objective *objective)
{
    return ls_objective_streams(objective) ? objective->row_states.at[0].reals : 0;
}

/* **Collective.** Adds to the evaluation's sums those of a split's first rows, in fixed chunks; of
 * a stream of tokens those of all of them. */
static bool evaluate_rows(ls_comm *comm, ls_objective *objective, ls_dataset *data,
                          ls_split_id split, ls_evaluation *evaluation, ls_error *error)
{
    chunk_sums c = {.objective = objective, .evaluation = evaluation};
    const ls_chunks chunks = {.data = data,
                              .split = split,
                              .rows = evaluation->rows,
                              .size = ls_min(ls_objective_chunk(objective), evaluation->rows),
                              .targets = objective->takes_y,
                              .context = &c,
                              .apply = evaluate_chunk};
    const ls_streams streams = {.data = data,
                                .split = split,
                                .size = ls_min(ls_objective_chunk(objective), LS_STREAMS_CHUNK),
                                .reals = carried_by(objective),
                                .context = &c,
                                .apply = evaluate_batch};
    const bool flows = ls_evaluation_tokens(objective, ls_dataset_split(data, split)) > 0;
    const long count = flows ? ls_streams_chunks(&streams) : ls_chunks_count(&chunks),
               phases = objective->phases;
    c.sums = ls_alloc((size_t)(count * phases), sizeof *c.sums);
    c.likelihood = ls_alloc(2 * (size_t)count, sizeof *c.likelihood);
    bool ok = flows ? ls_streams_run(&streams, comm, error) : ls_chunks_run(&chunks, comm, error);
    if (ok) { /* each chunk's sums are on the rank that evaluated it, and 0 on the others */
        ls_comm_sum(comm, c.sums[0].at, count * phases * LS_SUMS);
        ls_comm_sum(comm, c.likelihood, 2 * count);
    }
    for (long i = 0; ok && i < count * phases; i++)
        for (int k = 0; k < LS_SUMS; k++)
            evaluation->sums[i % phases].at[k] += c.sums[i].at[k];
    for (long i = 0; ok && i < count; i++) {
        evaluation->likelihood += c.likelihood[2 * i];
        evaluation->likelihood2 += c.likelihood[2 * i + 1];
    }
    ls_free(c.likelihood);
    ls_free(c.sums);
    return ok;
}

static bool has_rows(const ls_objective *objective, const ls_split *split)
{
    return split->present && (!objective->takes_y || split->has_y);
}

/* **Collective.** What a gap is against: the training rows' sums, or the evaluated rows' own where
 * these are the training rows. */
static bool compare(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id id,
                    ls_evaluation *evaluation, ls_error *error)
{
    const ls_split *training = ls_dataset_split(data, LS_TRAIN);
    const long most = evaluation->training ? evaluation->training : training->x.rows;
    ls_evaluation other = {.seed = evaluation->seed, .rows = ls_min(evaluation->rows, most)};
    bool ok = true;
    if (id == LS_TRAIN)
        memcpy(other.sums, evaluation->sums, sizeof other.sums);
    else if (has_rows(objective, training))
        ok = evaluate_rows(comm, objective, data, LS_TRAIN, &other, error);
    memcpy(evaluation->compared, other.sums, sizeof other.sums);
    return ok;
}

bool ls_evaluation_check(const ls_objective *objective, const ls_dataset *data, ls_split_id id,
                         ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, id);
    if (!has_rows(objective, split))
        return ls_error_set(error, LS_DATA, "%s: %s/%s is missing", ls_dataset_path(data),
                            split->name, split->present ? "y" : "x");
    return split->x.rows > 0 || ls_evaluation_tokens(objective, split) ||
           ls_error_set(error, LS_DATA,
                        "%s: %s holds %ld tokens; a window and the token behind it are %ld",
                        ls_dataset_path(data), split->x.path, split->tokens,
                        ls_shape_count(&split->row) + 1);
}

bool ls_evaluation_no_label(const ls_dataset *data, ls_split_id id, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, id);
    return ls_error_set(error, LS_DATA,
                        "%s: no row of %s has a label to evaluate by: all are ignore=%ld",
                        ls_dataset_path(data), split->y.path, split->ignore);
}

bool ls_evaluate(ls_comm *comm, ls_objective *objective, ls_dataset *data, ls_split_id id,
                 ls_evaluation *evaluation, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, id);
    evaluation->rows = split->x.rows;
    if (!ls_evaluation_check(objective, data, id, error))
        return false;
    if (evaluation->how.samples && !estimate_model(comm, objective, data, evaluation, error))
        return false;
    if (!evaluate_rows(comm, objective, data, id, evaluation, error))
        return false;
    if (objective->takes_y && split->ignores && evaluation->sums[0].at[LS_SUM_WEIGHT] == 0)
        return ls_evaluation_no_label(data, id, error);
    if (evaluation->confusion)
        ls_comm_sum_long(comm, evaluation->confusion, evaluation->classes * evaluation->classes);
    return ls_objective_gap(objective) < 0 || compare(comm, objective, data, id, evaluation, error);
}
