/* objective: composes nets into what is minimised. It lists the phases of one step (a GAN's: train
 * the discriminator, then the generator), and for each phase computes the gradient of a shard. It
 * knows no ranks, files or optimizers. */
#pragma once
#include "core/loss.h"
#include "core/workspace.h"

enum { LS_PHASES = 8, LS_SUMS = 8, LS_SUM_WEIGHT = 0, LS_SUM_LOSS = 1, LS_SUM_METRICS = 2 };

/* Sums over rows: weight (rows, or unmasked tokens), loss, then the objective's metrics in the
 * order of its names. Loss and metrics are reported divided by the weight. */
typedef struct ls_sums {
    double at[LS_SUMS];
} ls_sums;

typedef struct ls_phase {
    const char *name;
    ls_slots slots;   /* what it trains */
    bool fresh_batch; /* takes the next batch; else that of the phase before */
} ls_phase;

/* What an objective is built over. */
typedef struct ls_task {
    ls_params *params;
    int nets;
    ls_net *const *net; /* borrowed: must stay as long as the objective */
    ls_shape x, y;      /* of a row of the data; y rank 0: class labels */
    bool has_y;
    long classes; /* of the labels; 0: there are none */
    const char
        *advice;    /* how targets that look like labels become labels; NULL or "": they do not */
    bool inference; /* the nets will only be applied: the data needs no targets */
} ls_task;

typedef struct ls_objective ls_objective;
typedef struct ls_objective_type {
    const char *name, *help;
    size_t size;              /* of the private struct */
    const ls_option *options; /* into it */
    /* Checks that nets and data fit (LS_USAGE, LS_DATA), fills objective->phase and ->metrics. */
    bool (*setup)(ls_objective *objective, ls_error *error);
    /* Makes workspaces for up to so many rows of a shard and of an evaluation chunk (0: none). */
    void (*compile)(ls_objective *objective, long shard_rows, long chunk_rows);
    /* The bytes that these take. */
    size_t (*bytes)(const ls_objective *objective, long shard_rows, long chunk_rows);
    /* *Overwrites* the phase's slots in pass->gradient with the shard's sums; fills *sums. */
    void (*gradient)(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums);
    /* Sums over the rows, without gradients. Returns the outputs [rows, *width], owned by the
     * objective. */
    const real *(*evaluate)(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums, long *width);
    void (*destroy)(ls_objective *objective);
} ls_objective_type;

struct ls_objective {
    const ls_objective_type *type;
    ls_task task;
    void *self;
    int phases;
    ls_phase phase[LS_PHASES];
    const ls_net *answers;      /* the net whose output answers for a row of the data, ... */
    const ls_meaning *meaning;  /* ... and what that output means */
    const ls_target_rule *rule; /* of the data's vector targets; NULL: any numbers will do */
    const char *metrics[LS_SUMS - LS_SUM_METRICS + 1]; /* names, NULL-terminated */
    ls_workspace *training; /* of the net that answers, for `bench --profile` */
};

extern const ls_objective_type *const ls_objective_types[]; /* NULL-terminated */
/* `text`: "supervised loss=cross-entropy". NULL: an error. Free with ls_objective_destroy. */
ls_objective *ls_objective_create(const char *text, const ls_task *task, ls_error *error);
void ls_objective_destroy(ls_objective *objective);
/* For setup: the net of this name; NULL and an LS_USAGE error if the model has none. */
ls_net *ls_objective_net(const ls_objective *objective, const char *name, ls_error *error);
/* Zeroes the phase's slots of a gradient array: for the start of `gradient`. */
void ls_objective_zero(const ls_objective *objective, int phase, real *gradient);
/* Rows of an evaluation chunk: a function of the nets only, so that evaluation gives the same
 * bits on any rank count. */
long ls_objective_chunk(const ls_objective *objective);
