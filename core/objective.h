/* objective: composes nets into what is minimised. It lists the phases of one step (a GAN's: train
 * the discriminator, then the generator), and for each phase computes the gradient of a shard. It
 * knows no ranks, files or optimizers. */
#pragma once
#include "core/loss.h"
#include "core/workspace.h"

enum {
    LS_PHASES = 8,
    LS_SUMS = 8,
    LS_METRICS = 12,
    LS_VIEWS = 8,
    LS_ROW_STATES = 4,
    LS_FIGURES = 8
};
enum { LS_SUM_WEIGHT = 0, LS_SUM_LOSS = 1 };

/* Sums over rows, of one phase: weight (rows, or the steps that count), loss, then whatever else
 * the objective's metrics are made of. */
typedef struct ls_sums {
    double at[LS_SUMS];
} ls_sums;

/* One kind of update in a step. No slot belongs to two phases. */
typedef struct ls_phase {
    const char *name; /* by which a job gives it an optimizer */
    ls_slots slots;   /* what it trains; task.train may leave nothing of it */
    int times;        /* updates in a row in each step, 1 or more */
    bool fresh_batch; /* each of them takes the next batch; else that of the update before */
} ls_phase;

/* A figure of a step, an epoch or an evaluation: the mean over its rows. */
typedef struct ls_metric {
    const char *name;
    int phase, sum;            /* at[sum] divided by at[LS_SUM_WEIGHT], of this phase's sums */
    bool lower;                /* smaller is better */
    double (*of)(double mean); /* what is shown of the mean; NULL: the mean itself */
    bool evaluated;            /* only evaluations have it: training does not compute its sum */
    /* Its mean over the evaluated rows less that over as many of the first training rows, by the
     * same parameters; 0 where the training rows themselves are evaluated. Only evaluations have
     * it. */
    bool gap;
    const char *beside; /* what training shows behind its value, to compare with; NULL: nothing */
} ls_metric;

/* Numbers that rows of the objective's own carry from step to step: persistent chains, the states
 * of streams. Cut by the shards as a batch is: of n rows shard i of S has
 * [i n / S, (i + 1) n / S). Kept in the checkpoint as /rows/NAME. */
typedef struct ls_row_state {
    const char *name; /* static; known to checkpoints, so it is declared where there are no rows */
    long rows, reals; /* of all ranks; reals of a row */
    /* The states of streams: row i of a batch must be what follows row i of the batch before, and
     * they begin anew with each epoch; else with the stage only. */
    bool streams;
} ls_row_state;
typedef struct ls_row_states {
    int count;
    ls_row_state at[LS_ROW_STATES];
} ls_row_states;

/* What the last `gradient` computed, for `check --dump` and `bench --profile`: an application of a
 * net, or numbers that the objective drew. */
typedef struct ls_view {
    const char *name;
    ls_workspace *run;   /* NULL: there are numbers */
    const real *numbers; /* [rows of the shard, shape] */
    ls_shape shape;
} ls_view;

/* Rows that an objective makes: samples of its prior, points on the line from the code of a row to
 * that of another, a square of codes of two numbers, or the states of chains of Gibbs sampling. */
typedef enum ls_generation_kind {
    LS_GENERATE_PRIOR = 1,
    LS_GENERATE_WALK = 2,
    LS_GENERATE_PLANE = 4,
    LS_GENERATE_CHAINS = 8
} ls_generation_kind;

typedef struct ls_generation {
    ls_generation_kind kind;
    long rows; /* in all */
    /* For a walk: two rows of the data, even where a chunk has one; for chains the rows that they
     * begin at; NULL: noise. */
    const ls_batch *given;
    long each;  /* of chains: rows of each, one after the other; the first is where it begins */
    long steps; /* of Gibbs sampling from row to row of a chain, or before a sample of the prior; 0:
                   the objective's own number */
} ls_generation;

/* How a model as a whole is estimated (a partition function by annealed importance sampling): by
 * so many draws, each over so many intermediate distributions (0: the objective's own number), and
 * whether from the model's end back to the base. */
typedef struct ls_estimate {
    long samples, temperatures;
    bool reverse;
    const ls_batch *given; /* the first training rows, 1 or more; NULL: the data has none */
} ls_estimate;

/* A number that such an estimate finds: the logarithm of Z, its error. */
typedef struct ls_figure {
    const char *name;
    double value;
} ls_figure;

