/* optimizer: one step from the summed gradient of a phase to updated parameters. A type is a row of
 * a table: a plain loop over the numbers of one slot. The loops take whole groups of LS_SLOT_ALIGN
 * reals, so runs cut at any multiple of it (ranks cut at LS_SLICE_ALIGN) give the same bits. */
#pragma once
#include "core/params.h"
#include "core/spec.h"

/* The last state is the moving average of the weights, if ema= asks for it. */
enum { LS_OPTIMIZER_AVERAGE = 2, LS_OPTIMIZER_STATES };

typedef struct ls_optimizer ls_optimizer;
/* One step: what it works on, and its numbers. Arrays have the params' offsets. */
typedef struct ls_update {
    const ls_optimizer *optimizer;
    const ls_params *params;
    const ls_slots *slots; /* that the phase trains */
    ls_runs runs;          /* the reals of the array that this process updates */
    real *gradient;        /* summed, complete in the runs; ls_optimizer_direct overwrites it */
    real *const *state;    /* [LS_OPTIMIZER_STATES]; NULL: the optimizer keeps no such state */
    /* [params->count] squared norms of slots (squares.h): of the summed gradient, or of the
     * direction in its place; and of the values, which a step measures for types with a ratio. */
    double *gradient2, *value2;
    /* Fills norm2[params->count] with the squared norms of `slots` in an array of which every
     * process has its runs. */
    void (*measure)(void *context, const real *array, const ls_slots *slots, double *norm2);
    void *context;
    double rate; /* after the schedule */
    long count;  /* updates of this phase so far, with this one: 1, 2, ... (Adam's t) */
    long epoch;  /* epochs of the stage that are done: 0, 1, ... */
    /* A step sets these. */
    double scale; /* on the gradient: 1 / weight, times clipping */
    double decay; /* decay * value is added to the gradient, or to the direction */
} ls_update;

typedef struct ls_optimizer_type {
    const char *name, *help;
    const ls_option *options;                          /* into ls_optimizer */
    const char *state_names[LS_OPTIMIZER_AVERAGE + 1]; /* NULL: none */
    bool nesterov;                                     /* momentum looks ahead */
    bool decoupled;                                    /* adam's decay is no part of g */
    /* The loop over n reals of a slot; n is a multiple of LS_SLOT_ALIGN. */
    void (*update)(const ls_update *update, long n, real *value, const real *gradient,
                   real *const *state);
    /* For types whose ratio needs the norm of the direction: runs before `update` and overwrites
     * the gradient with the direction, which `update` gets with scale 1 and decay 0. NULL: the
     * direction is the gradient. */
    void (*direction)(const ls_update *update, long n, const real *value, real *gradient,
                      real *const *state);
    /* The factor on a slot's rate, from the norms of its values and of its scaled gradient or
     * direction, neither of them 0. NULL: 1. */
    double (*ratio)(const ls_optimizer *optimizer, double decay, double value, double gradient);
} ls_optimizer_type;

struct ls_optimizer {
    const ls_optimizer_type *type;
    double rate, decay, clip; /* clip: largest gradient norm; 0: off */
    double bound;             /* largest size of a value after an update; 0: off */
    bool decay_all;           /* decay=... also on biases and norms (PyTorch's way) */
    double momentum, beta1, beta2, epsilon, alpha, trust;
    double start; /* the momentum of the first `epochs` epochs of a stage */
    long epochs;
    bool adapt_all; /* the ratio also for biases and norms */
    double ema;     /* share of the moving average that an update keeps; 0: no average */
};

extern const ls_optimizer_type ls_optimizer_types[]; /* ends with a NULL name */
/* `text` is a spec: "momentum rate=0.05 momentum=0.9 decay=5e-4". LS_USAGE errors. */
bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error);
/* The name of state k; NULL: this optimizer has no state of that number. */
const char *ls_optimizer_state_name(const ls_optimizer *optimizer, int k);
/* Updates the runs: gradient / weight is clipped and turned into the optimizer's direction, and the
 * values follow it at the rate, times each slot's ratio. `weight` is the batch's (ls_sums), not 0;
 * the gradient must be finite. **Collective** where `measure` is. */
void ls_optimizer_step(const ls_update *update, double weight);
/* The two halves of a step, after scale and decay are set. The first overwrites the gradient
 * by the direction; for types without one it does nothing and returns false. */
bool ls_optimizer_direct(const ls_update *update);
/* The second updates the values and cuts them to [-bound, bound]. Slots of LS_SLOT_STATE have their
 * own rule: value += gradient. The average, if its state is not NULL, follows: a = d a + (1 - d)
 * value, d = min(ema, (count - 1) / (count + 9)): so it begins at the first values and becomes
 * slower step by step, much as TensorFlow's num_updates has it. */
void ls_optimizer_update(const ls_update *update);
/* The factor that brings the norm sqrt(norm2) of a mean gradient down to `clip`; 1 if clip is 0. */
double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2);
