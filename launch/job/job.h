/* job: what to train, on what, how: the options of a training run as a plain struct.
 *
 * A job comes from a file (launch/job/yaml/job_file.h, part of the program), from a checkpoint
 * or from a C program, which fills the struct by name and lets ls_job_create complete it
 * (job_read.h). What each key means, its range and default stand in one table, job_keys.c. */
#pragma once
#include "core/check.h"
#include "core/model.h"
#include "core/objective.h"

/* "1 epoch", "2 epochs", "500 steps", "10 minutes", "never". */
typedef enum {
    LS_EVERY_UNSET, /* takes the default, 1 epoch */
    LS_EVERY_NEVER,
    LS_EVERY_EPOCHS,
    LS_EVERY_STEPS,
    LS_EVERY_MINUTES
} ls_every_unit;
typedef struct ls_every {
    ls_every_unit unit;
    double count;
} ls_every;

typedef struct ls_job_optimizer {
    const char *phase; /* of the objective; NULL: every phase */
    const char *spec;  /* "momentum rate=0.05" */
} ls_job_optimizer;

/* Spec lines of a net of the job's own. */
typedef struct ls_job_net {
    const char *name, *lines;
} ls_job_net;

/* What is NULL or 0 is taken from the model's default stages (job_stages.h). */
typedef struct ls_job_stage {
    const char *objective; /* "supervised loss=cross-entropy" */
    ls_job_optimizer optimizer[LS_PHASES];
    int optimizers;
    const char *schedule; /* "cosine warmup=1" */
    const char *train;    /* patterns of the slots that may change (core/slots.h); NULL: all */
    const char *sampling; /* shuffle (NULL), balanced, weights: how rows are drawn */
    long bucket;          /* batches whose rows are sorted by length together; 0: none are */
    long rows;            /* takes only the first training rows; 0: all */
    long batch;           /* rows over all ranks */
    long epochs, steps;   /* one of them */
} ls_job_stage;

typedef struct ls_job_evaluate {
    ls_every every;
    const char *split;
    long stop_after;    /* evaluations without a better one; 0: never stop early */
    const char *metric; /* NULL: the objective's own choice */
    double gap;   /* a stage ends where a metric that is a gap exceeds this; 0: never for that */
    long average; /* 0 or 1: judge the moving average of the weights (optimizer's ema=) */
} ls_job_evaluate;

typedef struct ls_job_checkpoint {
    ls_every every;
    long keep;
} ls_job_checkpoint;

/* Pictures of what the objective makes, during training. */
typedef struct ls_job_samples {
    ls_every every;
    long rows; /* made each time, 1 to LS_JOB_SAMPLES */
} ls_job_samples;
enum { LS_JOB_SAMPLES = 4096 };

enum { LS_JOB_STAGES = 256 };

typedef struct ls_job {
    const char *path; /* of the job file, or what stands for it in messages */
    const char *data, *run;
    const char *model, *net;        /* one of them; net: spec lines of the only net, "net" */
    ls_job_net nets[LS_MODEL_NETS]; /* the first with names: in place of `net`, or beside `model`,
                                       of whose nets they replace those of the same names */
    const char *transform; /* lines: what is done to each row of x (io/transform.h); or NULL */
    long unroll;           /* steps of a row, where x are streams of tokens; 0: x has rows */
    long exact_conv;       /* 0 or 1: no Winograd */
    long seed;
    long shards;     /* 0: the rank count of the first start, times accumulate */
    long accumulate; /* shards a rank at the first start; 0: 1 */
    long split;      /* 0: the shards are halved along the tree of the sum; 1: evenly */
    int stages;
    ls_job_stage *stage;
    ls_job_evaluate evaluate;
    ls_job_checkpoint checkpoint;
    ls_job_samples samples;
    struct ls_job_entries *entries; /* where each key stood; private; NULL: not known */
} ls_job;

/* Where the value of a key came from. */
typedef enum { LS_FROM_DEFAULT, LS_FROM_FILE, LS_FROM_COMMAND_LINE } ls_origin;

/* Frees a job that ls_job_create, ls_job_from_json, ls_job_load or ls_job_parse made. NULL is
 * allowed. */
void ls_job_destroy(ls_job *job);
/* Sets one key from its text, as a job file has it: ls_job_set(job, "stages.0.batch", "64", error).
 * The text is copied. Not for `optimizer` and `nets`. LS_USAGE errors that say what the key
 * expects. */
bool ls_job_set(ls_job *job, const char *key, const char *text, ls_error *error);

/* Where a key stood, to begin a message about its value: "lenet.yaml:12:14: stages.0.optimizer",
 * "command line: batch", "lenet.yaml: batch (default)". Into text[size]; returns text. A phase's
 * optimizer is "stages.0.optimizer.generator", a net's lines "nets.generator". */
const char *ls_job_where(const ls_job *job, const char *key, char *text, size_t size);
/* Whether the key came from the file, from the command line, or is a default. */
ls_origin ls_job_origin(const ls_job *job, const char *key);
