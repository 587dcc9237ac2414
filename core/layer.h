/* layer: the contract between layers and all else. A layer type is a file of core/layers and a line
 * of layers.def; the contract test finds it there, and no other place knows it.
 *
 *   setup     checks the inputs, claims slots and memory, sets the output shape; the only part that
 *             can fail;
 *   prepare   what depends on parameters only (packed weights), after each update;
 *   forward   y from x;
 *   backward  dx from dy;
 *   factors   what the gradient of the weight is a product of, if it is one (dist/factors.h);
 *   gradient  after backward of all rows: *adds* to the parameter gradients, from x, dy and kept;
 *             for a state slot it holds what the step will add to it. If a step applies the layer
 *             several times, each application moves the slot on from where the last one left it.
 *
 * A pass shares the work among threads: forward and backward are called for parts of the rows, and
 * gradient for all rows and a part of the parameters, so that each number of a gradient is summed
 * by one thread and does not depend on how many there are. Therefore what a layer keeps is claimed
 * per row, and lies row after row. A layer that mixes rows (batch norm) is called once for all
 * rows, shares its own work, and its backward also does what gradient does.
 *
 * Where rows are sequences of unequal length, the numbers of x behind a row's end are 0, and so
 * are those of dy: the workspace zeroes y and dx there after each layer. Then a layer that treats
 * each step alone adds exact zeros to its gradients, and need not know of lengths; or it leaves y
 * and dx there as they are, and computes the lines that count alone (ls_layer_next_lines). A layer
 * whose result depends on where a row ends (a pool over time, a recurrent layer from the end) goes
 * by args->steps, and a type whose output has a time axis says so by `time.steps`.
 *
 * Three kinds of memory, claimed in setup; nothing is allocated in a step:
 *   kept       what forward saves for backward, in a workspace
 *   scratch    for the length of one call, undefined at entry; each thread has one, as large as the
 *              largest claim of any layer for all rows
 *   prepared   what prepare makes, shared by the ranks of a node */
#pragma once
#include "core/params.h"
#include "core/spec.h"

enum { LS_LAYER_SLOTS = 16 };
enum { LS_LAYER_TOKENS = 1 << 24 }; /* whole numbers up to it are exact in a float */

/* A shard's rows of a row state (objective.h): data[rows, reals], which the objective moves on. */
typedef struct ls_carried {
    long first, rows; /* number of its first row among those of all shards */
    real *data;
} ls_carried;

/* What the gradient of a weight is a product of: dweight[out, in] += dy[rows, out]^T x[rows, in]
 * (kernels/matrix.h), of rows that lie one after the other. */
typedef struct ls_layer_factors {
    int slot;  /* the weight's; filled in by the workspace */
    int shard; /* number among the shards of this rank, from 0; filled in by launch/train */
    long out, in;
    long rows, per_row; /* rows of x and dy; how many of them one row of the data makes */
    long most;          /* rows that an application can have; filled in by the workspace */
    const real *x, *dy;
} ls_layer_factors;

/* One application of a net: all that its functions may depend on besides x and the values. */
typedef struct ls_pass {
    bool training; /* dropout drops, batch norm takes the batch's statistics */
    uint64_t seed, step;
    uint32_t draw; /* number of this application in the step (a GAN applies a net more than once) */
    long row;      /* index in the global batch of row 0 */
    long total;    /* rows of the whole batch in this application, of all shards; training only */
    /* [rows] 1 or more: of the steps of each row of the net's input, whose first dimension is time,
     * those that count: the numbers of the others are 0. NULL: all count. Layers go by args->steps.
     */
    const int32_t *length;
    /* [total] the same of all rows of the whole batch, of all shards, in any order; training only.
     * NULL: a shard counts by its rows. */
    const int32_t *all_length;
    real *gradient; /* an array with the params' offsets; NULL: no parameter gradients */
    /* Slots that may not change (a job's `train:` names the others); NULL: none. They get no
     * gradients, and a batch norm whose running statistics are among them normalises by these, as
     * in evaluation, and moves nothing (Keras's rule for a frozen layer). */
    const ls_slots *frozen;
    /* [row_states.count of the objective]: what this shard's rows carry from step to step. NULL:
     * none of it is kept (check, evaluation, generation), and the objective begins rows for itself.
     */
    const ls_carried *carried;
    /* What the rows of a net whose lines carry (ls_net_carried) go on from, a row each: forward
     * moves it on, and no gradient goes through it. NULL: they begin at 0, and where they end is
     * dropped. */
    const ls_carried *stream;
    /* Called in backward when the gradients of these slots are complete, so that their sum over the
     * ranks can start; and with count 0 in between, so that it moves on. NULL: nobody waits for
     * them. A slot that lines of the net share is complete after the first of them, and a frozen
     * one never is, nor one whose first line is not in the workspace. Slots that no backward
     * computes (LS_SLOT_ASIDE) are complete at the end of the objective's `gradient`. If an
     * objective applies a net more than once, or nets that share slots, it leaves this NULL for all
     * backward passes but the last. */
    void (*finished)(void *listener, const int *slots, int count);
    /* Asked in backward, before the gradient of a weight is made, with what it is a product of.
     * True: the listener makes it, and backward does not. x and dy are valid during the call only.
     * NULL: nobody asks for factors. */
    bool (*factors)(void *listener, const ls_layer_factors *factors);
    void *listener; /* of `finished` and `factors` */
    /* Factors that the listener took of the line whose gradient is made. NULL: it took none. */
    const ls_layer_factors *taken;
    /* Sums values[count] over the ranks in a fixed order, for statistics of the whole batch.
     * **Collective**, so all ranks must run the same layers. NULL: there is one rank. */
    void (*sum)(void *context, double *values, long count);
    void *context; /* of `sum` */
} ls_pass;

