/* csv_labels: what the label column of a table means, numbers of classes or names, and the class of
 * each row.
 *
 * One field must not change what all others mean. So if most labels of the training table are whole
 * numbers from 0, they are classes, and a label that is none is refused by its line; if most are
 * other numbers, they are refused as no classes; else labels are names. Names that are numbers come
 * first, in the order of their values, then the others in the order of their bytes. */
#pragma once
#include "io/h5/h5.h"
#include "io/import/classes.h"
#include "io/import/csv_table.h"

typedef struct ls_csv_labels {
    long classes;     /* 0: there are no labels */
    char **names;     /* [classes], borrowed from the table or from `known`; NULL: numbers */
    char **sorted;    /* [classes] the same in the order of their bytes */
    long *class;      /* [classes] of sorted[i] */
    char *known;      /* the names of `like`, each ended by 0 */
    const char *like; /* a data set whose classes these are; NULL: they are those of the table */
    long first;       /* what the table calls class 0, where labels are numbers */
    bool begins;      /* the data set `like` says what that is; those of before do not */
} ls_csv_labels;

/* Reads the classes of the data set labels->like, and where its labels begin, from its y. LS_DATA
 * errors. */
bool ls_csv_labels_read(ls_csv_labels *labels, hid_t y, ls_error *error);
/* Numbers the classes, fills `class` of both tables (test->path NULL: there is none), and says to
 * `report` (NULL: nobody) what the column means. LS_DATA errors name line and column. */
bool ls_csv_labels_number(ls_csv_labels *labels, const ls_import *import, ls_csv_table *train,
                          ls_csv_table *test, FILE *report, ls_error *error);
/* Writes what ls_csv_labels_read reads: the attributes classes, and class_names, a line each, or
 * of labels that are numbers labels_from. LS_IO errors. */
bool ls_csv_labels_put(const ls_csv_labels *labels, hid_t y, ls_error *error);
void ls_csv_labels_release(ls_csv_labels *labels);