/* What an objective is built over. */
typedef struct ls_task {
    ls_params *params;
    int nets;
    ls_net *const *net; /* borrowed: must stay as long as the objective */
    ls_shape x, y;      /* of a row of the data; y rank 0: one label */
    bool has_y;
    long classes; /* of the labels, of which y may hold one a step; 0: there are none */
    /* The rows are windows of a stream of tokens, each labelled with the tokens that follow its
     * own; an objective of streams gets batches of so many. 0: they are not. */
    long streams;
    const char
        *advice; /* how targets that look like labels become labels; NULL or "": they do not */
    const char *train; /* patterns of the slots that may change (params.h); NULL: all */
    bool inference;    /* the nets will only be applied: the data needs no targets */
    bool lengths;      /* rows are sequences of unequal length (ls_batch.length) */
} ls_task;

typedef struct ls_objective ls_objective;
struct ls_optimizer;
/* What an objective knows of trainings that go wrong. */
typedef struct ls_objective_advice {
    /* What the metrics' values tell: "the discriminator is constant". Returns NULL where all is
     * well. NULL: nothing is known. */
    const char *(*trouble)(const ls_objective *objective, const double *value);
    /* What can hardly be meant in a stage of so many epochs with these optimizers, one a phase: a
     * sentence into text[size]; "" where nothing is. NULL: nothing is known. */
    void (*doubt)(const ls_objective *objective, double epochs,
                  const struct ls_optimizer *optimizer, char *text, size_t size);
} ls_objective_advice;

typedef struct ls_objective_type {
    const char *name, *help;
    size_t size;              /* of the private struct */
    const ls_option *options; /* into it */
    /* Names of options that may change while a stage runs, NULL-terminated; NULL: none may. */
    const char *const *adjustable;
    bool lengths; /* it takes rows that are sequences of unequal length */
    /* Checks that nets and data fit (LS_USAGE, LS_DATA); fills in phases, metrics, and what the
     * outputs are. */
    bool (*setup)(ls_objective *objective, ls_error *error);
    /* Makes workspaces for up to so many rows of a shard and of an evaluation chunk (0: none). */
    void (*compile)(ls_objective *objective, long shard_rows, long chunk_rows);
    /* The bytes that these take. */
    size_t (*bytes)(const ls_objective *objective, long shard_rows, long chunk_rows);
    /* The operations of a step for each row of a batch, of which a multiply-add counts 2: those of
     * its products, for a guess of its time. */
    double (*flops)(const ls_objective *objective);
    /* *Overwrites* the phase's slots in pass->gradient with the shard's sums; fills *sums. Without
     * pass->gradient: forward and sums alone, so that the views hold what forward computed. */
    void (*gradient)(ls_objective *objective, int phase, const ls_batch *shard, const ls_pass *pass,
                     ls_sums *sums);
    /* Sums over the rows, sums[phases], without gradients; sums NULL: only the outputs are wanted,
     * and no targets are read. Returns the outputs [rows, objective->output], owned by the
     * objective; NULL: it has none. */
    const real *(*evaluate)(ls_objective *objective, const ls_batch *rows, const ls_pass *pass,
                            ls_sums *sums);
    /* Fills x[n, task.x] with rows pass->row and following of a generation; n is at most the chunk
     * of compile. The calls of a generation have the same `what`, and come in the order of the
     * rows, with or without gaps. A row is a function of seed, its number and the parameters (with
     * the instruction set blas its last bits are of its chunk too; chunks are fixed, so any number
     * of ranks makes the same). NULL: makes none. */
    void (*generate)(ls_objective *objective, const ls_pass *pass, const ls_generation *what,
                     long n, real *x);
    /* Fills data[n, reals of the row state] with the first values of its rows first, first + 1,
     * ...: a function of seed and row, so it needs no compile. NULL: there are no row states. */
    void (*begin_rows)(ls_objective *objective, int state, uint64_t seed, long first, long n,
                       real *data);
    /* Estimates of the model as a whole, before `assess`. The draws that this one takes; 0: none
     * are needed (it is computed exactly); -1 and an error: there is no such estimate. NULL for all
     * three: assess stands by itself. */
    long (*draws)(const ls_objective *objective, const ls_estimate *how, ls_error *error);
    /* Fills result[n] with draws first, first + 1, ... of these: each a function of seed, its
     * number and the parameters, and in the last bits of its chunk, as in `generate`; n is at most
     * ls_objective_chunk. */
    void (*draw)(ls_objective *objective, const ls_pass *pass, const ls_estimate *how, long first,
                 long n, double *result);
    /* result[n]: all draws, in order, the same on every rank. Fills figures[LS_FIGURES] and returns
     * how many there are; what assess needs of them stays in the objective. */
    int (*conclude)(ls_objective *objective, const ls_estimate *how, long n, const double *result,
                    ls_figure *figures);
    /* For `evaluate --samples`: estimate[rows] gets the log-likelihood of each row in nats, by so
     * many draws. NULL: there is no such estimate. */
    void (*assess)(ls_objective *objective, const ls_batch *rows, const ls_pass *pass, long draws,
                   double *estimate);
    ls_objective_advice advice;
    void (*destroy)(ls_objective *objective);
} ls_objective_type;

