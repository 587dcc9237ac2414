/* evaluate: loss, metrics and confusion matrix of a trained net over a split; the same bits on any
 * number of ranks. */
#include "core/print.h"
#include "launch/apply/forward.h"
#include "launch/json.h"
#include "launch/session/evaluation.h"

static const ls_command_option options[] = {
    LS_FORWARD_COMMON,
    LS_FORWARD_SPLIT("the rows to evaluate (default: test)"),
    {"samples", 0, "K",
     "add the log-likelihood of the rows, estimated by importance sampling from K codes a row "
     "(objective vae; Burda et al. 2016); the draws follow from the job's seed",
     LS_COMMAND_LONG, LS_FORWARD_AT(samples), .low = 1, .high = 1000000000},
    {.name = NULL}};

const ls_usage ls_usage_evaluate = {
    .options = options,
    .arguments = "RUN|CHECKPOINT",
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

static void print_json(const ls_forward *f, const ls_objective *objective, const ls_evaluation *e)
{
    json_t *top = ls_forward_json(f);
    for (int k = 0; k < objective->metrics; k++)
        json_object_set_new(top, objective->metric[k].name,
                            ls_json_real(ls_objective_value(objective, k, e->sums)));
    if (e->draws) {
        json_object_set_new(top, "samples", json_integer(e->draws));
        json_object_set_new(top, "log_likelihood", ls_json_real(e->likelihood / (double)e->rows));
    }
    if (e->confusion)
        json_object_set_new(top, "confusion", confusion(e));
    ls_json_print(top);
}

static void print_text(const ls_forward *f, const ls_objective *objective, const ls_evaluation *e)
{
    ls_forward_print(f);
    ls_print(stdout, "rows      %ld\n", e->rows);
    for (int k = 0; k < objective->metrics; k++)
        ls_print(stdout, "%-9s %.6f\n", objective->metric[k].name,
                 ls_objective_value(objective, k, e->sums));
    if (e->draws)
        ls_print(stdout, "log-likelihood %.6f, by %ld draws a row\n",
                 e->likelihood / (double)e->rows, e->draws);
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

static bool evaluate(ls_forward *f, ls_error *error)
{
    enum { MOST_CLASSES = 1000 }; /* of a matrix: a larger one helps nobody */
    const ls_session *session = &f->saved.session;
    ls_objective *objective = session->stage[f->saved.job->stages - 1].objective;
    ls_evaluation evaluation = {.seed = (uint64_t)f->saved.job->seed,
                                .draws = f->arguments.samples,
                                .training = session->stage[f->saved.job->stages - 1].rows};
    if (evaluation.draws && !objective->type->assess)
        return ls_error_set(error, LS_USAGE,
                            "--samples: the objective %s has no estimate of a likelihood; vae has "
                            "one",
                            objective->type->name);
    objective->type->compile(objective, 0,
                             ls_evaluation_chunk(objective, session->data, f->split_id));
    if (objective->classes > 0 && objective->classes <= MOST_CLASSES)
        ls_evaluation_add_confusion(&evaluation, objective);
    bool ok = ls_evaluate(f->comm, objective, session->data, f->split_id, &evaluation, error);
    if (ok && f->comm->rank == 0)
        (f->arguments.json ? print_json : print_text)(f, objective, &evaluation);
    ls_evaluation_release(&evaluation);
    return ok;
}

int ls_command_evaluate(int argc, char **argv)
{
    static const ls_forward_command command = {.usage = &ls_usage_evaluate,
                                               .objectives = true,
                                               .splits = LS_FORWARD_TEST_SPLIT,
                                               .run = evaluate};
    return ls_forward_main(&command, argc, argv);
}
