/* labels: which targets are class labels, and are they in range? */
#pragma once
#include "io/column.h"

/* Whole numbers, or anything with an attribute `classes`, of shape [rows] or [rows, 1] are labels:
 * the array's shape becomes {} and split->classes the attribute, or 0 where there is none. Other
 * targets are for regression, [rows] becomes [rows, 1]. LS_DATA for a bad attribute. */
bool ls_labels_recognise(ls_split *split, const ls_column *y, ls_error *error);
/* Reads all labels: whole, not negative, and below split->classes where that is given. *largest
 * gets the largest label. */
bool ls_labels_check(const ls_split *split, const ls_column *y, long *largest, ls_error *error);
