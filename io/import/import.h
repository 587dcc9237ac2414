/* import: other formats to data set files. */
#pragma once
#include <stdio.h>

#include "core/check.h"

typedef struct ls_import_idx {
    const char *train_images, *train_labels; /* IDX, plain or gzip */
    const char *test_images, *test_labels;   /* NULL: none */
    const char *output;
    long valid; /* rows split off train by a seeded permutation; 0: no valid split */
    unsigned long seed;
    bool force; /* overwrite the output */
} ls_import_idx;
/* Images [rows, h, w, 1] uint8 with scale 1/255; labels uint8 with classes, the largest label of
 * all files + 1. Rows keep the order of their file. The output appears whole or not at all.
 * `report` gets a line a split, and one where train and test differ in classes; NULL: none.
 * LS_USAGE (valid too large, output exists), LS_DATA, LS_IO errors. */
bool ls_import_idx_run(const ls_import_idx *import, FILE *report, ls_error *error);

typedef struct ls_import_synthetic {
    const char *output;
    long rows, valid, test; /* of the splits; valid and test may be 0 */
    long size;              /* height and width of a picture, pixels: 12 to 512 */
    long classes;           /* 2 to 20: digits, then letters */
    unsigned long seed;
    bool force;
} ls_import_synthetic;
/* Pictures of drawn glyphs [rows, size, size, 1] uint8 with scale 1/255, and their classes. Every
 * row is a function of (seed, split, row): more rows leave the first ones as they are. `report` as
 * above. LS_USAGE and LS_IO errors. */
bool ls_import_synthetic_run(const ls_import_synthetic *import, FILE *report, ls_error *error);

typedef struct ls_import_csv {
    const char *train, *test; /* text, plain or gzip; test NULL: none */
    const char *output;
    const char *label; /* the column of class labels: its name (with header), or its number from 1;
                          NULL: the last; "none": no labels */
    long targets;      /* the last columns are this many regression targets, and no labels; 0 */
    bool header;       /* the first line holds names */
    char separator;    /* between fields: ',' */
    double scale;      /* what numbers of x are multiplied by: 1 */
    bool standardize;  /* instead: each column of x to mean 0 and deviation 1 over the training rows
                        */
    const char *like; /* instead: a file that was made so; its mean and deviation, classes and names
                         of classes are taken over; NULL */
    long valid;       /* as for idx */
    unsigned long seed;
    bool force;
} ls_import_csv;
/* x float32 [rows, columns]; y int32 [rows] with attribute classes, or float32 [rows, targets].
 * Labels that are whole numbers from 0 stay as they are; others are names, numbered in the order
 * of their bytes and kept in the attribute class_names, a line each. With standardize or like, x
 * has the attributes column_mean and column_deviation. The tables are held in memory. LS_DATA
 * errors name file, line and column; LS_USAGE, LS_IO. */
bool ls_import_csv_run(const ls_import_csv *import, FILE *report, ls_error *error);
