/* trainer: what a training run holds: the session, the sums of gradients, where it stands, and what
 * rank 0 writes. train.c is the loop over it. */
#pragma once
#include "dist/reduce.h"
#include "io/checkpoint/checkpoint_writer.h"
#include "io/loader.h"
#include "io/rundir.h"
#include "launch/session/session.h"
#include "launch/train/progress.h"

enum { LS_SUM_ORDER_LEVELS = 24 };

typedef struct ls_train_options {
    const char *resume;  /* auto, required, never, or a path */
    const char *weights; /* parameters to start from; NULL: drawn */
    bool overwrite, dry_run;
    int threads;        /* of a rank */
    double max_seconds; /* 0: no limit */
} ls_train_options;

typedef struct ls_trainer {
    ls_session session;
    ls_comm *comm;
    ls_job *job;
    const ls_train_options *options;

    ls_position state;           /* where the run stands: the same on every rank */
    char *job_text;              /* the job as checkpoints hold it */
    ls_checkpoint_arrays arrays; /* the optimizer state that checkpoints hold */
    ls_reduce *reduce;
    ls_shared *memory[LS_OPTIMIZER_STATES]; /* optimizer state, the node's one copy */
    bool keeps[LS_OPTIMIZER_STATES];        /* which of it any stage needs */
    int states;                             /* how many of these */
    double *gradient2, *value2;             /* [slots] norms, as ls_update says */
    int first_shard, end_shard;             /* this rank's */
    real
        *level[LS_SUM_ORDER_LEVELS]; /* gradient arrays for the tree over own shards; 0: reduce's */

    /* The stage that runs. */
    ls_objective *objective;
    ls_optimizer optimizer[LS_PHASES];
    real *optimizer_state[LS_OPTIMIZER_STATES]; /* NULL: this stage keeps none of it */
    ls_slots every_slot;                        /* the average is over all, statistics included */
    ls_schedule schedule;
    ls_loader *feed;
    long steps, steps_per_epoch;

    /* Rank 0 only; NULL elsewhere. */
    ls_rundir *run;
    ls_checkpoint *checkpoint; /* to go on from: open until it is loaded */
    char *resumed;             /* its path; NULL: the run starts anew */
    ls_checkpoint_writer *writer;
    ls_progress *progress;

    /* Since the epoch began, and since the last record of metrics.jsonl. */
    ls_sums epoch_sums, record_sums;
    double start, record_start, record_rows, record_waited, saved,
        evaluated; /* seconds on the clock */
    double rate;   /* of the last update, after the schedule */
    double rows_per_second;
    double stage_start, stage_rows; /* since this start, for samples a second and the time left */
    long stage_first;
    double evaluation_start;
    bool time_up; /* on rank 0: --max-time is over */
    bool sums;    /* layers sum over the ranks within a pass */
} ls_trainer;

/* **Collective.** Opens session and run directory, resumes or starts; the error is the same on all
 * ranks. Close with ls_trainer_close in either case. */
bool ls_trainer_open(ls_trainer *trainer, ls_comm *comm, ls_job *job,
                     const ls_train_options *options, ls_error *error);
void ls_trainer_close(ls_trainer *trainer); /* **Collective.** */
/* **Collective.** The stage of trainer->state: objective, optimizers, feed. */
bool ls_stage_open(ls_trainer *trainer, ls_error *error);
/* **Collective.** Before its first step here: a fresh optimizer where the stage begins; the feed
 * reads ahead. */
void ls_stage_start(ls_trainer *trainer);
void ls_stage_close(ls_trainer *trainer);

/* Runs this rank's shards of `batch` (NULL: it could not be read) in tree order into level 0; fills
 * *sums with theirs. **Collective** where layers sum over the ranks. */
void ls_stage_gradient(ls_trainer *trainer, int phase, const ls_batch *batch, ls_step_sums *sums);
/* **Collective** over the node. One optimizer step over this rank's slice of the phase's slots,
 * from the summed gradient and its norms. */
void ls_stage_update(ls_trainer *trainer, int phase, double weight);

/* **Collective.** Evaluates (the average, where the job says so), keeps best.h5, and says whether
 * the stage should end early. */
bool ls_stage_evaluate(ls_trainer *trainer, bool *stop_early, ls_error *error);
/* Rows of an evaluation chunk; 0 where the job has no evaluation. */
long ls_stage_chunk(const ls_job *job, const ls_objective *objective);
/* Which of an objective's sums decides what is best: the job's metric, else the objective's first,
 * else the loss; -1 where it has no such metric. */
int ls_stage_judged_sum(const ls_job *job, const ls_objective *objective);
/* Whether the stage at hand has gone on for evaluate.stop_after evaluations without a better one.
 */
bool ls_stage_patience_over(const ls_trainer *trainer);
/* **Collective.** Rank 0 takes a copy, which a thread writes while training goes on; a failure is
 * told by the next call, or by the wait at the end. */
bool ls_stage_save(ls_trainer *trainer, ls_error *error);

/* resume.c: **Collective.** Takes the run directory and reads where the run stands (fills state),
 * if anywhere. */
bool ls_resume_find(ls_trainer *trainer, ls_error *error);
/* resume.c: **Collective.** Loads parameters and optimizer state of what ls_resume_find found, or
 * --weights. */
bool ls_resume_load(ls_trainer *trainer, ls_error *error);

/* plan.c: the last stage is done, or stopped early. */
bool ls_plan_is_complete(const ls_trainer *trainer);
/* What a person sees before the first step; memory a rank and a node, checkpoint size. Rank 0. */
void ls_plan_print_start(const ls_trainer *trainer, FILE *out);
void ls_plan_print(const ls_trainer *trainer, FILE *out);

/* report.c: progress and metrics.jsonl. Rank 0 (the others return at once). */
void ls_report_step(ls_trainer *trainer, const ls_sums *sums);
void ls_report_evaluation(ls_trainer *trainer, const ls_sums *sums);
void ls_report_stage(ls_trainer *trainer, const char *how);
void ls_report_line(ls_trainer *trainer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
