/* forward: what evaluate, predict and extract share: their command line, a trained net beside a
 * data set, and the outputs of its layers for each row. */
#pragma once
#include <jansson.h>

#include "io/rowfile.h"
#include "launch/command.h"
#include "launch/session/saved.h"
#include "launch/threads.h"

typedef struct ls_forward_arguments {
    ls_words words;                    /* the run directory or the checkpoint */
    const char *data, *output, *layer; /* NULL: not given */
    int split, as;                     /* an ls_split_id, an ls_forward_as; -1: not given */
    bool json, force, average;
    int threads;
} ls_forward_arguments;

typedef enum { LS_FORWARD_CLASSES, LS_FORWARD_VALUES } ls_forward_as;

/* The sentence about RUN|CHECKPOINT in the `about` of each command. */
#define LS_FORWARD_SOURCE                                                                          \
    "Given a run directory, it takes the parameters of best.h5; where there is no best.h5, or "    \
    "with --average, those of the newest checkpoint."
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
                    "use the moving average of the weights that the checkpoint holds (ema=)")
#define LS_FORWARD_DATA                                                                            \
    LS_FORWARD_TEXT("data", 0, "FILE", data, "the data set, in place of the one that the job names")
#define LS_FORWARD_FORCE LS_FORWARD_FLAG("force", force, "overwrite the output")
#define LS_FORWARD_JSON LS_FORWARD_FLAG("json", json, "print one JSON object")
#define LS_FORWARD_OUTPUT(value, help) LS_FORWARD_TEXT("output", 'o', value, output, help)
#define LS_FORWARD_SPLIT(help)                                                                     \
    {                                                                                              \
        "split", 0, "train|valid|test", help, LS_COMMAND_CHOICE,                                   \
            .offset = offsetof(ls_forward_arguments, split)                                        \
    }
#define LS_FORWARD_THREADS LS_THREADS_OPTION(ls_forward_arguments, threads)

typedef struct ls_forward ls_forward;

typedef struct ls_forward_command {
    const ls_usage *usage;
    bool objectives; /* the data must fit the objectives of the job */
    bool csv;        /* the output may be a .csv file */
    bool only_split; /* a data set that has one split only needs no --split */
    /* **Collective.** Called with the net open; an output that it leaves open is removed. The error
     * is the same on all ranks. */
    bool (*run)(ls_forward *forward, ls_error *error);
} ls_forward_command;

struct ls_forward {
    const ls_forward_command *command;
    ls_forward_arguments arguments;
    ls_comm *comm;
    ls_saved saved;
    ls_rowfile *file; /* the output, on rank 0; NULL on the others */
};

/* **Collective.** Does all that a subcommand does; returns its exit code. */
int ls_forward_main(const ls_forward_command *command, int argc, char **argv);
/* The split that --split names, else the default. NULL and an LS_DATA error, which names the splits
 * of the data set, where it has no such rows. */
const ls_split *ls_forward_split(const ls_forward *forward, ls_split_id *id, ls_error *error);

/* Which outputs are wanted, and who gets them. */
typedef struct ls_forward_outputs {
    const ls_net *net;
    int layer;         /* its number in the net */
    ls_split_id split; /* the rows */
    /* Called on rank 0 for each chunk, in the order of the rows, with y [rows, shape of the
     * layer's output]. */
    bool (*collect)(void *context, long rows, const real *y, ls_error *error);
    void *context;
} ls_forward_outputs;

/* **Collective.** Applies the net to each row of the split. The rows of a chunk depend on the net
 * only, so the outputs have the same bits on any number of ranks. */
bool ls_forward_rows(ls_forward *forward, const ls_forward_outputs *outputs, ls_error *error);

/* On rank 0: opens the output file; its attributes name checkpoint, step and data set. */
bool ls_forward_begin(ls_forward *forward, ls_error *error);
/* **Collective.** Closes the output file; when it returns true, the file is complete on the disk.
 */
bool ls_forward_finish(ls_forward *forward, ls_error *error);
/* On rank 0: checkpoint, step, split and data set, as a line of text and as a JSON object. */
void ls_forward_print(const ls_forward *forward, const ls_split *split);
json_t *ls_forward_json(const ls_forward *forward, const ls_split *split);
