/* loss: value and gradient of a loss at a net's output, and what that output means to the loss.
 * Values are sums over rows; the mean is taken once, over the rows of all ranks. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

/* What the outputs y[width] of a net mean, once a loss has trained it: how a prediction is made and
 * shown. Both functions turn the outputs of one row into numbers for a person, out[width]. */
typedef struct ls_meaning {
    const char *name; /* of the numbers beside a predicted class: "probability", or "score" */
    void (*of_classes)(const real *y, long width, real *out); /* outputs stand for classes */
    void (*of_values)(const real *y, long width, real *out);  /* outputs stand for values */
    bool values;      /* if the data has no targets to tell, the outputs are values */
    double threshold; /* of a single output: class 1 is predicted if it is above */
} ls_meaning;

/* Which numbers a loss takes as vector targets, or as rows that are to be rebuilt; with others it
 * would have no least value. */
typedef struct ls_target_rule {
    bool (*takes)(double target);
    const char *words; /* "bce takes targets from 0 to 1" */
    bool standard;     /* of rows: together their numbers must have about mean 0 and deviation 1 */
} ls_target_rule;

/* The rule of bce: a number from 0 to 1. A scale such as 1/255 may round to a little more. */
bool ls_loss_is_probability(double target);

/* Outputs of a net and what they are compared with. */
typedef struct ls_loss_batch {
    long rows, width;
    const real *y;      /* [rows, width] outputs */
    const real *target; /* [rows, width] vectors, or [rows] labels as whole numbers; -1: none */
    bool vector;        /* targets are vectors */
    double smoothing;   /* share of a label's goal that is spread evenly over all classes (Szegedy
                           et al. 2016, section 7); 0 for losses without `smooths` */
    real *dy;           /* [rows, width] gets dloss/dy; NULL: not wanted */
} ls_loss_batch;

/* A row of the table. Either `of_output` or `of_row` computes the loss. */
typedef struct ls_loss_type {
    const char *name, *help;
    /* The loss of one output y with goal t, *slope its derivative by y; a row's loss is the sum
     * over its outputs. A label becomes goals: 1 at the label, `off` elsewhere. */
    double (*of_output)(double y, double t, double *slope);
    double off;
    /* The loss of a row with a label; dy[width], unless NULL, gets its derivative. */
    double (*of_row)(const real *y, long label, double smoothing, long width, real *dy);
    ls_meaning meaning;
    bool vectors;               /* takes vector targets, ... */
    const ls_target_rule *rule; /* ... that fit this; NULL: any */
    bool smooths;               /* takes label smoothing */
    bool logits;                /* takes any numbers and makes probabilities of them by itself */
    bool softmax; /* wants an output for each class; others take a single one for two classes */
} ls_loss_type;

extern const ls_loss_type ls_loss_types[]; /* ends with a NULL name */
/* NULL and an LS_USAGE error that names the nearest. */
const ls_loss_type *ls_loss_find(const char *name, ls_error *error);
/* The sum of the loss over the rows, of which those without a label count nothing; fills batch->dy;
 * *correct: rows with the right class, or 0. */
double ls_loss_sum(const ls_loss_type *type, const ls_loss_batch *batch, double *correct);
/* The values that outputs y[rows, width] stand for: row after row, `apart` numbers apart in out. */
void ls_loss_values(const ls_meaning *meaning, long rows, long width, const real *y, long apart,
                    real *out);
/* For ls_meaning: s(y) of each of width numbers, s the logistic function; and the numbers as they
 * are. */
void ls_loss_logistic(const real *y, long width, real *out);
void ls_loss_copy(const real *y, long width, real *out);
/* The class that outputs y[width] predict: the first of the largest; of one output, class 1 if it
 * is above `threshold`. */
long ls_loss_predict(const real *y, long width, double threshold);
