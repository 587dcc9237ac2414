/* position: where a run stands: plain numbers without pointers, so that one rank can send them to
 * the others as bytes. A checkpoint holds each under its name here, as an attribute of /. */
#pragma once
#include <stdint.h>

#include "core/objective.h"

typedef struct ls_position {
    long stage;      /* number of the stage that is running, from 0 */
    long stage_step; /* steps done in this stage */
    long step;       /* steps done since the run began */
    double samples;  /* rows trained on since the run began */
    long shards;
    long updates[LS_PHASES]; /* optimizer updates of each phase in this stage: Adam's t */
    double best;             /* the validation metric of best.h5; NaN: there is none yet */
    long best_step;          /* the step that best.h5 was saved after */
    long stale;              /* evaluations since the best one, for early stopping */
    uint64_t data_digest;    /* ls_dataset_shape_digest of the data trained on */
} ls_position;
