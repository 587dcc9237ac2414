/* checkpoint: a checkpoint file, which is opened once, checked, read and loaded; files of weights.
 *
 * RUN/checkpoints/step-00001234.h5 holds all that a run needs: a resumed run equals an
 * uninterrupted one bit for bit, on any number of ranks. In it:
 *
 *   /model/<net>/<layer>/<parameter>                    logical shapes
 *   /state/<net>/<layer>/<parameter>                    slots of kind LS_SLOT_STATE
 *   /optimizer/<state name>/<net>/<layer>/<parameter>   of the slots that are trained
 *   /optimizer/average/<net>/<layer>/<parameter>        the moving average, of every slot
 *   /rows/<row state>                                   [rows, reals]: what rows of the objective's
 *                                                       own carry from step to step, in row order
 *   /vocabulary                                         of the data, if text (vocabulary.h)
 *   attributes of /                                     format, version, job, data, weights_only,
 *                                                       and the members of ls_position
 *
 * best.h5 and stage-0.h5, stage-1.h5, ... (the parameters as a stage left them to the next) hold no
 * /optimizer nor /rows.
 *
 * A file without its step-00001234.ok is not a checkpoint (checksum.h; the order of writing is in
 * io/README.md). Equal contents are equal bytes. */
#pragma once
#include <stdint.h>

#include "core/objective.h"
#include "core/optimizer.h"
#include "io/dataset.h"
#include "io/vocabulary.h"

/* Where a run stands: plain numbers without pointers, so that one rank can send them to the others
 * as bytes. A checkpoint holds each as an attribute of / with the member's name. */
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
    double gap;              /* that the stage's last evaluation found; 0: it knows none, as in
                                best.h5 */
    long evaluation_due;     /* 1: that after this step is still to come; 0: it is not */
    uint64_t data_digest;    /* ls_dataset_shape_digest of the data trained on */
} ls_position;

/* Optimizer state of some slots. */
typedef struct ls_checkpoint_array {
    const char *name;      /* "momentum" */
    const ls_slots *slots; /* borrowed */
    bool statistics;       /* it holds LS_SLOT_STATE slots too: only the average does */
    real *array;           /* [params->size], at the offsets of the params */
} ls_checkpoint_array;

typedef struct ls_checkpoint_arrays {
    int count;
    ls_checkpoint_array at[LS_PHASES * LS_OPTIMIZER_STATES];
} ls_checkpoint_arrays;

/* What rows of the objective's own carry from step to step. */
typedef struct ls_checkpoint_rows {
    ls_row_states states;
    real *data[LS_ROW_STATES]; /* [rows, reals] of each state */
} ls_checkpoint_rows;

/* The part of a checkpoint that is written or loaded. */
typedef enum ls_checkpoint_part {
    LS_CHECKPOINT_ALL,     /* all that a run goes on from; numbers come back bit for bit */
    LS_CHECKPOINT_WEIGHTS, /* parameters and state; /optimizer and /rows are ignored */
    LS_CHECKPOINT_STAGE    /* written only: the same, as a stage that is done has left them */
} ls_checkpoint_part;

/* What is written. What it points to is borrowed. */
typedef struct ls_checkpoint_contents {
    const char *job; /* the resolved job, a text that io does not interpret */
    ls_position position;
    const ls_params *params; /* whose slots these are */
    real *values;            /* [params->size] */
    ls_checkpoint_arrays arrays;
    ls_checkpoint_rows rows;
    const char *data; /* ls_dataset_describe of the data trained on; NULL: not known */
    const ls_vocabulary *vocabulary; /* of that data; NULL: it has none */
} ls_checkpoint_contents;

/* An open checkpoint, read only. It holds the bytes of its file, which are read once: what was
 * checked is what is loaded, whatever happens to the file meanwhile. So it takes as much memory as
 * the file, from open to close. */
typedef struct ls_checkpoint {
    char *path;
    ls_position position;
    char *job, *data;          /* data NULL: the checkpoint is of a lockstep that did not keep it */
    ls_vocabulary *vocabulary; /* of the data trained on; NULL: it had none */
    bool weights_only;         /* best.h5 or a weights file: parameters and state, no optimizer */
    void *bytes;               /* of the whole file */
    int64_t file;              /* HDF5's id of the file in `bytes`; negative: could not be opened */
} ls_checkpoint;

/* Reads the file and checks its digest against the .ok, its structure and its attributes. NULL and
 * an LS_DATA or LS_IO error that says what does not hold. Close with ls_checkpoint_close. */
ls_checkpoint *ls_checkpoint_open(const char *path, ls_error *error);
void ls_checkpoint_close(ls_checkpoint *checkpoint); /* NULL: nothing to do */

/* Fills params->values and the arrays (NULL: only the values). All is checked before anything is
 * filled, except that numbers are finite. LS_DATA errors: names and shapes must match exactly, and
 * the message names the parameter that differs; a file of weights only is refused; so is float64 by
 * the float build, for the run would not go on bit for bit (lockstep-double takes float32). */
bool ls_checkpoint_load(const ls_checkpoint *checkpoint, const ls_params *params,
                        const ls_checkpoint_arrays *arrays, ls_error *error);
/* Fills params->values only. Names and shapes must match; the float build rounds float64. */
bool ls_checkpoint_load_weights(const ls_checkpoint *checkpoint, const ls_params *params,
                                ls_error *error);
/* Fills params->values with the moving average of the weights; LS_DATA if the file holds none. */
bool ls_checkpoint_load_average(const ls_checkpoint *checkpoint, const ls_params *params,
                                ls_error *error);

/* Writes a file of parameters and state, NAME.h5 with its NAME.ok. It is durable when this returns;
 * after an LS_IO error what stood there before stays. */
bool ls_weights_save(const char *path, const ls_params *params, ls_error *error);
/* The same with a job and a position, as best.h5 has them. */
bool ls_weights_write(const char *path, const ls_checkpoint_contents *contents, ls_error *error);
/* Fills params->values from such a file, or from any checkpoint, as ls_checkpoint_load_weights
 * does. It may have no .ok and no attributes, as if another program wrote it; a .ok must hold. */
bool ls_weights_load(const char *path, const ls_params *params, ls_error *error);
/* The same but for the slots `except`, which stay as they are: what the file has of them may be of
 * another shape, or missing. A vocabulary in the file must be that of the data; NULL: it may be
 * any.
 */
bool ls_weights_load_except(const char *path, const ls_params *params, const ls_slots *except,
                            const ls_dataset *data, ls_error *error);
