/* trainer: a training run: what it holds, and how it is opened and closed. trainer_run.h trains.
 *
 *     ls_trainer trainer;
 *     if (ls_trainer_open(&trainer, comm, job, &options, &error))
 *         outcome = ls_trainer_run(&trainer, &error);
 *     ls_trainer_close(&trainer);
 */
#pragma once
#include "dist/reduce.h"
#include "io/loader.h"
#include "launch/train/carry.h"
#include "launch/train/report.h"
#include "launch/train/samples.h"
#include "launch/train/shards.h"
#include "launch/train/snapshot.h"
#include "launch/train/states.h"

/* How to train. {0} means: from the run's newest checkpoint, if it has one, on one thread a rank,
 * without a listener. */
typedef struct ls_train_options {
    const char *resume;  /* auto (NULL), required, never, or a path */
    const char *weights; /* a file of parameters to start from; NULL: they are drawn */
    const char *except;  /* patterns of slots that are drawn all the same; NULL: none */
    bool overwrite;      /* with never or a path: remove what an earlier run wrote */
    bool dry_run;        /* the trainer is opened for checks and ls_plan only; nothing is written */
    bool no_files;       /* no run directory: nothing is written, and nothing resumed */
    int threads;         /* of a rank; 0: 1 */
    const char *timeline; /* a file that gets a trace of what the ranks did; NULL: none */
    double max_seconds;   /* then the run stops with a checkpoint; 0: no limit */
    ls_dataset *data;     /* in place of the job's data set, borrowed; NULL: the job's */
    ls_listener listener;
    /* Reads the job that a checkpoint holds, `where` is its path; NULL: ls_job_from_json. */
    ls_job *(*read_job)(const char *text, const char *where, ls_error *error);
} ls_train_options;

typedef struct ls_trainer {
    ls_comm *comm;
    ls_train_options options;
    ls_session session;
    ls_position position; /* where the run stands: the same on every rank */
    ls_shards shards;
    ls_states states;
    ls_carry carry;       /* of the stage that runs */
    ls_snapshot snapshot; /* with no_files: zeros */
    ls_loader *loader;    /* of the stage that runs; NULL: none does */
    ls_report report;
    ls_reduce *reduce;
    struct {
        double *gradient, *value; /* [slots] squared norms: gradient2 and value2 of ls_update */
    } norm2;
    ls_every evaluate;         /* the job's; never, where the data has no rows to judge by */
    char *job_text;            /* the job as checkpoints hold it */
    ls_checkpoint *checkpoint; /* on rank 0: the one to go on from, until it is loaded */
    char *resumed;             /* its path; NULL: the run starts anew */
    ls_rundir *run;            /* on rank 0; NULL on the others, and with no_files */
    ls_samples samples;
    struct {
        double saved, evaluated; /* when the last checkpoint and evaluation were: ls_clock_now() */
    } last;
    struct {
        long step;    /* that this start goes on from */
        bool time_up; /* max_seconds are over */
        bool cut;     /* rows are cut into other streams than those of the checkpoint */
        bool clears;  /* what an earlier run wrote is removed, once nothing refuses this one */
        bool once;    /* given again, --resume would be refused: the run has gone on by then */
    } first;          /* on rank 0 */
} ls_trainer;

/* **Collective.** Opens session and run directory, checks job and data, finds and loads the
 * checkpoint to go on from or draws the first parameters. `job` (borrowed) gets its defaults. The
 * error is the same on all ranks. Close with ls_trainer_close whether this succeeds or fails. The
 * trainer holds pointers into itself: it stays where it was opened. */
bool ls_trainer_open(ls_trainer *trainer, ls_comm *comm, ls_job *job,
                     const ls_train_options *options, ls_error *error);
void ls_trainer_close(ls_trainer *trainer); /* **Collective.** */
/* Whether the last stage is done, or was stopped early, and nothing is to be evaluated. */
bool ls_trainer_complete(const ls_trainer *trainer);

/* The stage that runs. */
ls_session_stage *ls_trainer_stage(const ls_trainer *trainer);
/* What hears of the time that this rank spends on the parts of a step. */
const ls_watch *ls_trainer_watch(const ls_trainer *trainer);
/* Tells the watchdogs what this rank does from here on; `phase` -1: between two steps. */
void ls_trainer_note(const ls_trainer *trainer, ls_activity activity, int phase);
/* Waits until the newest checkpoint is written. A write that failed because the run directory is no
 * longer this job's is told as that. */
bool ls_trainer_check_written(const ls_trainer *trainer, ls_error *error);
