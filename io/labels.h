/* labels: whether the targets of a split are class labels, and whether they are in range. */
#pragma once
#include "io/column.h"

/* For messages: what to do with rows that have no label. */
#define LS_LABELS_SOME                                                                             \
    ". Where only some rows have labels, let these come first, give the others any label, and "    \
    "take the first ones by `rows: N` in the stage that needs labels"

enum { LS_CLASSES_MAX = 1 << 24 }; /* labels become reals: float32 holds all whole numbers below */

/* Targets y of shape [rows] or [rows, 1] are labels if they are stored as whole numbers or have the
 * attribute `classes`: the shape of a row becomes {}, and split->classes the attribute (0: there is
 * none). Of other shapes they are labels, one a step, if they have that attribute. All others are
 * targets of regression; [rows] becomes [rows, 1]. The attribute `ignore`, of labels alone,
 * becomes split->ignore. LS_DATA errors for a bad attribute. */
bool ls_labels_recognise(ls_split *split, const ls_column *y, ls_error *error);
/* If targets that are no labels look like such (whole numbers, or a single 1 in each row), writes
 * what makes labels of them into text[size]; else "". Reads all of them. */
void ls_labels_advise(const ls_split *split, const ls_column *y, char *text, size_t size);
/* Reads all labels: each must be a whole number from 0 on, below split->classes unless that is 0,
 * or split->ignore. *largest rises to the largest, split->labels becomes their digest. LS_DATA
 * errors name row and step, or token. */
bool ls_labels_check(ls_split *split, const ls_column *y, long *largest, ls_error *error);
/* Labels of rows[0..n), as they were read again: those that are split->ignore become -1. After
 * ls_labels_check they are out of range only if the file was written to meanwhile, which the
 * message says. */
bool ls_labels_take(const ls_split *split, const ls_column *y, const int64_t *rows, long n,
                    real *labels, ls_error *error);
/* Refuses y that has not as many rows as x. Returns false. */
bool ls_labels_refuse_rows(const ls_split *split, const char *path, ls_error *error);