/* The `draw` of an update's first application of a net: `repeat` counts the updates that a phase of
 * the objective makes in a step. The next 255 numbers are for more applications. */
static inline uint32_t ls_pass_draw(int phase, int repeat)
{
    return (uint32_t)phase << 28 | (uint32_t)repeat << 8;
}

typedef struct ls_layer ls_layer;
typedef struct ls_layer_type ls_layer_type;

/* How a net is computed, whatever its lines say. */
typedef struct ls_build {
    int threads;     /* that share the work of a pass; 0 stands for 1 */
    bool exact_conv; /* convolutions are plain sums: no Winograd */
    bool carry;      /* recurrent lines go on from row to row, as carry=1 says it */
} ls_build;

/* Bytes that setup asks for: once, and for each row. */
typedef struct ls_claim {
    size_t fixed, per_row;
} ls_claim;

/* Parameters of another line in place of a line's own, as its keys share= and transpose= ask for. A
 * line of the same type uses all of them; one of another type, or with transpose=1, uses the
 * weight, and claims the rest. */
typedef struct ls_layer_share {
    const ls_layer *from; /* NULL: nothing is shared */
    bool transpose;       /* its weight [out, in] is used as [in, out] */
    /* During setup: where a refusal of ls_layer_claim goes, whether there was one, and how many
     * slots are shared. */
    ls_error *error;
    bool refused;
    int slots;
    int firsts, first[LS_LAYER_SLOTS]; /* of the layer's slots those that no line before it uses */
} ls_layer_share;

/* One line of a net. */
struct ls_layer {
    const ls_layer_type *type;
    char name[48];
    uint32_t stream; /* the `layer` of its random draws: different for all layers of all nets */
    int inputs, input[8];     /* layer numbers; -1 is the net's input */
    ls_shape x[8], y;         /* shapes of a row */
    void *self;               /* the type's private struct, options filled in */
    ls_params *params;        /* borrowed */
    const struct ls_net *net; /* that it is a line of */
    ls_layer_share share;
    int slots, slot[LS_LAYER_SLOTS];
    ls_claim kept, scratch;
    long prepared, prepared_size; /* offset and reals in params->prepared */
    bool blocks;  /* dx is always 0: parameters that act only through this layer cannot learn */
    bool sums;    /* calls pass->sum: needs one shard a rank */
    double flops; /* of forward, for a row; a multiply-add counts 2 */
};

/* The arrays of one call. */
typedef struct ls_layer_args {
    long rows; /* 0 is possible */
    const real *x[8];
    real *dx[8]; /* backward: NULL: not wanted */
    bool add[8]; /* dx holds another reader's share already: add to it; else overwrite it */
    real *y;     /* forward: written; backward: as forward left it */
    const real *dy;
    void *kept, *scratch;
    int part, parts; /* gradient: which part of the parameters is wanted, of how many */
    int threads;     /* for a layer that mixes rows: how many it may use */
    /* [rows] steps of x[0] that count, its first dimension being time; NULL: all do. */
    const int32_t *steps;
    long all_steps; /* the sum of `steps` over all rows of pass->all_length; 0: that is NULL */
} ls_layer_args;

/* What a type does with sequences, whose first dimension is time. */
typedef struct ls_layer_time {
    /* Numbers of a row that forward goes on from, and leaves for the rows that come next in the
     * same streams: ls_net_stream. NULL: none. */
    long (*carries)(const ls_layer *layer);
    /* If the first dimension of y is time, as that of x is: how many steps of y count where `steps`
     * of x do, 1 or more; 0: y has no time axis. NULL: it never has. */
    long (*steps)(const ls_layer *layer, long steps);
    /* Whether the output of a step may depend on later steps, or stands at another place in time
     * than its input: nets for streams (`unroll`) and text refuse such lines. NULL: never. */
    bool (*looks_ahead)(const ls_layer *layer);
    bool ignored; /* what stands behind the ends of sequences would be part of them */
} ls_layer_time;

