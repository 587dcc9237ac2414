/* forward: what evaluate, predict and extract share: options, the opening of a trained net and of a
 * data set, and the outputs of a layer for each row. */
#pragma once
#include <jansson.h>

#include "io/rowfile.h"
#include "launch/command.h"
#include "launch/ranks.h"
#include "launch/session/saved.h"
#include "launch/threads.h"

/* What `generate` makes. */
typedef struct ls_forward_picture {
    const char *walk, *from; /* rows of the data; NULL: not given */
    bool plane;
    long chains, steps; /* 0: not given */
} ls_forward_picture;

/* What it writes by a net of text. */
typedef struct ls_forward_text {
    const char *prime; /* NULL: not given */
    long length, top;
    double temperature; /* these are negative where they are not given */
} ls_forward_text;

/* How a likelihood is estimated. */
typedef struct ls_forward_estimate {
    long samples, temperatures; /* 0: not given */
    bool reverse;
} ls_forward_estimate;

typedef struct ls_forward_arguments {
    ls_words words;                              /* the run directory or the checkpoint */
    const char *data, *output, *layer, *weights; /* NULL: not given */
    int split, as; /* an ls_split_id, an ls_forward_as; -1: not given */
    bool json, force, average, frames;
    int threads;
    long rows, seed, stage; /* 0, -1, -1: not given */
    ls_forward_estimate estimate;
    ls_watchdog_plan stall;
    ls_forward_picture picture;
    ls_forward_text text;
} ls_forward_arguments;

typedef enum { LS_FORWARD_CLASSES, LS_FORWARD_VALUES } ls_forward_as;

/* The sentence about RUN|CHECKPOINT in the `about` of each command. */
#define LS_FORWARD_SOURCE                                                                          \
    "Given a run directory, it takes the parameters of best.h5; where there is no best.h5, or "    \
    "with --average, those of the newest checkpoint. With --weights FILE it takes those of FILE, " \
    "and JOB.yaml will do in place of a run."
/* The options that the tables of several commands share: of all commands, of those that write a
 * file, and of those that take one split. */
#define LS_FORWARD_AT(member) .offset = offsetof(ls_forward_arguments, member)
#define LS_FORWARD_COMMON                                                                          \
    {"data", 0, "FILE", "data set in place of the job's", LS_COMMAND_TEXT, LS_FORWARD_AT(data)},   \
        {"weights",                                                                                \
         0,                                                                                        \
         "FILE",                                                                                   \
         "take the parameters in FILE, a checkpoint or .safetensors, in place of the run's",       \
         LS_COMMAND_TEXT,                                                                          \
         LS_FORWARD_AT(weights)},                                                                  \
        {"average", 0, NULL, "use the moving average of the weights in the checkpoint (ema=)",     \
         LS_FORWARD_AT(average)},                                                                  \
        LS_STALL_OPTIONS(ls_forward_arguments, stall, NULL),                                       \
        LS_THREADS_OPTION(ls_forward_arguments, threads)
#define LS_FORWARD_OUTPUT(help)                                                                    \
    {"output", 'o', "FILE", help, LS_COMMAND_TEXT, LS_FORWARD_AT(output)},                         \
    {                                                                                              \
        "force", 0, NULL, "overwrite the output", LS_FORWARD_AT(force)                             \
    }
#define LS_FORWARD_SPLIT(help)                                                                     \
    {"split", 0, "train|valid|test", help, LS_COMMAND_CHOICE, LS_FORWARD_AT(split)},               \
    {                                                                                              \
        "json", 0, NULL, "print one JSON object", LS_FORWARD_AT(json)                              \
    }

#define LS_FORWARD_STAGE                                                                           \
    {                                                                                              \
        "stage", 0, "N",                                                                           \
            "take the objective of this stage, from 0 (default: the last that has begun), and of " \
            "a run directory the parameters as it left them",                                      \
            LS_COMMAND_LONG, LS_FORWARD_AT(stage), .low = 0, .high = 1000000                       \
    }

typedef struct ls_forward ls_forward;

typedef struct ls_forward_command {
    const ls_usage *usage;
    bool csv, png;      /* the output may be a .csv, a .png file */
    bool text;          /* there is none where the net was trained on text */
    const char *output; /* its name where none is given; NULL: none */
    enum {
        LS_FORWARD_ALL_SPLITS,
        LS_FORWARD_TEST_SPLIT, /* where --split names none */
        LS_FORWARD_ONLY_SPLIT, /* the same, but a data set's only split needs no --split */
        LS_FORWARD_GIVEN_SPLIT /* the test split if rows of it are given (--walk, --from); else no
                                  data set is opened */
    } splits;
    /* **Collective.** Called with the net open; an output that it leaves open is removed. The error
     * is the same on all ranks. */
    bool (*run)(ls_forward *forward, ls_error *error);
} ls_forward_command;

struct ls_forward {
    const ls_forward_command *command;
    ls_forward_arguments arguments;
    ls_comm *comm;
    ls_saved saved;
    int stage;             /* whose objective is applied: --stage, else the last that has begun */
    const ls_split *split; /* the split that the command takes; NULL: all */
    ls_split_id split_id;
    ls_rowfile *file; /* the output, on rank 0; NULL on the others */
};

/* **Collective.** Does all that a subcommand does; returns its exit code. */
int ls_forward_main(const ls_forward_command *command, int argc, char **argv);

/* **Collective.** Takes another stage, and the parameters as it left them. The error is the same on
 * all ranks. */
bool ls_forward_take_stage(ls_forward *forward, int stage, ls_error *error);
/* Of a job of several stages ", by stage 2: rbm layer=dense3", else "". Into text[size]; returns
 * text. */
const char *ls_forward_stage_text(const ls_forward *forward, char *text, size_t size);

/* Which outputs are wanted, and what receives them. */
typedef struct ls_forward_outputs {
    ls_objective *objective; /* its outputs; NULL: those of a layer of a net */
    const ls_net *net;
    int layer;         /* its number in the net */
    ls_split_id split; /* the rows */
    /* Called on rank 0 for each chunk, in the order of the rows, with this struct and y [rows,
     * width]; it moves `row` on. */
    bool (*collect)(void *outputs, long rows, const real *y, ls_error *error);
    const void *context; /* for collect */
    long row;            /* number of the chunk's first row; 0 at first */
    /* ls_forward_rows sets these. */
    ls_rowfile *file;
    ls_workspace *workspace;
    uint64_t seed; /* of the job */
    long width;    /* numbers that are given for a row */
    long broken;   /* on rank 0: rows with one that is not finite */
} ls_forward_outputs;

/* **Collective.** Applies the objective, which this compiles, or the net to each row of the split.
 * The rows of a chunk depend on the nets only, so the outputs have the same bits on any number of
 * ranks. Says on stderr how many rows have outputs that are not finite. */
bool ls_forward_rows(ls_forward *forward, ls_forward_outputs *outputs, ls_error *error);

/* On rank 0: says on stderr that `what` ("the loss is") is not finite. */
void ls_forward_tell_broken(const ls_forward *forward, const char *what);

/* On rank 0: opens the output file; its attributes name checkpoint, step and data set. */
bool ls_forward_begin(ls_forward *forward, ls_error *error);
/* **Collective.** Closes the output file; true: the file is complete on the disk. */
bool ls_forward_finish(ls_forward *forward, ls_error *error);
/* On rank 0: print checkpoint, step, split and data set, or return them as a JSON object. */
void ls_forward_print(const ls_forward *forward);
json_t *ls_forward_json(const ls_forward *forward);
