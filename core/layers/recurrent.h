/* recurrent: what the layers rnn, gru and lstm have in common. x [time, features] becomes y
 * [time, units], or [units] with last=1, by a cell that is applied step after step: from x_t and
 * the state that the step before has left it makes the next state. The first state is 0, or with
 * carry=1 what the row before in the same stream has left. One layer is one direction; reverse=1
 * goes from the last step to the first.
 *
 *     forward     XG = x W^T + b          of all steps, one product
 *                 each step:  XG_t += h R^T, then the cell's functions, row after row
 *     backward    each step, from the last: dG_t from dh, then dh = dG_t R
 *                 dx = dG W               of all steps, one product
 *     gradient    dW, dR, db              of all steps, one product each
 *
 * Back-propagation goes through all steps of the sequence, and with carry=1 not into those before
 * it (truncated: Williams and Peng 1990), from whose last state it began. R is turned round in
 * `prepare`, once an update, so that both products of a step read weights in panels.
 *
 * W [gates * units, features] and R [gates * units, units] have panels of their own for each gate,
 * so that a gate's columns begin at a multiple of 32: `padded` is units, rounded up to it. What is
 * kept of a step is a *line* of *fields* of `padded` reals:
 *
 *     gate 0 | gate 1 | ... | h before the step | what else the cell's states and backward need | -
 *
 * Lines lie row after row, step after step, so each of the products over all steps takes operands
 * with one distance from line to line. Backward writes dG where the gates were. The last 16 reals
 * of a line are empty: without them the lines of one step might all fall into the same few sets of
 * a cache. For the same reason the state of a step is copied to where its rows are neighbours.
 *
 * With recurrent_dropout=P a step's products read m o h, where the mask m of a row is drawn anew at
 * each update and is the same at all steps; the rest of the cell sees h as it is. What is kept for
 * dR is the masked operand: in the place of h, or in a field of its own where the cell's backward
 * reads h.
 *
 * Of rows of unequal length the products over all steps take the lines that count, and a step takes
 * the rows up to the last that has it: where the longest come first, as they do in training
 * (io/loader.h), no row is computed behind its end. */
#pragma once
#include "core/kernels/matrix.h"
#include "core/layer.h"

enum { LS_RECURRENT_STATES = 2, LS_RECURRENT_PRODUCTS = 2 };
enum { LS_RECURRENT_WEIGHT, LS_RECURRENT_RECURRENT, LS_RECURRENT_BIAS }; /* slots */

/* A product of a step: field[to] gets field[from] times the rows of R of these gates. */
typedef struct ls_recurrent_product {
    int first, gates; /* gates [first, first + gates) */
    int from, to;     /* `to` is the first of as many fields */
    /* With recurrent dropout, the field of the masked operand, in place of `from`. From cell.fields
     * on there are fields that a line has with recurrent dropout only. */
    int masked;
} ls_recurrent_product;

typedef struct ls_recurrent_step ls_recurrent_step;

/* Fields are the gates; then the states before the step, h first; then the cell's own. */
typedef struct ls_recurrent_cell {
    int gates, states, fields, products;
    ls_recurrent_product product[LS_RECURRENT_PRODUCTS];
    /* From the gates' parts of x and the states before the step: fields for backward, new states.
     */
    void (*forward)(const ls_recurrent_step *step);
    /* From the gradients by the new states, those by the states before; writes dG into the gates,
     * and into each product's `to` the gradient by what it made. */
    void (*backward)(const ls_recurrent_step *step);
} ls_recurrent_cell;

/* The private struct of a recurrent layer begins with it. */
typedef struct ls_recurrent {
    long units;
    bool reverse, last, bias, orthogonal, carry;
    double recurrent_dropout;
    const ls_recurrent_cell *cell; /* the rest is set by ls_recurrent_setup */
    long in, steps, padded;
    long line; /* reals */
} ls_recurrent;