struct ls_layer_type {
    const char *name, *help;
    /* Nets for the contract test: "shape of x | spec line; spec line"; NULL-terminated. */
    const char *const *examples;
    size_t size;                /* of the private struct */
    const ls_option *options;   /* into the private struct; NULL: none */
    int inputs_min, inputs_max; /* inputs_max 0 stands for exactly one input */
    bool mixes_rows; /* a row's output depends on statistics of each channel over rows; see above */
    bool transposes; /* takes transpose=1 */
    bool passes_on;  /* where it does not train, its outputs are its input */
    bool (*setup)(ls_layer *layer, ls_error *error);
    void (*prepare)(const ls_layer *layer); /* NULL: nothing to prepare */
    void (*forward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    void (*backward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    /* Called only if the pass wants the gradient of one of its slots at least. ls_layer_gradient is
     * NULL for the others, and for the first slot if its factors were taken. NULL: no parameters.
     */
    void (*gradient)(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
    /* Fills in what the gradient of the first slot is a product of, for all rows of `args`: all
     * members but slot, shard and most. False, or NULL: it is no such product, and `gradient` makes
     * it.
     */
    bool (*factors)(const ls_layer *layer, const ls_layer_args *args, ls_layer_factors *factors);
    /* Narrows [*low, *high], which comes as all numbers, to a range that no output leaves. NULL:
     * any number may come, unless the line passes on. */
    void (*range)(const ls_layer *layer, double *low, double *high);
    /* Its input are tokens, whole numbers below this one. NULL: any numbers. */
    long (*vocabulary)(const ls_layer *layer);
    ls_layer_time time;
    /* For `check --dump`: into draws[rows, at most as many as y has] the masks or noise of so many
     * rows in a training pass. Returns the shape of a row's, of rank 0 where the line draws none.
     * NULL: no line of this type does. */
    ls_shape (*draws)(const ls_layer *layer, const ls_pass *pass, long rows, real *draws);
};

/* rows / pass->total: the share of the batch's mean that is due to these rows, by which a shard
 * adds to the "gradient" of a state slot. 0 for no rows. */
double ls_layer_pass_share(const ls_pass *pass, long rows);
/* For gradient: the part of `count` outputs that this call computes, cut at multiples of `unit`. */
ls_interval ls_layer_args_part(const ls_layer_args *args, long count, long unit);
/* For setup: claims a slot NET/LAYER/PARAMETER, or takes that of the line that it shares with,
 * which must have the same shape and layout: else the net is refused. Returns its number k within
 * the layer. */
int ls_layer_claim(ls_layer *layer, const char *parameter, ls_slot_kind kind, const ls_shape *shape,
                   const ls_initializer *initializer, const ls_layout *layout);
/* Whether the pass must leave the k-th claimed slot as it is: it is frozen, or LS_SLOT_ASIDE. */
bool ls_layer_frozen(const ls_layer *layer, const ls_pass *pass, int k);
/* Values and gradient of the k-th claimed slot; NULL if the pass must leave it as it is, wants no
 * gradients, or has had its factors taken. */
const real *ls_layer_value(const ls_layer *layer, int k);
real *ls_layer_gradient(const ls_layer *layer, const ls_pass *pass, int k);
/* The `time.steps` of layers that treat each step alone: as many as x has, where y has a time axis
 * too.
 */
long ls_layer_same_steps(const ls_layer *layer, long steps);
/* For layers whose backward only adds to dx[k]: zeroes it unless add[k]. NULL: it is not wanted. */
real *ls_layer_args_dx(const ls_layer *layer, const ls_layer_args *args, int k);

/* For setup of layers that read tokens: y gets the input's shape with a last dimension of `width`
 * numbers for each; no gradient goes through. */
bool ls_layer_takes_tokens(ls_layer *layer, long width, ls_error *error);
/* What it says of its tokens; 0: it takes any numbers. */
long ls_layer_vocabulary(const ls_layer *layer);
/* What it says of later steps (ls_layer_time). */
bool ls_layer_looks_ahead(const ls_layer *layer);
/* The token that x stands for, rounded; -1: it is none below `vocabulary`. */
long ls_layer_token(long vocabulary, real x);

/* The keys that every line may have besides those of its type. */
typedef struct ls_layer_keys {
    char share[LS_WORD]; /* LINE or NET/LINE, or LS_LAYER_ALONE */
    bool transpose;
} ls_layer_keys;
#define LS_LAYER_ALONE "none"
extern const ls_option ls_layer_key_options[];

/* Of rows of so many steps, which lie one after the other, a line a step: the lines that count of
 * row *row and of those after it, as far as there is no gap. Moves *row to the next row, which is
 * args->rows in the end. Without args->steps all lines count. */
ls_interval ls_layer_next_lines(const ls_layer_args *args, long steps, long *row);

/* Every type of layers.def, in its order; NULL-terminated. */
extern const ls_layer_type *const ls_layer_types[];
/* Other names that types have in spec lines, and the types' own; ends with NULL. */
extern const char *const ls_layer_aliases[][2];

/* The values of init=, in the order of ls_initializer_kind; NULL-terminated. */
extern const char *const ls_initializer_names[];
