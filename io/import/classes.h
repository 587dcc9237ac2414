/* classes: how many rows each class has, what is said of that, which labels are refused, and the
 * names of classes in a file. */
#pragma once
#include <stdio.h>

#include "io/h5/h5.h"
#include "io/labels.h"

/* Labels of a set of rows, from 0: begins as {0}; free count with ls_free. */
typedef struct ls_classes {
    long *count; /* [classes] rows of each label */
    long classes, rows;
    long room;
    bool given; /* how many classes there are is known: rows need not have all of them */
    long first; /* what is written in the file for label 0: the option labels_from */
} ls_classes;

/* Adds a row; 0 <= label < LS_CLASSES_MAX. */
void ls_classes_add(ls_classes *classes, long label);
/* Whether there is only one class, or a class without rows. */
bool ls_classes_odd(const ls_classes *classes);
/* Whether nearly all classes have no row. */
bool ls_classes_sparse(const ls_classes *classes);
/* Whether the labels of `where` ("t.csv: column 3 (kind)") can be classes: LS_DATA errors where
 * there is one class only, or nearly all have no row, unless classes->given. Then says to `report`
 * (NULL: nobody) how many rows the classes have, and which have none. `names` are those of the
 * classes; NULL: they are numbers. `hint` says what else the labels may be, where they are odd; or
 * NULL. */
bool ls_classes_check(const ls_classes *classes, const char *where, char *const *names,
                      const char *hint, FILE *report, ls_error *error);
/* The order of names, for qsort and bsearch over char *: finite numbers by their values, then words
 * by their bytes. */
int ls_classes_order(const void *a, const void *b);
/* Gives the labels `y` the attribute class_names: name[classes], a line each. */
bool ls_classes_put_names(char *const *name, long classes, hid_t y, ls_error *error);
