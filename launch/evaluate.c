/* evaluate: loss, metrics and confusion matrix of a trained net over a split, exactly, on any rank
 * count. */
#include <jansson.h>
#include <stdlib.h>

#include "launch/command.h"
#include "launch/evaluation.h"
#include "launch/ranks.h"
#include "launch/saved.h"

enum { OPTION_DATA = 256, OPTION_SPLIT, OPTION_JSON };

typedef struct arguments {
    char *from, *data, *split;
    bool json;
} arguments;

static const struct argp_option options[] = {
    {"data", OPTION_DATA, "FILE", 0, "a data set in place of the one that the job names", 0},
    {"split", OPTION_SPLIT, "train|valid|test", 0, "the rows to evaluate (default: test)", 0},
    {"json", OPTION_JSON, NULL, 0, "one JSON object", 0},
    {0}};

static error_t option(int key, char *argument, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_DATA:
        a->data = argument;
        return 0;
    case OPTION_SPLIT:
        a->split = argument;
        if (ls_split_find(argument) == LS_SPLITS)
            argp_error(state, "--split=%s: write train, valid or test", argument);
        return 0;
    case OPTION_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        a->from = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const ls_usage ls_usage_evaluate = {
    .options = options,
    .option = option,
    .arguments = "RUN|CHECKPOINT",
    .about =
        "Loss, accuracy and confusion matrix of a trained net, alone or under mpirun. Of a run "
        "directory it takes best.h5, else the newest checkpoint.",
    .arguments_min = 1,
    .arguments_max = 1,
};

static void print_json(const ls_saved *saved, const arguments *a, const ls_objective *objective,
                       const ls_evaluation *e)
{
    json_t *top = json_object();
    json_object_set_new(top, "rows", json_integer(e->rows));
    json_object_set_new(top, "loss", json_real(ls_sums_mean(&e->sums, LS_SUM_LOSS)));
    for (int k = 0; objective->metrics[k]; k++)
        json_object_set_new(top, objective->metrics[k],
                            json_real(ls_sums_mean(&e->sums, LS_SUM_METRICS + k)));
    json_object_set_new(top, "split", json_string(a->split));
    json_object_set_new(top, "checkpoint", json_string(saved->path));
    json_object_set_new(top, "step", json_integer(saved->step));
    json_t *confusion = e->confusion ? json_array() : NULL;
    for (long i = 0; e->confusion && i < e->classes; i++) {
        json_t *row = json_array();
        for (long j = 0; j < e->classes; j++)
            json_array_append_new(row, json_integer(e->confusion[i * e->classes + j]));
        json_array_append_new(confusion, row);
    }
    if (confusion)
        json_object_set_new(top, "confusion", confusion);
    json_dumpf(top, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    printf("\n");
    json_decref(top);
}

static void print_text(const ls_saved *saved, const arguments *a, const ls_objective *objective,
                       const ls_evaluation *e)
{
    printf("%s (step %ld) on %s of %s\n", saved->path, saved->step, a->split, saved->job->data);
    printf("rows      %ld\nloss      %.6f\n", e->rows, ls_sums_mean(&e->sums, LS_SUM_LOSS));
    for (int k = 0; objective->metrics[k]; k++)
        printf("%-9s %.6f\n", objective->metrics[k], ls_sums_mean(&e->sums, LS_SUM_METRICS + k));
    if (!e->confusion || e->classes > 20)
        return;
    printf("confusion (a row for each label, a column for each prediction)\n      ");
    for (long j = 0; j < e->classes; j++)
        printf(" %6ld", j);
    for (long i = 0; i < e->classes; i++) {
        printf("\n%6ld", i);
        for (long j = 0; j < e->classes; j++)
            printf(" %6ld", e->confusion[i * e->classes + j]);
    }
    printf("\n");
}

/* A matrix of more classes is no help to a person, and large. */
static bool wants_matrix(const ls_task *task)
{
    return task->classes > 0 && task->classes <= 1000;
}

static bool evaluate(ls_comm *comm, const arguments *a, ls_saved *saved, ls_error *error)
{
    if (!ls_saved_open(saved, comm, a->from, a->data, true, error))
        return false;
    ls_split_id split = ls_split_find(a->split);
    if (!ls_dataset_split(saved->session.data, split)->present)
        return ls_error_set(error, LS_DATA, "%s has no %s/x: name another with --split",
                            saved->job->data, a->split);
    ls_objective *objective =
        ls_session_objective(&saved->session, saved->job->stages - 1, 0, 0, error);
    if (!ls_comm_agree(comm, objective != NULL, error))
        return false;
    ls_evaluation evaluation;
    objective->type->compile(objective, 0, ls_objective_chunk(objective));
    bool ok = ls_evaluate(comm, objective, saved->session.data, split,
                          wants_matrix(&saved->session.task), &evaluation, error);
    if (ok && ls_comm_rank(comm) == 0)
        (a->json ? print_json : print_text)(saved, a, objective, &evaluation);
    ls_evaluation_release(&evaluation);
    ls_objective_destroy(objective);
    return ok;
}

int ls_command_evaluate(int argc, char **argv)
{
    arguments a = {.split = "test"};
    ls_error error = {0};
    ls_saved saved;
    ls_command_parse(&ls_usage_evaluate, argc, argv, &a);
    ls_comm *comm = ls_ranks_start(&argc, &argv);
    bool ok = evaluate(comm, &a, &saved, &error);
    int code = ok ? 0 : ls_fail(ls_comm_rank(comm) == 0, &error);
    ls_saved_close(&saved);
    ls_comm_close(comm);
    return code;
}
