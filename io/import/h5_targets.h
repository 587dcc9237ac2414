/* h5_targets: what y of a foreign HDF5 file holds: labels, labels as rows of one 1, labels of the
 * steps of a sequence, or targets.
 *
 * Whole numbers in one column are labels. Floats in one column are labels where all of them are
 * whole numbers of classes (Caffe and MATLAB store labels so). In several columns y holds labels
 * where each row has one 1 among zeros (Keras), unless the attribute `classes` of whole numbers
 * says another number than that of the columns. Other whole numbers in several columns with
 * `classes` are labels of steps, as lockstep's own files have them, and stay as they are where the
 * first label is 0. All else is targets of regression. A number that the attribute `ignore` of
 * labels names stands for none of them; where the first label is not 0, it moves with the others.
 */
#pragma once
#include "io/import/classes.h"
#include "io/import/h5_rows.h"
#include "io/import/import.h"

typedef enum { LS_H5_LABELS, LS_H5_ONE_HOT, LS_H5_STEPS, LS_H5_TARGETS } ls_h5_meaning;

typedef struct ls_h5_targets {
    ls_h5_meaning meaning;
    long given;   /* attribute classes of y, or the columns of rows of one 1; 0: neither */
    long first;   /* the label that becomes class 0 */
    long largest; /* class met so far, of any split; -1 */
    bool ignores; /* attribute ignore of y: this number stands for no label */
    long ignore;
} ls_h5_targets;

/* Decides by the rows of a y and import->y ("labels", "targets", NULL: by the numbers), and says to
 * `report` (NULL: nobody) what is not plain. LS_USAGE and LS_DATA errors. */
bool ls_h5_targets_decide(ls_h5_targets *targets, const ls_h5_rows *y, const ls_import *import,
                          FILE *report, ls_error *error);
/* Whether y holds labels that are numbers, in a column or of steps: these may begin at `first`. */
bool ls_h5_targets_numbered(const ls_h5_targets *targets);
/* Reads rows [first, first + n) of y as labels from 0 and counts them; `numbers` is room for
 * n * y->width doubles. LS_DATA errors name the row that has no label. */
bool ls_h5_targets_labels(ls_h5_targets *targets, const ls_h5_rows *y, long first, long n,
                          double *numbers, int32_t *labels, ls_classes *classes, ls_error *error);
