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
     * gets dloss/dy; NULL: not wanted. */
    void (*run)(const real *y, const real *target, bool vector, long rows, long width, real *dy,
                double *loss, double *correct);
    double threshold; /* of one output: the prediction is class 1 where it is above */
    bool vectors;     /* takes vector targets */
    bool labels;      /* takes labels */
} ls_loss_type;

extern const ls_loss_type ls_loss_types[]; /* ends with a NULL name */
const ls_loss_type *ls_loss_find(const char *name);
/* The class that outputs y[width] stand for: the first of the largest; of one output, class 1 where
 * it is above `threshold`. */
long ls_loss_predict(const real *y, long width, double threshold);
