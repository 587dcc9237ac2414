/* session: a job made real: data set open, nets built, parameters placed in the node's memory. What
 * train, evaluate and check have in common. */
#pragma once
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "dist/shared.h"
#include "io/dataset.h"
#include "launch/job/job.h"

typedef struct ls_session {
    ls_comm *comm; /* borrowed */
    ls_job *job;   /* borrowed; keys left out are filled from the model's recipe */
    ls_dataset *data;
    ls_params *params;
    ls_net *net[LS_MODEL_NETS];
    ls_task task;
    ls_shared *values, *prepared; /* the node's one copy */
} ls_session;

/* **Collective.** Opens the data, builds the nets, checks every spec of every stage. Takes no
 * memory for parameters yet. The error is the same on all ranks. Close with ls_session_close in
 * either case. */
bool ls_session_open(ls_session *session, ls_comm *comm, ls_job *job, bool objectives,
                     ls_error *error);
/* Threads of the passes through its nets: before workspaces (objectives) are made. */
void ls_session_set_threads(ls_session *session, int threads);
/* Bytes a node that ls_session_commit places in shared memory. */
size_t ls_session_bytes(const ls_session *session);
/* **Collective.** Places parameters in the node's shared memory and draws their initial values. */
bool ls_session_commit(ls_session *session, ls_error *error);
void ls_session_close(ls_session *session); /* **Collective.** */
/* **Collective** over the node. After the values were changed: what layers prepare from them. */
void ls_session_prepare(const ls_session *session);
/* The objective of a stage, compiled for shards and evaluation chunks of so many rows (0: none). */
ls_objective *ls_session_objective(const ls_session *session, int stage, long shard_rows,
                                   long chunk_rows, ls_error *error);
/* The optimizer spec of a stage's phase, parsed. */
bool ls_session_optimizer(const ls_session *session, int stage, const char *phase,
                          ls_optimizer *optimizer, ls_error *error);
/* Steps of a stage in all, from its epochs or steps. */
long ls_session_steps(const ls_session *session, int stage, long *steps_per_epoch);
