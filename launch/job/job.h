/* job: the job file: YAML with a strict schema, and the same keys as key=value on the command line.
 */
#pragma once
#include "core/check.h"
#include "core/model.h"
#include "core/objective.h"

/* "1 epoch", "2 epochs", "500 steps", "10 minutes". */
typedef enum { LS_EVERY_NEVER, LS_EVERY_EPOCHS, LS_EVERY_STEPS, LS_EVERY_MINUTES } ls_every_unit;
typedef struct ls_every {
    ls_every_unit unit;
    double count;
} ls_every;

typedef struct ls_job_optimizer {
    char *phase; /* NULL: every phase */
    char *spec;  /* "momentum rate=0.05" */
} ls_job_optimizer;

typedef struct ls_job_stage {
    char *objective;                       /* "supervised loss=cross-entropy" */
    ls_job_optimizer optimizer[LS_PHASES]; /* a mapping phase: spec, or one spec */
    int optimizers;
    char *schedule;     /* "cosine warmup=1" */
    long batch;         /* rows over all ranks */
    long epochs, steps; /* one of them; 0: not given */
} ls_job_stage;

typedef struct ls_job_evaluate {
    ls_every every;
    char *split;
    long stop_after; /* evaluations without a better one; 0: never stop early */
    char *metric;    /* NULL: the objective's own choice */
    long average;    /* 0 or 1: of the moving average of the weights (an optimizer's ema=) */
} ls_job_evaluate;

typedef struct ls_job_checkpoint {
    ls_every every;
    long keep;
} ls_job_checkpoint;

typedef struct ls_job {
    char *path; /* of the job file, or what stands for it in messages */
    char *data, *run;
    char *model, *net; /* one of them; net: spec lines */
    char *transform;   /* lines: what is done to each row of x (io/transform.h); NULL: nothing */
    long exact_conv;   /* 0 or 1: no Winograd */
    long seed;
    long shards;     /* 0: the rank count of the first start, times accumulate */
    long accumulate; /* shards a rank at the first start; 0: 1 */
    int stages;
    ls_job_stage *stage;
    ls_job_evaluate evaluate;
    ls_job_checkpoint checkpoint;
    struct ls_yaml *tree; /* where each key stood; private */
} ls_job;

/* Reads the file and applies the overrides, strings "key=value" with dotted keys
 * (stages.1.batch=64; stages count from 0; the keys of a single stage also without stages.0), the
 * last given wins. Keys left out take defaults (run runs/NAME, seed 1, evaluate every epoch on
 * valid, checkpoint every epoch, keep 3); what a stage leaves out stays NULL or 0 until
 * ls_job_defaults. LS_USAGE errors with file, line, column, key and the nearest known key; for
 * overrides: "command line". Paths are as written, relative to the working directory. Free with
 * ls_job_destroy. */
ls_job *ls_job_load(const char *path, char *const *overrides, int count, ls_error *error);
/* From the text that ls_job_text wrote (a checkpoint's job); `where` stands for the file in
 * messages. */
ls_job *ls_job_parse(const char *text, const char *where, ls_error *error);
void ls_job_destroy(ls_job *job);
/* What the stages leave out, from the model's recipe; `recipe` NULL: supervised cross-entropy,
 * momentum, a constant rate, batches of 128, 10 epochs. Called once the model is known. */
void ls_job_defaults(ls_job *job, const ls_recipe *recipe);
/* Where a key stood, for messages about its value: "lenet.yaml:12:14: stages.0.optimizer", "command
 * line: batch", "lenet.yaml: batch (default)". Into text[size]; returns text. A phase's optimizer
 * is "stages.0.optimizer.generator". */
const char *ls_job_where(const ls_job *job, const char *key, char *text, size_t size);
/* The job as YAML, every key written out; ls_job_parse reads it back to the same job. Free with
 * ls_free. */
char *ls_job_text(const ls_job *job);
/* May a run begun as `before` go on as `now`, in stage `stage`? model, net, seed may not change,
 * nor the stages done, nor the running stage's objective and kinds of optimizer; its rate, schedule
 * and batch may, and all of later stages, each with a line to `notice` (NULL: nobody listens);
 * epochs, steps, shards, evaluate, checkpoint, run, data path freely. Both with ls_job_defaults
 * done. LS_USAGE errors that name the key, both values and what to do. */
bool ls_job_compatible(const ls_job *before, const ls_job *now, long stage,
                       void (*notice)(void *context, const char *text), void *context,
                       ls_error *error);
