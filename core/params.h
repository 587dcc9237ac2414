/* params: all parameters of all nets are one array.
 *
 *     create -> nets are built, their layers claim slots -> commit: the arrays are handed in -> use
 *
 *     values  | net/conv1/weight ....0| net/conv1/bias 0| net/dense1/weight ........0| ...
 *             ^ offset of slot 0      ^ of slot 1       ^ of slot 2
 *
 * Each slot begins at a multiple of LS_SLOT_ALIGN reals; the padding up to the next slot stays 0.
 * Gradients (one array a rank, more if it has several shards) and optimizer state are arrays with
 * the same offsets. So reduction, optimizers and checkpoint work on slots and intervals of reals,
 * and know nothing of layers.
 *
 * A slot's numbers have a logical order, [out, in] or [out, in, h, w], which files, dumps and
 * initial values use; a layout says how they are stored, if that is faster in another order. */
#pragma once
#include "core/slots.h"
#include "core/tensor.h"

enum {
    LS_SLOT_ALIGN = 16,    /* reals */
    LS_SLICE_ALIGN = 4096, /* reals: ranks' runs and blocks of norms are cut at multiples of it */
    LS_SLOT_NAME = 3 * 48 + 8
};

typedef enum ls_slot_kind {
    LS_SLOT_WEIGHT,
    LS_SLOT_BIAS,  /* biases, norm scales and shifts, PReLU slopes: often without weight decay */
    LS_SLOT_STATE, /* saved, not trained: its "gradient" is what a step adds (running statistics) */
    /* A bias that the passes of its line do not use, so that a net leaves it out of what it trains:
     * that of the visible units of an RBM, whose objective trains it by itself. */
    LS_SLOT_ASIDE
} ls_slot_kind;

typedef enum ls_initializer_kind {
    LS_INIT_ZERO,
    LS_INIT_HE,        /* normal, std sqrt(2 / fan_in): He et al. 2015, eq. 10 */
    LS_INIT_XAVIER,    /* uniform +-sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010, eq. 16 */
    LS_INIT_NORMAL,    /* normal, std scale */
    LS_INIT_UNIFORM,   /* uniform +-scale */
    LS_INIT_CONSTANT,  /* scale */
    LS_INIT_ORTHOGONAL /* of a shape [k * n, n]: k random orthogonal matrices */
} ls_initializer_kind;

typedef struct ls_initializer {
    ls_initializer_kind kind;
    double scale; /* NORMAL, UNIFORM, CONSTANT */
    double fan_in, fan_out;
    ls_interval only; /* CONSTANT: of these numbers, the others are 0; empty: of all */
} ls_initializer;

typedef struct ls_slot ls_slot;
typedef struct ls_layout ls_layout;
/* How a slot is stored, if not in logical order. size: reals as stored. load: logical -> stored,
 * with 0 in the padding; store: stored -> logical, of `rows` alone, which are outputs: entries of
 * the shape's first dimension. */
struct ls_layout {
    long (*size)(const ls_layout *layout, const ls_shape *shape);
    void (*load)(const ls_layout *layout, const ls_shape *shape, const real *logical, real *stored);
    void (*store)(const ls_layout *layout, const ls_shape *shape, const real *stored,
                  ls_interval rows, real *logical);
    long groups; /* equal parts of the first dimension, each stored by itself; at least 1 */
};

struct ls_slot {
    char name[LS_SLOT_NAME]; /* net/layer/parameter */
    ls_slot_kind kind;
    ls_shape shape; /* logical: [out, in], [out, in, h, w] */
    ls_initializer initializer;
    ls_layout layout;  /* layout.size NULL: stored in logical order */
    bool squares;      /* none of its numbers may be below 0 */
    long offset, size; /* in the array, in reals, without padding */
};

struct ls_net;
struct ls_params {
    int nets; /* built over it so far; numbers the random streams of their layers */
    const struct ls_net **net; /* [nets] these, borrowed; NULL: destroyed */
    int count;                 /* slots */
    ls_slot *slots;
    long size;          /* reals of the whole array, a multiple of LS_SLOT_ALIGN */
    long prepared_size; /* reals of prepared memory (packed weights) */
    real *values;       /* borrowed: handed in at commit */
    real *prepared;
    /* Set by who takes differences by a weight, after a first prepare: the next ones leave as they
     * are what gradients take as constants. */
    bool constants_stay;
};

ls_params *ls_params_create(void); /* free with ls_params_destroy */
void ls_params_destroy(ls_params *params);
/* Claims a new slot and returns its number; layout NULL: logical order. Only before commit. Two
 * slots of one name are a bug (ls_check). */
int ls_params_claim(ls_params *params, const char *name, ls_slot_kind kind, const ls_shape *shape,
                    const ls_initializer *initializer, const ls_layout *layout);
/* Claims prepared memory, 64-byte aligned, and returns its offset. Only before commit. */
long ls_params_claim_prepared(ls_params *params, long reals);
/* Hands in the memory: `values` of params->size reals, `prepared` of params->prepared_size, both
 * borrowed and 64-byte aligned. Their contents are left as they are. */
void ls_params_commit(ls_params *params, real *values, real *prepared);
/* Draws the initial values of `slots` (NULL: all). Each is a function of (seed, slot name, logical
 * index), so they do not depend on layout, rank or order. */
void ls_params_initialize(ls_params *params, uint64_t seed, const ls_slots *slots);
/* The slot named `name`, or -1. */
int ls_params_find(const ls_params *params, const char *name);
/* How many numbers are learned: without padding and state. */
long ls_params_trained(const ls_params *params);
/* Copy a slot between an array with the params' offsets (values, a gradient, optimizer state) and
 * numbers in logical order, ls_shape_count(&slot->shape): load to the array, store from it. */
void ls_params_load(const ls_params *params, int slot, const real *logical, real *array);
void ls_params_store(const ls_params *params, int slot, const real *array, real *logical);
/* Whether a slot can hold these numbers from a file, ls_shape_count(&slot->shape): finite ones, 0
 * or more where slot->squares says so. If not, an LS_DATA error that begins with `where`. */
bool ls_params_accept(const ls_slot *slot, const real *numbers, const char *where, ls_error *error);
/* Stores some rows of the slot, of the ls_params_rows that it has: entries of its shape's first
 * dimension, or its one number. */
void ls_params_store_rows(const ls_params *params, int slot, const real *array, ls_interval rows,
                          real *logical);
long ls_params_rows(const ls_params *params, int slot);