/* clang-format off */
#define LS_RECURRENT_OPTIONS                                                                       \
    {"units", LS_OPTION_INT, offsetof(ls_recurrent, units), NULL, 1, 1e6, NULL,                    \
     "numbers of the state h, which are the outputs of a step"},                                   \
    {"reverse", LS_OPTION_BOOL, offsetof(ls_recurrent, reverse), "0", 0, 1, NULL,                  \
     "goes from the last step to the first"},                                                      \
    {"last", LS_OPTION_BOOL, offsetof(ls_recurrent, last), "0", 0, 1, NULL,                        \
     "gives the state after all steps only, [units]; with reverse=1 that is the first step's"},    \
    {"bias", LS_OPTION_BOOL, offsetof(ls_recurrent, bias), "1", 0, 1, NULL,                        \
     "adds learned biases"},                                                                       \
    {"orthogonal", LS_OPTION_BOOL, offsetof(ls_recurrent, orthogonal), "0", 0, 1, NULL,            \
     "the recurrent weight of each gate starts as a random orthogonal matrix, not uniform in "     \
     "+-1/sqrt(units)"},                                                                           \
    {"carry", LS_OPTION_BOOL, offsetof(ls_recurrent, carry), "0", 0, 1, NULL,                      \
     "rows of a stream go on from the state that those before them have left"},                    \
    {"recurrent_dropout", LS_OPTION_REAL, offsetof(ls_recurrent, recurrent_dropout), "0", 0,       \
     0.999, NULL,                                                                                  \
     "share of h that the recurrent products do not see in training, the same units at all "       \
     "steps of a row (Gal and Ghahramani 2016)"}
/* clang-format on */

/* One step of some rows. */
struct ls_recurrent_step {
    const ls_layer *layer;
    const ls_recurrent *self;
    long rows;                        /* the first so many */
    real *kept;                       /* the step's line of row 0 */
    long apart;                       /* reals from there to the line of the next row */
    real *state[LS_RECURRENT_STATES]; /* [rows, units] each; in backward the gradients by them */
    real *spare;                      /* [rows, units] for the cell */
    real *packed;                     /* [rows, gates * padded] */
    const real *mask;                 /* [rows, units] of recurrent dropout; NULL: it drops none */
    real *unmasked;                   /* [rows, units] what a product gives before the mask */
    real *scratch;                    /* of the products */
};

/* A field of row i. */
static inline real *ls_recurrent_field(const ls_recurrent_step *step, long i, int field)
{
    return step->kept + i * step->apart + field * step->self->padded;
}

/* For a cell's forward: field[to] = (add: +=) x R^T, of a product, with x[rows, units]. */
void ls_recurrent_multiply(const ls_recurrent_step *step, int product, const real *x, bool add);
/* For a cell's backward: dx[rows, units] = (add: +=) field[to] R. */
void ls_recurrent_back(const ls_recurrent_step *step, int product, bool add, real *dx);

/* Setup: checks x, claims the slots "weight", "recurrent" and, unless bias=0, "bias" [gates *
 * units], which starts as `bias` says, and memory for this cell. */
bool ls_recurrent_setup(ls_layer *layer, const ls_recurrent_cell *cell, const ls_initializer *bias,
                        ls_error *error);
/* For ls_layer_type: [states, units] with carry=1. */
long ls_recurrent_carries(const ls_layer *layer);
/* For ls_layer_type: with reverse=1. */
bool ls_recurrent_looks_ahead(const ls_layer *layer);
/* For ls_layer_type: the mask of recurrent dropout, [units]. */
ls_shape ls_recurrent_draws(const ls_layer *layer, const ls_pass *pass, long rows, real *mask);
void ls_recurrent_prepare(const ls_layer *layer);
void ls_recurrent_forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
void ls_recurrent_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
/* sum[n] += the sum over all lines that count of n reals, which begin at `kept` in the first. */
void ls_recurrent_sum(const ls_layer *layer, const ls_layer_args *args, const real *kept, long n,
                      real *sum);
void ls_recurrent_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
