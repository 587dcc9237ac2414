/* saved: a session with the parameters of a checkpoint, or of a file of weights: for commands that
 * apply a trained net. */
#pragma once
#include "io/checkpoint/checkpoint.h"
#include "launch/session/session.h"

typedef enum { LS_SAVED_BEST, LS_SAVED_AVERAGE } ls_saved_weights;

typedef struct ls_saved_request {
    const char *from; /* a run directory or a checkpoint; with `file` a job file too */
    const char *file; /* of parameters (launch/weights), in place of those saved; NULL: none */
    const char *data; /* in place of the job's data set; NULL: the job's */
    /* BEST: the weights; of a directory those of best.h5, unless a later stage has sought the best
     * anew and has none yet, else of the newest valid checkpoint.
     * AVERAGE: the moving average of the weights; of a directory that in the newest one. */
    ls_saved_weights weights;
    /* No data set is opened: a row of zeros stands for it, of the shape that the checkpoint keeps,
     * beside a job file that in `file`. Where it keeps none, the data set is opened. */
    bool without_data;
    bool stage_follows; /* ls_saved_take_stage does: it tells what is taken in the end */
    /* Reads the job that the file holds, `where` is its path; NULL: ls_job_from_json. */
    ls_job *(*read_job)(const char *text, const char *where, ls_error *error);
    void (*notice)(void *context, const char *text); /* a file that was passed over, and why */
    void *context;
} ls_saved_request;

typedef struct ls_saved {
    char path[4096]; /* of the file that the parameters are of */
    long step;       /* after which it was saved; 0: the file does not say */
    long stage;      /* the last that had done a step by then */
    ls_job *job;
    ls_session session;
    ls_vocabulary *vocabulary; /* that the file holds, else of the data; NULL: none */
    ls_checkpoint *checkpoint; /* on rank 0, until it is loaded */
    ls_dataset *stand_in;      /* for the data set, with its row; NULL: the data set is open */
    char *trained_on; /* on rank 0: ls_dataset_describe of the data trained on; NULL: not known */
    real *row;
    int32_t length; /* of that row, in steps, where rows have lengths */
} ls_saved;

/* **Collective.** Builds the nets of a saved job and loads their parameters. The error is the same
 * on all ranks. Close with ls_saved_close whether this succeeds or fails. */
bool ls_saved_open(ls_saved *saved, ls_comm *comm, const ls_saved_request *request,
                   ls_error *error);
/* **Collective.** Takes the parameters as this stage left them to the next, from stage-N.h5 of the
 * run directory. Leaves all as it is where a file was named, or the average is wanted, or there is
 * no stage-N.h5: with a notice, if what was loaded is of a later stage, or of an earlier one. */
bool ls_saved_take_stage(ls_saved *saved, const ls_saved_request *request, int stage,
                         ls_error *error);
void ls_saved_close(ls_saved *saved); /* **Collective.** */
