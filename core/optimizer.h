/* optimizer: the update of a range of the parameter array from its summed gradient. A table of
 * loops; each loop sees whole 16-real groups, so cutting a range at any LS_SLICE_ALIGN gives the
 * same bits. */
#pragma once
#include "core/params.h"
#include "core/spec.h"

enum { LS_OPTIMIZER_STATES = 2 };

typedef struct ls_optimizer ls_optimizer;
/* One call's numbers; the loops are plain functions of these. */
typedef struct ls_update {
    double rate;  /* after the schedule */
    double scale; /* on the gradient: 1 / weight, times clipping */
    double mean;  /* 1 / weight, without clipping: for state slots */
    double decay; /* of this slot: L2 added to the gradient */
    long count;   /* updates of this phase so far, this one included: 1, 2, ... (Adam's t) */
} ls_update;

typedef struct ls_optimizer_type {
    const char *name, *help;
    const ls_option *options; /* into ls_optimizer */
    int states;
    const char *state_names[LS_OPTIMIZER_STATES];
    /* n is a multiple of LS_SLOT_ALIGN. */
    void (*update)(const ls_optimizer *optimizer, const ls_update *update, long n, real *value,
                   const real *gradient, real *const state[LS_OPTIMIZER_STATES]);
} ls_optimizer_type;

struct ls_optimizer {
    const ls_optimizer_type *type;
    double rate, decay, clip; /* clip: largest gradient norm; 0: off */
    bool decay_all;           /* decay=... also on biases and norms (PyTorch's way) */
    double momentum, beta1, beta2, epsilon, alpha;
    bool nesterov;
};

extern const ls_optimizer_type ls_optimizer_types[]; /* ends with a NULL name */
/* `text` is a spec: "momentum rate=0.05 momentum=0.9 decay=5e-4". LS_USAGE errors. */
bool ls_optimizer_parse(const char *text, ls_optimizer *optimizer, ls_error *error);
/* Updates the part of `slots` that lies in reals [begin, end). The arrays have the params' offsets.
 * State slots (LS_SLOT_STATE) take their own rule: value += mean * gradient. */
void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update,
                         const ls_params *params, const ls_slots *slots, long begin, long end,
                         const real *gradient, real *const state[LS_OPTIMIZER_STATES]);
/* The factor that brings a gradient of norm sqrt(norm2) (already a mean) under `clip`; 1 where clip
 * is 0. */
double ls_optimizer_clip(const ls_optimizer *optimizer, double norm2);