/* What the outputs of its nets are taken for. */
typedef struct ls_outputs {
    const ls_net *logits; /* the net whose outputs are logits or scores, any numbers; NULL: none */
    const ls_net *rows;   /* the net whose outputs are rows of the data as they are; NULL: none */
    bool rebuilds;        /* evaluate gives the data's rows as rebuilt from their codes */
    long steps;           /* of a row, each with outputs of its own; 0: it has no steps */
    bool units;           /* evaluate gives means of units within a net, which stand for no class */
} ls_outputs;

struct ls_objective {
    const ls_objective_type *type;
    ls_task task;
    void *self;
    int phases;
    ls_phase phase[LS_PHASES];
    ls_slots frozen; /* of the phases, but task.train leaves them out */
    int metrics;
    ls_metric metric[LS_METRICS]; /* the first, which training has, is shown first */
    ls_row_states row_states;
    int judged;      /* the metric that decides what is best, unless a job names one; -1: none */
    bool takes_y;    /* it needs the data's targets */
    ls_shape output; /* of a row of evaluate's outputs */
    const ls_meaning *meaning; /* of the outputs */
    long classes;              /* that the outputs stand for, where rows have labels; 0: none */
    ls_outputs outputs;
    int generates;                         /* the ls_generation_kinds that it can make, or-ed */
    const ls_target_rule *x_rule, *y_rule; /* of the data's numbers and targets; NULL: any do */
    int views;
    ls_view view[LS_VIEWS]; /* after a compile with shard_rows */
};

extern const ls_objective_type *const ls_objective_types[]; /* NULL-terminated */
/* `text`: "supervised loss=cross-entropy". NULL: an error. Free with ls_objective_destroy. */
ls_objective *ls_objective_create(const char *text, const ls_task *task, ls_error *error);
void ls_objective_destroy(ls_objective *objective);
/* Whether a stage that began with the first text may go on with the second: both are of one type,
 * and differ in options that may change while it runs. */
bool ls_objective_continues(const char *before, const char *now);
/* For setup: the net of this name. NULL and an LS_USAGE error if the model has none, or if it has
 * parameters that no gradient reaches. */
ls_net *ls_objective_net(const ls_objective *objective, const char *name, ls_error *error);
/* For setup: whether the net takes rows of the data, of whatever shape, if the numbers are as many;
 * and whether it makes rows that fit the data's. Else an LS_USAGE error with both shapes. */
bool ls_objective_takes(const ls_objective *objective, const ls_net *net, ls_error *error);
bool ls_objective_makes(const ls_objective *objective, const ls_net *net, ls_error *error);
/* For compile: adds a view of a run, or of numbers (shape not NULL). */
void ls_objective_view_run(ls_objective *objective, const char *name, ls_workspace *run);
void ls_objective_view_numbers(ls_objective *objective, const char *name, const real *numbers,
                               const ls_shape *shape);
/* Zeroes the phase's slots of a gradient array: for the start of `gradient`. */
void ls_objective_zero(const ls_objective *objective, int phase, real *gradient);
/* Whether it goes along streams (ls_row_state). */
bool ls_objective_streams(const ls_objective *objective);
/* The batches that a step takes. */
int ls_objective_batches(const ls_objective *objective);
/* The value of metric k by sums[phases]. */
double ls_objective_value(const ls_objective *objective, int k, const ls_sums *sums);
/* The number of the metric called so; -1: there is none. */
int ls_objective_metric(const ls_objective *objective, const char *name);
/* The number of the first metric that is a gap; -1: none is. */
int ls_objective_gap(const ls_objective *objective);
/* The parts of a row that have outputs, and labels, of their own: its steps, or 1. */
long ls_objective_steps(const ls_objective *objective);
/* Rows of an evaluation chunk: a function of the nets only, so that evaluation gives the same
 * bits on any rank count. */
long ls_objective_chunk(const ls_objective *objective);
