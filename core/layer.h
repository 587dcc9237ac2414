/* layer: the contract. A layer type is a file of core/layers, one line in layers.def, and the
 * contract test; no other place knows it.
 *
 *   setup     checks the inputs, claims slots and memory, sets the output shape; the only part that
 *             can fail;
 *   prepare   what depends on parameters only (packed weights), after each update;
 *   forward   y from x;
 *   backward  dx from dy;
 *   gradient  after backward of all rows: *adds* to the parameter gradients, from x, dy and kept.
 *
 * A run shares the work among threads: forward and backward are called for parts of the rows, and
 * gradient for all rows and a part of the parameters, so that no sum depends on the number of
 * threads. So kept and row state are claimed per row, and lie row after row. A layer that mixes
 * rows is free of that: it is called once, shares its own work, and its backward does what gradient
 * does.
 *
 * Four kinds of memory, declared in setup, planned once at compile; nothing is allocated in a step:
 *   kept       what forward saves for backward; of one run
 *   scratch    shared by all layers of a run, one a thread, as large as the largest claim for all
 *              rows; undefined at entry
 *   prepared   made by prepare, shared by the ranks of a node
 *   row state  what a row carries from step to step; held per row, saved in row order
 */
#pragma once
#include "core/params.h"
#include "core/spec.h"

enum { LS_LAYER_SLOTS = 16 };

/* How a net is applied: everything that forward and backward may depend on besides x and values. */
typedef struct ls_pass {
    bool training; /* dropout on, batch statistics */
    uint64_t seed, step;
    uint32_t draw;  /* which application of the net in this step (a GAN applies one twice) */
    long row;       /* place in the global batch of row 0 */
    real *gradient; /* an array with the params' offsets; NULL: parameter gradients off */
    /* Called in backward when no later work of the pass adds to slots [begin, end): their sum over
     * the ranks may start. NULL: nobody asks. */
    void (*finished)(void *context, ls_interval slots);
    /* Sums values[count] over the ranks in a fixed order, for statistics over the whole batch:
     * **Collective**, so every rank runs the layers that ask for it. NULL: there is one rank. */
    void (*sum)(void *context, double *values, long count);
    void *context; /* of both */
} ls_pass;

typedef struct ls_layer_type ls_layer_type;

/* How a net is computed, whatever its lines say. */
typedef struct ls_build {
    int threads;     /* that share the work of a pass; 0 stands for 1 */
    bool exact_conv; /* convolutions are plain sums: no Winograd */
} ls_build;

/* What setup asks for, in bytes: fixed, and for each row of the run. */
typedef struct ls_claim {
    size_t fixed, per_row;
} ls_claim;

/* One line of a net. */
typedef struct ls_layer {
    const ls_layer_type *type;
    char name[48];
    uint32_t stream;       /* the `layer` of its random draws: its own among all nets */
    int inputs, input[8];  /* layer numbers; -1 is the net's input */
    ls_shape x[8], y;      /* shapes of a row */
    void *self;            /* the type's private struct, options filled in */
    ls_params *params;     /* borrowed */
    const ls_build *build; /* borrowed from the net */
    char net[48];
    int slots, slot[LS_LAYER_SLOTS];
    ls_claim kept, scratch;
    long prepared, prepared_size; /* offset and reals in params->prepared */
    bool blocks;  /* dx is 0 everywhere: parameters that only it leads to cannot learn */
    bool sums;    /* calls pass->sum: one shard a rank */
    double flops; /* multiply-adds times 2 of forward, a row */
} ls_layer;

/* What one forward or backward sees. */
typedef struct ls_layer_args {
    long rows; /* 0 is possible */
    const real *x[8];
    real *dx[8]; /* backward: NULL where nobody wants it */
    bool add[8]; /* dx holds something already: add to it, else overwrite it */
    real *y;     /* forward: written; backward: as forward left it */
    const real *dy;
    void *kept, *scratch;
    int part, parts; /* gradient: which part of the parameters is wanted, of how many */
    int threads;     /* a layer that mixes rows may take so many for its own work */
} ls_layer_args;

struct ls_layer_type {
    const char *name, *help;
    /* Spec lines for the contract test, each "h,w,c | line; line" with the input's shape first;
     * NULL-terminated. */
    const char *const *examples;
    size_t size;              /* of the private struct */
    const ls_option *options; /* into the private struct; NULL: none */
    int inputs_min, inputs_max;
    bool mixes_rows; /* batch norm: a row's output depends on the others; see above */
    bool random;     /* draws: the contract test repeats (seed, step) */
    bool (*setup)(ls_layer *layer, ls_error *error);
    void (*prepare)(const ls_layer *layer); /* NULL: nothing to prepare */
    void (*forward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    void (*backward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    /* Only where pass->gradient is an array; NULL: no parameters. */
    void (*gradient)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    void (*destroy)(ls_layer *layer); /* what setup allocated inside self; NULL: nothing */
    /* For `check --dump`: the kept bytes that are a mask or draw, as reals [rows, y]; NULL: none.
     */
    const real *(*draws)(const ls_layer *layer, const ls_layer_args *args);
};

/* For gradient: its part of `count` outputs, in whole units: [begin, end). */
static inline ls_interval ls_layer_args_part(const ls_layer_args *args, long count, long unit)
{
    long units = (count + unit - 1) / unit, end = units * (args->part + 1) / args->parts * unit;
    ls_interval own = {units * args->part / args->parts * unit, end < count ? end : count};
    return own;
}

/* For setup. */
int ls_layer_claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, const ls_shape *shape,
                   const ls_initializer *initializer, const ls_layout *layout);
/* For forward and backward: the k-th claimed slot. ls_layer_gradient is NULL where the pass wants
 * none. */
const real *ls_layer_value(const ls_layer *layer, int k);
real *ls_layer_gradient(const ls_layer *layer, const ls_pass *pass, int k);
/* Zeroes dx[k] where it holds nothing yet, for layers whose backward scatters. NULL where unwanted.
 */
real *ls_layer_args_dx(const ls_layer *layer, const ls_layer_args *args, int k);

/* Every type of layers.def, in its order; NULL-terminated. */
extern const ls_layer_type *const ls_layer_types[];

/* The weight initialisers' option, common to layers with weights:
 * init=he|xavier|normal|uniform|zero scale=. */
extern const char *const ls_initializer_names[]; /* in the order of ls_initializer_kind */
