/* optimizer: the update of a part of the parameter array from its summed gradient. A type is a row
 * of a table: a plain loop over the numbers of one slot. The loops take whole groups of
 * LS_SLOT_ALIGN reals, so parts cut at any multiple of it (ranks cut at LS_SLICE_ALIGN) give the
 * same bits. */
#pragma once
#include "core/params.h"
#include "core/spec.h"

/* The last state is the moving average of the weights, if ema= asks for it. */
enum { LS_OPTIMIZER_AVERAGE = 2, LS_OPTIMIZER_STATES };

typedef struct ls_optimizer ls_optimizer;
/* One update: what it works on, and its numbers. Arrays have the params' offsets. */
typedef struct ls_update {
    const ls_params *params;
    const ls_slots *slots; /* these, ... */
    ls_interval part;      /* ... and of them what lies in reals [begin, end) */
    real *gradient;        /* ls_optimizer_direct overwrites it */
    real *const *state; /* [LS_OPTIMIZER_STATES]; NULL: the optimizer keeps none of that number */
    double rate;        /* after the schedule */
    double scale;       /* on the gradient: 1 / weight, times clipping */
    double mean;        /* 1 / weight, without clipping: for state slots */
    double decay;       /* decay * value is added to the gradient */
    long count;         /* updates of this phase so far, with this one: 1, 2, ... (Adam's t) */
    /* [slots] squared norms (squares.h), for types with a ratio: of the values, and of the gradient
     * or of what ls_optimizer_direct put in its place. */
    const double *value2, *gradient2;
} ls_update;

typedef struct ls_optimizer_type {
    const char *name, *help;
    const ls_option *options;                          /* into ls_optimizer */
    const char *state_names[LS_OPTIMIZER_AVERAGE + 1]; /* NULL: none */
    bool nesterov;                                     /* momentum looks ahead */
    /* The loop over n reals of a slot, a multiple of LS_SLOT_ALIGN; of `update` it uses the
     * numbers. */
    void (*update)(const ls_optimizer *optimizer, const ls_update *update, long n, real *value,
                   const real *gradient, real *const state[LS_OPTIMIZER_STATES]);
    /* For types whose ratio needs the norm of the direction: runs before `update` and overwrites
     * the gradient with the direction, which `update` gets with scale 1 and decay 0. NULL: the
     * direction is the gradient. */
    void (*direction)(const ls_optimizer *optimizer, const ls_update *update, long n,
                      const real *value, real *gradient, real *const state[LS_OPTIMIZER_STATES]);
    /* The factor on a slot's rate, from the norms of its values and of its scaled gradient or
     * direction, neither of them 0. NULL: 1. */
    double (*ratio)(const ls_optimizer *optimizer, double decay, double value, double gradient);
} ls_optimizer_type;

struct ls_optimizer {
    const ls_optimizer_type *type;
    double rate, decay, clip; /* clip: largest gradient norm; 0: off */
    bool decay_all;           /* decay=... also on biases and norms (PyTorch's way) */
    double momentum, beta1, beta2, epsilon, alpha, trust;
    bool adapt_all; /* the ratio also for biases and norms */
    double ema;     /* share of the moving average that an update keeps; 0: no average */
};

extern const ls_optimizer_type ls_optimizer_types[]; /* ends with a NULL name */
/* `text` is a spec: "momentum rate=0.05 momentum=0.9 decay=5e-4". LS_USAGE errors. */
bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error);
/* The name of state k; NULL: this optimizer has no state of that number. */
const char *ls_optimizer_state_name(const ls_optimizer *optimizer, int k);
/* The step before ls_optimizer_update, on the same part: false, and nothing done, for types without
 * a direction; else the gradient is overwritten by it. */
bool ls_optimizer_direct(const ls_optimizer *optimizer, const ls_update *update);
/* Updates the values. Slots of LS_SLOT_STATE have their own rule: value += mean * gradient. The
 * average, if its state is not NULL, follows: a = d a + (1 - d) value, d = min(ema, (count - 1) /
 * (count + 9)): so it begins at the first values and becomes slower step by step, as TensorFlow's
 * num_updates has it. */
void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update);
/* The factor that brings the norm sqrt(norm2) of a mean gradient down to `clip`; 1 if clip is 0. */
double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2);
