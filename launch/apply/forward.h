/* forward: what evaluate, predict and extract share: the command line, a trained net over a data
 * set, and the outputs of its layers row by row. */
#pragma once
#include <jansson.h>

#include "io/rowfile.h"
#include "launch/command.h"
#include "launch/session/saved.h"
#include "launch/threads.h"

typedef struct ls_forward_arguments {
    ls_words words;                    /* RUN or CHECKPOINT */
    const char *data, *output, *layer; /* NULL: not given */
    int split, as;                     /* ls_split_id, ls_forward_as; -1: not given */
    bool json, force, average;
    int threads;
} ls_forward_arguments;

typedef enum { LS_FORWARD_CLASSES, LS_FORWARD_VALUES } ls_forward_as;

/* The options that are the same in the tables of several commands. */
#define LS_FORWARD_TEXT(name, letter, value, member, help)                                         \
    {                                                                                              \
        name, letter, value, help, LS_COMMAND_TEXT,                                                \
            .offset = offsetof(ls_forward_arguments, member)                                       \
    }
#define LS_FORWARD_FLAG(name, member, help)                                                        \
    {                                                                                              \
        name, 0, NULL, help, .offset = offsetof(ls_forward_arguments, member)                      \
    }
#define LS_FORWARD_AVERAGE                                                                         \
    LS_FORWARD_FLAG("average", average,                                                            \
                    "take the moving average of the weights that the checkpoint holds (ema=)")
#define LS_FORWARD_DATA                                                                            \
    LS_FORWARD_TEXT("data", 0, "FILE", data, "a data set in place of the one that the job names")
#define LS_FORWARD_FORCE LS_FORWARD_FLAG("force", force, "overwrite the output")
#define LS_FORWARD_JSON LS_FORWARD_FLAG("json", json, "print one JSON object")
#define LS_FORWARD_OUTPUT(value, help) LS_FORWARD_TEXT("output", 'o', value, output, help)
#define LS_FORWARD_SPLIT(help)                                                                     \
    {                                                                                              \
        "split", 0, "train|valid|test", help, LS_COMMAND_CHOICE,                                   \
            .offset = offsetof(ls_forward_arguments, split)                                        \
    }
#define LS_FORWARD_THREADS LS_THREADS_OPTION(ls_forward_arguments, threads)

typedef struct ls_forward {
    ls_forward_arguments arguments;
    ls_comm *comm;
    ls_saved saved;
    ls_rowfile *file; /* rank 0's output; NULL elsewhere */
} ls_forward;

typedef struct ls_forward_command {
    const ls_usage *usage;
    bool objectives; /* the data must fit the job's objectives */
    bool csv;        /* the output may be .csv */
    /* **Collective.** With the net open. What is left of `file` then is removed. The error is the
     * same on all ranks. */
    bool (*run)(ls_forward *forward, ls_error *error);
} ls_forward_command;

/* **Collective.** The whole of a subcommand; returns its exit code. */
int ls_forward_main(const ls_forward_command *command, int argc, char **argv);
/* The split that was asked for; else test, or, where `only`, the only one that there is. NULL and
 * an LS_DATA error that names those there are. */
const ls_split *ls_forward_split(const ls_forward *forward, bool only, ls_split_id *id,
                                 ls_error *error);
/* **Collective.** What layer `last` of `net` makes of each row of the split, in chunks that depend
 * on the net only: the same bits on any rank count. On rank 0 `take` gets y [rows, layer's y] of
 * each chunk, in the order of the rows. */
bool ls_forward_rows(ls_forward *forward, const ls_net *net, int last, ls_split_id split,
                     bool (*take)(void *context, long rows, const real *y, ls_error *error),
                     void *context, ls_error *error);

/* Rank 0: opens the output, with attributes that say where it comes from: checkpoint, step, data.
 */
bool ls_forward_begin(ls_forward *forward, ls_error *error);
/* **Collective.** The output is whole and durable. */
bool ls_forward_finish(ls_forward *forward, ls_error *error);
/* Rank 0: net and rows, as a line, and as a JSON object to which more is added. */
void ls_forward_print(const ls_forward *forward, const ls_split *split);
json_t *ls_forward_json(const ls_forward *forward, const ls_split *split);
