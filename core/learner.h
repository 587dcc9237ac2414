/* learner: a net that learns from arrays in memory, for programs that use lockstep as a library:
 * one net, one objective, one optimizer, one process. What it is made of (params.h, net.h,
 * objective.h, optimizer.h) can be used by itself for more than that. */
#pragma once
#include "core/objective.h"
#include "core/optimizer.h"

typedef struct ls_learner ls_learner;

typedef struct ls_learner_plan {
    const char *net;       /* spec lines */
    const char *objective; /* a spec; NULL: "supervised loss=cross-entropy" */
    const char *optimizer; /* a spec; NULL: "adam rate=0.001" */
    ls_shape x;            /* of a row */
    ls_shape y;            /* of a row's targets; labels: rank 0, or {steps} for one a step */
    long classes;          /* of labels; 0: targets */
    long batch;            /* most rows of a step and of a prediction */
    long epoch;            /* steps of an epoch, for an optimizer that goes by epochs; 0: one
                              epoch has no end */
    uint64_t seed;         /* of first weights and of dropout */
} ls_learner_plan;

/* Builds the net, draws its weights. NULL: LS_USAGE, LS_DATA errors. Free: ls_learner_destroy. */
ls_learner *ls_learner_create(const ls_learner_plan *plan, ls_error *error);
void ls_learner_destroy(ls_learner *learner);
/* One step of the optimizer over x [rows, plan.x] and y [rows, plan.y] (labels as whole numbers;
 * NULL for objectives without). Fills *sums (NULL: not wanted): loss and metrics are sums over
 * rows; divide by sums->at[LS_SUM_WEIGHT]. False, and no update, with an LS_NUMERIC error if the
 * gradient is not finite. */
bool ls_learner_step(ls_learner *learner, const real *x, const real *y, long rows, ls_sums *sums,
                     ls_error *error);
/* The net's outputs [rows, net->y] for x [rows, plan.x]; owned by the learner, good until the next
 * call. Of a net for cross-entropy they are logits; ls_loss_predict picks the class. */
const real *ls_learner_predict(ls_learner *learner, const real *x, long rows);
/* Borrowed: for ls_weights_save and ls_weights_load, and for looking in. */
ls_params *ls_learner_params(const ls_learner *learner);
const ls_net *ls_learner_net(const ls_learner *learner);
