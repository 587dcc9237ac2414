/* spectral: the option spectral=1 of layers with a weight (weights.h): they use W / sigma, where
 * sigma is the largest singular value of the weight as a matrix W [rows, columns]. spectral.c has
 * the formulas. Without the option these functions do nothing. */
#pragma once
#include "core/layer.h"

/* Part of ls_weights. */
typedef struct ls_spectral {
    bool on;       /* spectral=1 */
    bool turned;   /* W's rows are the second dimension of the weight's slot, not the first */
    int slot;      /* u, among the layer's slots */
    long prepared; /* where its memory begins in the layer's prepared memory */
    long deep;     /* the stored weight is [wide][deep][LS_PANEL] */
    long wide;
} ls_spectral;

/* For setup, after all else is claimed: claims u, and memory. rows: the dimension of the weight's
 * slot, 0 or 1, that is W's rows. LS_USAGE error for a weight that starts at 0. */
bool ls_spectral_claim(ls_layer *layer, int rows, ls_error *error);
/* Makes W / sigma, to be called first in `prepare`; does not change u. */
void ls_spectral_prepare(const ls_layer *layer);
/* The weight that the layer's passes use, stored as slot 0 is. */
const real *ls_spectral_weight(const ls_layer *layer);
/* For backward: keeps what the gradient needs of each row. */
void ls_spectral_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args);
/* For gradient, before and after the gradient G by W / sigma of outputs `part` (of the slot's first
 * dimension, cut at panels or groups) is added to that of slot 0: together they make it the
 * gradient by W. The second also tells the step u's new value. */
void ls_spectral_before(const ls_layer *layer, const ls_pass *pass, const ls_interval *part);
void ls_spectral_after(const ls_layer *layer, const ls_pass *pass, const ls_layer_args *args,
                       const ls_interval *part);
