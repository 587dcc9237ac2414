/* loss: value and gradient of a loss at a net's output, summed over rows (the mean is taken once,
 * over all ranks). */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

typedef struct ls_loss_type {
    const char *name, *help;
    /* Adds nothing, fills: *loss and *correct are sums over the rows (correct: rows whose
     * prediction is the label; 0 for vector targets). y [rows, width] are the net's outputs; target
     * [rows] labels as whole numbers (vector: false) or [rows, width] vectors. dy [rows, width]
     * gets dloss/dy; NULL: not wanted. smoothing: share of the goal that is spread evenly over all
     * classes (Szegedy et al. 2016, section 7); 0 where not `smooths`. */
    void (*run)(const real *y, const real *target, bool vector, double smoothing, long rows,
                long width, real *dy, double *loss, double *correct);
    double threshold; /* of one output: the prediction is class 1 where it is above */
    bool vectors;     /* takes vector targets */
    bool labels;      /* takes labels */
    bool smooths;     /* takes label smoothing */
} ls_loss_type;

extern const ls_loss_type ls_loss_types[]; /* ends with a NULL name */
/* NULL and an LS_USAGE error that names the nearest. */
const ls_loss_type *ls_loss_find(const char *name, ls_error *error);
/* The class that outputs y[width] stand for: the first of the largest; of one output, class 1 where
 * it is above `threshold`. */
long ls_loss_predict(const real *y, long width, double threshold);
