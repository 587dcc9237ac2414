/* params: all parameters are one array. Layers claim slots of it while nets are built; the
 * reduction, the optimizers and the checkpoint see slots and intervals of that array and nothing
 * else.
 *
 * Every slot begins at a multiple of 16 reals and is padded to one; padding stays 0. Gradient
 * arrays (one a rank, more for several shards) and optimizer state have the same offsets. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

enum {
    LS_SLOT_ALIGN = 16,    /* reals */
    LS_SLICE_ALIGN = 4096, /* reals: slices and norm blocks are cut at multiples of this */
    LS_SLOT_NAME = 3 * 48 + 8
};

typedef enum ls_slot_kind {
    LS_SLOT_WEIGHT,
    LS_SLOT_BIAS, /* biases, norm scales and shifts, PReLU slopes: may be spared weight decay */
    LS_SLOT_STATE /* saved, not trained: its "gradient" carries statistics (batch norm) */
} ls_slot_kind;

typedef enum ls_initializer_kind {
    LS_INIT_ZERO,
    LS_INIT_HE,      /* normal, std sqrt(2 / fan_in): He et al. 2015, eq. 10 */
    LS_INIT_XAVIER,  /* uniform +-sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010, eq. 16 */
    LS_INIT_NORMAL,  /* normal, std scale */
    LS_INIT_UNIFORM, /* uniform +-scale */
    LS_INIT_CONSTANT /* scale */
} ls_initializer_kind;

typedef struct ls_initializer {
    ls_initializer_kind kind;
    double scale; /* NORMAL, UNIFORM, CONSTANT */
    double fan_in, fan_out;
} ls_initializer;

typedef struct ls_slot ls_slot;
typedef struct ls_layout ls_layout;
/* A storage layout that differs from the logical one (panels). The stored size in reals is claimed;
 * padding stays 0. load: logical -> stored, store: stored -> logical. */
struct ls_layout {
    long (*size)(const ls_layout *layout, const ls_shape *shape);
    void (*load)(const ls_layout *layout, const ls_shape *shape, const real *logical, real *stored);
    void (*store)(const ls_layout *layout, const ls_shape *shape, const real *stored,
                  real *logical);
    long groups; /* equal parts of the first dimension, each stored by itself; 1 */
};

struct ls_slot {
    char name[LS_SLOT_NAME]; /* net/layer/parameter */
    ls_slot_kind kind;
    ls_shape shape; /* logical: [out, in], [out, in, h, w] */
    ls_initializer initializer;
    ls_layout layout;  /* size NULL: as the logical one */
    long offset, size; /* in the array, in reals, without padding */
};

/* Slots [begin, end). */
typedef struct ls_interval {
    long begin, end;
} ls_interval;
enum { LS_INTERVALS = 64 };
typedef struct ls_slots {
    int count;
    ls_interval at[LS_INTERVALS]; /* sorted, not touching */
} ls_slots;

typedef struct ls_params {
    int nets;  /* built over it so far: their layers draw different numbers */
    int count; /* slots */
    ls_slot *slots;
    long size;          /* reals of the whole array, a multiple of LS_SLOT_ALIGN */
    long prepared_size; /* reals of prepared memory (packed weights) */
    real *values;       /* borrowed: handed in at commit */
    real *prepared;
} ls_params;

ls_params *ls_params_create(void); /* free with ls_params_destroy */
void ls_params_destroy(ls_params *params);
/* A new slot; its number; layout NULL: as the logical one. Only before commit. A name that exists
 * is a bug (ls_check). */
int ls_params_claim(ls_params *params, const char *name, ls_slot_kind kind, const ls_shape *shape,
                    const ls_initializer *initializer, const ls_layout *layout);
/* Prepared memory, 64-byte aligned; its offset. Only before commit. */
long ls_params_claim_prepared(ls_params *params, long reals);
/* The storage: `values` of params->size reals, `prepared` of params->prepared_size (both borrowed,
 * 64-byte aligned). Contents are left as they are. */
void ls_params_commit(ls_params *params, real *values, real *prepared);
/* Every slot of `slots` (NULL: all) from its initialiser: by (seed, slot name, logical index), so
 * that the values do not depend on layout, rank or order. */
void ls_params_initialize(ls_params *params, uint64_t seed, const ls_slots *slots);
/* The slot named `name`, or -1. */
int ls_params_find(const ls_params *params, const char *name);
/* Learned numbers without padding; state apart. */
long ls_params_trained(const ls_params *params);
/* Between an array with the params' offsets (values, a gradient, optimizer state) and the slot's
 * logical numbers, ls_shape_count(&slot->shape) of them. */
void ls_params_load(const ls_params *params, int slot, const real *logical, real *array);
void ls_params_store(const ls_params *params, int slot, const real *array, real *logical);

/* Adds slot [begin, end), keeping the list sorted and joined. */
void ls_slots_add(ls_slots *slots, long begin, long end);
ls_slots ls_slots_all(const ls_params *params);
bool ls_slots_contain(const ls_slots *slots, int slot);
/* The reals of each interval, padding included. */
ls_interval ls_slots_reals(const ls_params *params, const ls_interval *slots);
