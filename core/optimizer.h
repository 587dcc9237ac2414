/* optimizer: the update of a range of the parameter array from its summed gradient. A table of
 * loops; each loop sees whole 16-real groups, so cutting a range at any LS_SLICE_ALIGN gives the
 * same bits. */
#pragma once
#include "core/params.h"
#include "core/spec.h"

/* The last state is the moving average of the weights, where ema= asks for it. */
enum { LS_OPTIMIZER_AVERAGE = 2, LS_OPTIMIZER_STATES };

typedef struct ls_optimizer ls_optimizer;
/* One call's numbers; the loops are plain functions of these. */
typedef struct ls_update {
    double rate;  /* after the schedule */
    double scale; /* on the gradient: 1 / weight, times clipping */
    double mean;  /* 1 / weight, without clipping: for state slots */
    double decay; /* of this slot: L2 added to the gradient */
    long count;   /* updates of this phase so far, this one included: 1, 2, ... (Adam's t) */
    /* [slots] sums of squares (squares.h), for types with a ratio: of the values, and of the summed
     * gradient, or of what ls_optimizer_direct put in its place. */
    const double *value2, *gradient2;
} ls_update;

typedef struct ls_optimizer_type {
    const char *name, *help;
    const ls_option *options;                          /* into ls_optimizer */
    const char *state_names[LS_OPTIMIZER_AVERAGE + 1]; /* NULL: none */
    /* n is a multiple of LS_SLOT_ALIGN. */
    void (*update)(const ls_optimizer *optimizer, const ls_update *update, long n, real *value,
                   const real *gradient, real *const state[LS_OPTIMIZER_STATES]);
    /* Comes before `update` and overwrites the gradient with the direction, whose norms `ratio`
     * wants; `update` then sees that with scale 1 and decay 0. NULL: the gradient is it. */
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
    bool nesterov;
    bool adapt_all; /* the ratio also for biases and norms */
    double ema;     /* share of the moving average that an update keeps; 0: no average */
};

extern const ls_optimizer_type ls_optimizer_types[]; /* ends with a NULL name */
/* `text` is a spec: "momentum rate=0.05 momentum=0.9 decay=5e-4". LS_USAGE errors. */
bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error);
/* The name of state k, NULL where this optimizer keeps none of that number. */
const char *ls_optimizer_state_name(const ls_optimizer *optimizer, int k);
/* The step before ls_optimizer_update, over the same part. False, and nothing done, for types
 * without a direction; else the gradient is overwritten. */
bool ls_optimizer_direct(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         real *gradient, real *const state[LS_OPTIMIZER_STATES]);
/* Updates the part of `slots` that lies in reals [begin, end). The arrays have the params' offsets.
 * State slots (LS_SLOT_STATE) take their own rule: value += mean * gradient. Where there is an
 * average (its state is not NULL), it follows, a = d a + (1 - d) value with d = min(ema, (count -
 * 1) / (count + 9)): from the first values on, slower and slower, as TensorFlow's num_updates does
 * it. */
void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         const real *gradient, real *const state[LS_OPTIMIZER_STATES]);
/* The factor that brings a gradient of norm sqrt(norm2) (already a mean) under `clip`; 1 where clip
 * is 0. */
double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2);
