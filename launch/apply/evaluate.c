/* evaluate: loss, metrics and confusion matrix of a trained net over a split; the same bits on any
 * number of ranks. */
#include <math.h>
#include <string.h>

#include "core/print.h"
#include "launch/apply/forward.h"
#include "launch/json.h"
#include "launch/session/class_names.h"
#include "launch/session/evaluation.h"

static const ls_command_option options[] = {
    LS_FORWARD_STAGE,
    LS_FORWARD_COMMON,
    LS_FORWARD_SPLIT("the rows to evaluate (default: test)"),
    {"samples", 0, "K",
     "add the log-likelihood of the rows: estimated from K codes a row (objective vae; Burda et "
     "al. 2016), or with a partition function estimated by K annealed runs (rbm; Salakhutdinov and "
     "Murray 2008), which is exact where one side of the machine has at most 25 units of 0 or 1; "
     "the draws follow from the job's seed",
     LS_COMMAND_LONG, LS_FORWARD_AT(estimate.samples), .low = 1, .high = 1000000000},
    {"temperatures", 0, "N",
     "with --samples, for rbm: anneal over N intermediate distributions (14500), even where the "
     "exact sum is possible",
     LS_COMMAND_LONG, LS_FORWARD_AT(estimate.temperatures), .low = 1, .high = 1000000000},
    {"reverse", 0, NULL,
     "with --samples, for rbm: anneal from samples of the model down to the base model, which "
     "takes five times as long. Its ln Z is on average too large, that of runs upwards too small, "
     "as far as the samples are good (Grosse, Ghahramani and Adams 2015)",
     LS_FORWARD_AT(estimate.reverse)},
    {.name = NULL}};

static void check_arguments(const void *context, const struct argp_state *state)
{
    const ls_forward_arguments *a = context;
    if (!a->estimate.samples && (a->estimate.temperatures || a->estimate.reverse))
        argp_error(state, "--%s goes with --samples=K",
                   a->estimate.temperatures ? "temperatures" : "reverse");
}

const ls_usage ls_usage_evaluate = {
    .options = options,
    .check = check_arguments,
    .arguments = "RUN|CHECKPOINT|JOB.yaml",
    .about = "Computes loss, metrics and confusion matrix of a trained net on the rows of a "
             "split, alone or under mpirun. " LS_FORWARD_SOURCE,
    .arguments_min = 1,
    .arguments_max = 1,
};

