/* session: a job made ready to run: the data set is open, the nets are built, the specs of its
 * stages are parsed, and the parameters are placed in the node's memory. */
#pragma once
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "dist/shared.h"
#include "io/sampler.h"
#include "launch/job/job.h"

/* A stage of the job with its specs parsed. */
typedef struct ls_session_stage {
    ls_objective *objective;           /* the user compiles it; freed by ls_session_close */
    ls_optimizer optimizer[LS_PHASES]; /* of each phase of the objective */
    ls_schedule schedule;
    ls_sampler *sampler;         /* of a run that trains, freed by ls_session_close; or NULL */
    long rows;                   /* that an epoch takes of the training rows: the first ones */
    long steps;                  /* of the whole stage */
    long batches, epoch_batches; /* of a step and of an epoch */
} ls_session_stage;

typedef struct ls_session {
    ls_comm *comm;    /* borrowed */
    ls_job *job;      /* borrowed; complete, as ls_job_create makes it */
    ls_dataset *data; /* borrowed or the session's own */
    ls_dataset *own_data;
    char advice[512]; /* of ls_dataset_advise, for the task */
    char *data_text;  /* ls_dataset_describe: the same on all ranks */
    ls_params *params;
    ls_net *net[LS_MODEL_NETS];
    ls_task task;
    ls_session_stage *stage;      /* [job->stages]; NULL before a stage is parsed */
    ls_shared *values, *prepared; /* the node's one copy */
} ls_session;

/* **Collective.** Opens the job's data set, or takes `data` (borrowed; NULL: the job's) in its
 * place with the job's transforms, and builds the nets, without memory for parameters. The error is
 * the same on all ranks; it is one too if the ranks were given different programs, jobs or data.
 * Close with ls_session_close whether this succeeds or fails. */
bool ls_session_open(ls_session *session, ls_comm *comm, ls_job *job, ls_dataset *data,
                     ls_error *error);
/* The spec lines of all nets over rows of the shape x: the job's own, and the model's where it has
 * one; to be released. */
bool ls_session_write_nets(const ls_session *session, const ls_shape *x, ls_model_nets *nets,
                           ls_error *error);
/* The job's key that describes the net: "nets.generator", "net" or "model", into text[size];
 * returns text. */
const char *ls_session_net_key(const ls_session *session, const char *net, char *text, size_t size);
/* Whether rows look like pictures with their channels first, as PyTorch has them. */
bool ls_session_channels_first(const ls_session *session);
#define LS_SESSION_CHANNELS_FIRST                                                                  \
    "if it is channels first (PyTorch's order), `lockstep import h5 IN.h5 -o NEW.h5 "              \
    "--channels-first` stores rows as height, width, channels"
/* **Collective.** Fills session->stage: parses every spec of every stage, and checks that
 * objectives and optimizers fit nets and data. The error is the same on all ranks. */
bool ls_session_parse_stages(ls_session *session, ls_error *error);
/* **Collective.** The same for one stage; session->stage has no objective for the others. */
bool ls_session_parse_stage(ls_session *session, int number, ls_error *error);
/* Where a step takes several batches, an epoch may end within a step, and the last step of a stage
 * may take batches of one more epoch. All of this for a stage of the session: the steps that take
 * the batches of so many epochs, of an epoch (which need not be a whole number), the epochs that
 * are complete after so many steps, and whether step `step` (from 1) completed one. */
long ls_session_steps(const ls_session_stage *stage, long epochs);
/* The batches of an epoch of so many rows. */
long ls_session_epoch_batches(const ls_session_stage *stage, long rows, long batch);
double ls_session_steps_per_epoch(const ls_session_stage *stage);
long ls_session_epochs(const ls_session_stage *stage, long steps);
bool ls_session_ends_epoch(const ls_session_stage *stage, long step);
/* **Collective.** What ls_dataset_describe says of a data set that each rank has opened by itself;
 * NULL, and the same error on all ranks, where `data` is NULL on a rank, which has set its error,
 * or the ranks have opened different data. Free it with ls_free. */
char *ls_session_same_data(ls_comm *comm, ls_dataset *data, ls_error *error);
/* Threads of the passes through its nets; to be called before an objective is compiled. */
void ls_session_set_threads(ls_session *session, int threads);
/* Bytes a node that ls_session_commit places in shared memory. */
size_t ls_session_bytes(const ls_session *session);
/* **Collective.** Places parameters in the node's shared memory and draws their initial values. */
bool ls_session_commit(ls_session *session, ls_error *error);
void ls_session_close(ls_session *session); /* **Collective.** */
/* **Collective** over the node. To be called after the values of `slots` (NULL: all) were changed:
 * the layers derive from them what they keep prepared (packed weights). */
void ls_session_prepare(const ls_session *session, const ls_slots *slots);
