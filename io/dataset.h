/* dataset: what a data file holds: splits, shapes, types, and the checks before use.
 *
 * Groups train, valid, test, each with x [rows, ...] and, where there are targets, y; or x_train,
 * y_train, ... at the root. Attributes of x: scale and offset (x = scale * stored + offset),
 * layout; of y: classes.
 *
 * y of whole numbers, or with `classes`, and of shape [rows] or [rows, 1] holds labels: its row
 * shape is {}. Other y are targets for regression; [rows] counts as [rows, 1], so does x. */
#pragma once
#include "core/check.h"
#include "core/tensor.h"

typedef struct ls_array { /* one HDF5 data set, ready for pread where contiguous */
    ls_dtype type;
    long rows;
    ls_shape shape;       /* of a row; {} for labels */
    double scale, offset; /* value = scale * stored + offset; 1, 0 */
    long start; /* byte in the file where contiguous data begin; -1: chunked, or not in native byte
                   order: read through HDF5 */
    char path[64]; /* "train/x" */
} ls_array;

typedef struct ls_split {
    char name[16];
    bool present, has_y;
    ls_array x, y;
    ls_shape row; /* of a row of x as ls_dataset_read gives it, transformed */
    long classes; /* of labels: attribute (of any split), else largest label + 1 over all splits;
                     0: no labels */
} ls_split;

typedef enum { LS_TRAIN, LS_VALID, LS_TEST, LS_SPLITS } ls_split_id;

typedef struct ls_dataset ls_dataset;
/* Opens and checks (structure, types, sizes, labels in range). NULL and an LS_DATA error that names
 * file, data set, what was found and what was expected. Close with ls_dataset_close. Every rank
 * opens for itself. */
ls_dataset *ls_dataset_open(const char *path, ls_error *error);
void ls_dataset_close(ls_dataset *data);
const char *ls_dataset_path(const ls_dataset *data);
const ls_split *ls_dataset_split(const ls_dataset *data, ls_split_id split);
/* NULL-safe: "train" -> LS_TRAIN; LS_SPLITS where unknown. */
ls_split_id ls_split_find(const char *name);
/* What decides the random part of the transforms, besides the data set's row. */
typedef struct ls_augment {
    uint64_t seed;
    uint32_t stage;
    long epoch;
} ls_augment;
/* Spec lines of io/transform.h: from now on ls_dataset_read applies them, and `row` of each split
 * is what they make of x. NULL: none. LS_USAGE errors that name the line; then all is as it was.
 * Not while other threads read. */
bool ls_dataset_transform(ls_dataset *data, const char *lines, ls_error *error);
/* Reads rows[0..n) of a split, converted to real and transformed (the random part only where
 * `augment` is not NULL): x [n, row shape], y [n, y shape] (labels as whole
 * numbers). x or y may be NULL. A row outside the split is a bug. Safe from several threads. LS_IO
 * errors; LS_DATA for a NaN or infinity in x or y, naming the row. */
bool ls_dataset_read(ls_dataset *data, ls_split_id split, const int64_t *rows, long n,
                     const ls_augment *augment, real *x, real *y, ls_error *error);
/* A digest of names, shapes and types (not contents): a resumed run refuses data of another shape.
 */
uint64_t ls_dataset_shape_digest(const ls_dataset *data);