static json_t *confusion(const ls_evaluation *e)
{
    json_t *rows = json_array();
    for (long i = 0; i < e->classes; i++) {
        json_t *row = json_array();
        for (long j = 0; j < e->classes; j++)
            json_array_append_new(row, json_integer(e->confusion[i * e->classes + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* The figure of this name, or NULL. */
static const ls_figure *find_figure(const ls_evaluation *e, const char *name)
{
    for (int i = 0; i < e->figures; i++)
        if (strcmp(e->figure[i].name, name) == 0)
            return &e->figure[i];
    return NULL;
}

static void print_figure(const char *name, double value)
{
    ls_print(stdout,
             fabs(value) >= 0.001 || value == 0 || isnan(value) ? "%-9s %.6f\n" : "%-9s %.6e\n",
             name, value);
}

/* Whether the runs of an estimate agree: where a few of many have all the weight, more would find
 * still larger ones, and log_z is too small, or in reverse too large. */
static bool runs_agree(const ls_evaluation *e)
{
    const ls_figure *effective = find_figure(e, "effective_runs"), *runs = find_figure(e, "runs");
    return !effective || !runs || effective->value >= 0.75 * fmin(runs->value, 10);
}

/* Adds what was estimated to an object. */
static void put_estimate(const ls_evaluation *e, json_t *top)
{
    double off;
    const double likelihood = ls_evaluation_likelihood(e, &off);
    json_object_set_new(top, "samples", json_integer(e->how.samples));
    for (int i = 0; i < e->figures; i++)
        json_object_set_new(top, e->figure[i].name, ls_json_real(e->figure[i].value));
    const ls_figure *runs = find_figure(e, "runs"), *exact = find_figure(e, "exact");
    if (runs || exact) /* else nothing tells */
        json_object_set_new(top, "reliable",
                            json_boolean(runs ? runs->value > 1 && runs_agree(e) : exact->value));
    json_object_set_new(top, "log_likelihood", ls_json_real(likelihood));
    json_object_set_new(top, "log_likelihood_error", ls_json_real(off));
}

static void print_estimate(const ls_objective *objective, const ls_evaluation *e)
{
    double off;
    const double likelihood = ls_evaluation_likelihood(e, &off);
    for (int i = 0; i < e->figures; i++)
        print_figure(e->figure[i].name, e->figure[i].value);
    if (find_figure(e, "log_z") && !find_figure(e, "log_z_error"))
        ls_print(stdout, "one run has no standard error of log_z: take more by --samples\n");
    if (!runs_agree(e))
        ls_print(stdout,
                 "few runs have all the weight (effective_runs): log_z is likely too %s; take "
                 "more --temperatures\n",
                 e->how.reverse ? "large and the log-likelihood too bad"
                                : "small and the log-likelihood too good");
    ls_print(stdout, "log-likelihood %.6f%s, ", likelihood,
             objective->outputs.units
                 ? " (of what this machine reads of the lines below it, not of "
                   "the rows)"
                 : "");
    if (!objective->type->draws)
        ls_print(stdout, "by %ld draws a row; ", e->how.samples);
    if (e->rows > 1)
        ls_print(stdout, "standard error over the rows %.6f\n", off);
    else
        ls_print(stdout, "one row has no standard error\n");
}

/* What loss and metrics are means over, if it is not the rows: "steps" or "labels" and, in *count,
 * how many; NULL. */
static const char *name_counted(const ls_split *split, const ls_objective *objective,
                                const ls_evaluation *e, long *count)
{
    *count = (long)e->sums[0].at[LS_SUM_WEIGHT];
    return objective->takes_y && split->ignores ? "labels"
           : objective->outputs.steps           ? "steps"
                                                : NULL;
}

static void print_json(const ls_forward *f, const ls_objective *objective, const ls_evaluation *e)
{
    double value[LS_METRICS];
    json_t *top = ls_forward_json(f);
    const long tokens = ls_evaluation_tokens(objective, f->split);
    long count;
    const char *counted = name_counted(f->split, objective, e, &count);
    ls_evaluation_values(e, objective, value);
    if (tokens) {
        json_object_del(top, "rows"); /* these are whole windows; more is evaluated */
        json_object_set_new(top, "tokens", json_integer(tokens));
    } else if (counted)
        json_object_set_new(top, counted, json_integer(count));
    for (int k = 0; k < objective->metrics; k++)
        json_object_set_new(top, objective->metric[k].name, ls_json_real(value[k]));
    if (e->how.samples)
        put_estimate(e, top);
    if (e->confusion)
        json_object_set_new(top, "confusion", confusion(e));
    ls_json_print(top);
}

static void print_text(const ls_forward *f, const ls_objective *objective, const ls_evaluation *e)
{
    double value[LS_METRICS];
    const long tokens = ls_evaluation_tokens(objective, f->split);
    long count;
    const char *counted = name_counted(f->split, objective, e, &count);
    ls_evaluation_values(e, objective, value);
    ls_forward_print(f);
    ls_print(stdout, "%-9s %ld\n", tokens ? "tokens" : "rows", tokens ? tokens : e->rows);
    if (counted && !tokens)
        ls_print(stdout, "%-9s %ld\n", counted, count);
    for (int k = 0; k < objective->metrics; k++)
        print_figure(objective->metric[k].name, value[k]);
    if (e->how.samples)
        print_estimate(objective, e);
    if (!e->confusion || e->classes > 20)
        return;
    ls_print(stdout, "confusion (a row for each label, a column for each prediction)\n      ");
    for (long j = 0; j < e->classes; j++)
        ls_print(stdout, " %6ld", j);
    for (long i = 0; i < e->classes; i++) {
        ls_print(stdout, "\n%6ld", i);
        for (long j = 0; j < e->classes; j++)
            ls_print(stdout, " %6ld", e->confusion[i * e->classes + j]);
    }
    ls_print(stdout, "\n");
}

/* Says so where the first metric, mostly the loss, is not finite. */
static void tell_broken(const ls_forward *f, const ls_objective *objective, const ls_evaluation *e)
{
    char what[64];
    double value[LS_METRICS];
    ls_evaluation_values(e, objective, value);
    snprintf(what, sizeof what, "the %s is", objective->metric[0].name);
    if (!isfinite(value[0]))
        ls_forward_tell_broken(f, what);
}

/* Whether the objective takes the options of an estimate that were given. */
static bool check_estimate(const ls_forward *f, const ls_objective *objective, ls_error *error)
{
    const ls_forward_arguments *a = &f->arguments;
    const char *name = objective->type->name;
    if (a->estimate.samples && !objective->type->assess)
        return ls_error_set(error, LS_USAGE,
                            "--samples: the objective %s has no estimate of a likelihood; vae and "
                            "rbm have one",
                            name);
    return objective->type->draws || !(a->estimate.temperatures || a->estimate.reverse) ||
           ls_error_set(error, LS_USAGE,
                        "--%s: the objective %s anneals nothing; rbm does: leave it out",
                        a->estimate.temperatures ? "temperatures" : "reverse", name);
}

/* **Collective.** Labels of the same numbers mean the same classes. */
static bool check_classes(const ls_forward *f, const ls_objective *objective, ls_error *error)
{
    const ls_saved *s = &f->saved;
    const bool same = f->comm->rank != 0 || !objective->takes_y ||
                      ls_class_names_same(s->path, s->trained_on, ls_dataset_path(s->session.data),
                                          s->session.data_text, error);
    return ls_comm_agree(f->comm, same, error);
}

static bool evaluate(ls_forward *f, ls_error *error)
{
    enum { MOST_CLASSES = 1000 }; /* of a matrix: a larger one helps nobody */
    ls_session *session = &f->saved.session;
    if (!ls_session_parse_stage(session, f->stage, error))
        return false;
    ls_objective *objective = session->stage[f->stage].objective;
    ls_evaluation evaluation = {.seed = (uint64_t)f->saved.job->seed,
                                .how = {.samples = f->arguments.estimate.samples,
                                        .temperatures = f->arguments.estimate.temperatures,
                                        .reverse = f->arguments.estimate.reverse},
                                .training = session->stage[f->stage].rows};
    if (!check_estimate(f, objective, error) || !check_classes(f, objective, error))
        return false;
    objective->type->compile(objective, 0,
                             ls_evaluation_chunk(objective, session->data, f->split_id));
    if (objective->classes > 0 && objective->classes <= MOST_CLASSES)
        ls_evaluation_add_confusion(&evaluation, objective);
    bool ok = ls_evaluate(f->comm, objective, session->data, f->split_id, &evaluation, error);
    if (ok && f->comm->rank == 0) {
        (f->arguments.json ? print_json : print_text)(f, objective, &evaluation);
        tell_broken(f, objective, &evaluation);
    }
    ls_evaluation_release(&evaluation);
    return ok;
}

int ls_command_evaluate(int argc, char **argv)
{
    static const ls_forward_command command = {
        .usage = &ls_usage_evaluate, .splits = LS_FORWARD_TEST_SPLIT, .run = evaluate};
    return ls_forward_main(&command, argc, argv);
}
