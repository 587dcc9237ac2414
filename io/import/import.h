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
