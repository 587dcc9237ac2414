/* checkpoint: write, verify, find the newest valid, load.
 *
 * RUN/checkpoints/step-00001234.h5 holds everything: a resumed run equals an uninterrupted one bit
 * for bit, on any rank count. In it:
 *
 *   /model/<net>/<layer>/<parameter>                    logical shapes
 *   /state/<net>/<layer>/<parameter>                    LS_SLOT_STATE slots
 *   /optimizer/<state name>/<net>/<layer>/<parameter>   of the slots that are trained
 *   /optimizer/average/<net>/<layer>/<parameter>        the moving average, of every slot
 *   /rows/...                                           row state, in row order
 *   attributes of /                                     format, job, stage, step, ...: every field
 *                                                       of ls_snapshot
 *
 * Commit order: temporary file, fsync, close, rename, fsync of the folder; then the same for
 * step-00001234.ok (JSON: size, XXH3-128 digest, step, format), which is the commit point: a file
 * without its .ok is not a checkpoint. Equal contents are equal bytes. */
#pragma once
#include "core/objective.h"
#include "core/optimizer.h"

enum { LS_CHECKPOINT_FORMAT = 1 };

/* Optimizer state of some slots: an array with the params' offsets. */
typedef struct ls_snapshot_array {
    const char *name; /* "momentum" */
    const ls_slots *slots;
    bool statistics; /* also of LS_SLOT_STATE slots: of the average */
    real *array;
} ls_snapshot_array;

/* What a checkpoint holds. The small fields are read first (ls_checkpoint_open), then the caller
 * builds its nets and loads the arrays. */
typedef struct ls_snapshot {
    char *job;       /* resolved job, YAML; when read: freed by ls_snapshot_release */
    long stage;      /* number of the stage that is running, from 0 */
    long stage_step; /* steps done in it */
    long step;       /* steps done in all */
    double samples;  /* rows seen in all */
    int shards;
    long updates[LS_PHASES]; /* of each phase of the stage: Adam's t */
    double best;             /* validation metric of best.h5; NaN: none yet */
    long best_step;
    long stale;           /* evaluations since the best: for early stop */
    uint64_t data_digest; /* ls_dataset_shape_digest */
    bool weights_only;    /* best.h5 and exported weights: parameters and state, no optimizer, no
                             progress */
    const ls_params *params;
    int arrays;
    ls_snapshot_array array[LS_PHASES * LS_OPTIMIZER_STATES];
} ls_snapshot;
void ls_snapshot_release(ls_snapshot *snapshot);

/* Reads the small fields of a file after verifying its digest against the .ok. LS_DATA errors. */
bool ls_checkpoint_open(const char *path, ls_snapshot *snapshot, ls_error *error);
/* Fills params->values, state slots and the snapshot's arrays; all is checked before anything is
 * filled, but for numbers that are not finite: an LS_DATA error too. Names and shapes must match
 * exactly: a difference is an LS_DATA error that names the parameter, and so is a file of weights
 * only. lockstep-double takes float32 exactly; float64 is refused by the float build, for the run
 * would not go on bit for bit. */
bool ls_checkpoint_load(const char *path, const ls_snapshot *snapshot, ls_error *error);
/* Parameters (and state) only, from a checkpoint, a weights file or best.h5: --weights. Names and
 * shapes must match; float64 is rounded by the float build. A file without .ok is taken too (one
 * that another program wrote). */
bool ls_checkpoint_load_weights(const char *path, const ls_params *params, ls_error *error);
/* The same with the moving average of the weights in their place; LS_DATA where the file holds
 * none.
 */
bool ls_checkpoint_load_average(const char *path, const ls_params *params, ls_error *error);
/* A weights file of its own, NAME.h5 with its seal NAME.ok: parameters and state, for
 * ls_checkpoint_load_weights and --weights. Durable when it returns; what stood there before stays
 * where it fails. LS_IO errors. */
bool ls_checkpoint_save(const char *path, const ls_params *params, ls_error *error);
/* Size and digest against the .ok; the structure. LS_DATA errors say what does not hold. */
bool ls_checkpoint_verify(const char *path, ls_error *error);
/* The newest valid checkpoint of a run directory, into path[size]. For each newer one that is not
 * valid: `notice` gets a line that says why it was passed over. False with an empty error.text
 * where there are no checkpoints at all; false with an LS_DATA error where there are some but none
 * is valid. */
bool ls_checkpoint_find(const char *run, char *path, size_t size,
                        void (*notice)(void *context, const char *text), void *context,
                        ls_error *error);
/* Identity for people: XXH3-128 over /model in slot order, logical layout, 32 hex digits
 * and a 0 into text[33]. */
void ls_checkpoint_model_digest(const ls_params *params, char text[33]);

/* Takes best.h5 beside the checkpoint `path` over into `run`, where it is whole and of step `step`:
 * for a run that begins from another run's checkpoint. *taken says whether. LS_IO errors of the
 * writing. */
bool ls_checkpoint_adopt_best(const char *path, const char *run, long step, bool *taken,
                              ls_error *error);

/* Writing: the state is copied into a memory image at once (ls_checkpoint_write returns), which a
 * thread writes and commits while training goes on. One at a time: a second call waits for the
 * first. Only rank 0 calls these. LS_IO errors name file and reason; what was valid before such a
 * failure stays valid. */
typedef struct ls_checkpoint_writer ls_checkpoint_writer;
/* Makes RUN/checkpoints where needed and removes the *.tmp of a killed writer; an error is told by
 * the first write. `keep` >= 1. Free with ls_checkpoint_writer_close. */
ls_checkpoint_writer *ls_checkpoint_writer_open(const char *run, int keep);
/* `best`: as best.h5 (weights only) instead of step-N.h5. False with the error of the *previous*
 * write where that failed; this one is under way all the same. */
bool ls_checkpoint_write(ls_checkpoint_writer *writer, const ls_snapshot *snapshot, bool best,
                         ls_error *error);
/* Waits until all is durable and old checkpoints are removed: those beyond the newest `keep`, and
 * those of steps after the one just written (a run that was resumed from before them overwrites
 * that future). False with the error of the last write, told once. */
bool ls_checkpoint_wait(ls_checkpoint_writer *writer, ls_error *error);
bool ls_checkpoint_writer_close(ls_checkpoint_writer *writer, ls_error *error);
/* Bytes of a checkpoint file, about: for --dry-run. */
size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states);
/* Memory that writing it takes: the file, and a slot on its way from its storage's layout. */
size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states);
