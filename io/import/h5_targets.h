/* h5_targets: what y of a foreign HDF5 file holds: labels, labels as rows of one 1, labels of the
 * steps of a sequence, or targets.
 *
 * Whole numbers in one column are labels. Floats in one column are labels where all of them are
 * whole numbers of classes (Caffe and MATLAB store labels so). In several columns y holds labels
 * where each row has one 1 among zeros (Keras). Whole numbers in several columns with the attribute
 * `classes` are labels of steps, as lockstep's own files have them, and stay as they are. All else
 * is targets of regression. */
#pragma once
#include "io/import/classes.h"
#include "io/import/h5_rows.h"
#include "io/import/import.h"

typedef enum { LS_H5_LABELS, LS_H5_ONE_HOT, LS_H5_STEPS, LS_H5_TARGETS } ls_h5_meaning;

typedef struct ls_h5_targets {
    ls_h5_meaning meaning;
    long given;   /* attribute classes of y; 0: there is none */
    long first;   /* the label that becomes class 0 */
    long largest; /* class met so far, of any split; -1 */
} ls_h5_targets;

/* Decides by the rows of a y and import->y ("labels", "targets", NULL: by the numbers), and says to
 * `report` (NULL: nobody) what is not plain. LS_USAGE and LS_DATA errors. */
bool ls_h5_targets_decide(ls_h5_targets *targets, const ls_h5_rows *y, const ls_import *import,
                          FILE *report, ls_error *error);
/* Reads rows [first, first + n) of y as labels from 0 and counts them; `numbers` is room for
 * n * y->width doubles. LS_DATA errors name the row that has no label. */
bool ls_h5_targets_labels(ls_h5_targets *targets, const ls_h5_rows *y, long first, long n,
                          double *numbers, int32_t *labels, ls_classes *classes, ls_error *error);
