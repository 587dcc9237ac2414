/* weights: finds the weights of rows, and makes a digest of them. */
#include "io/weights.h"

#include <stdio.h>
#include <xxhash.h>

#include "core/minmax.h"
#include "io/dataset_check.h"

enum { BLOCK = 4096 /* rows */ };

hid_t ls_weights_open(hid_t file, const ls_split *split, const char *path, ls_array *array,
                      ls_error *error)
{
    char name[sizeof split->x.path];
    bool there = false;
    for (int place = 0; !there && place < LS_DATASET_CHECK_PLACES; place++) {
        ls_dataset_check_place(place, split->name, "weight", name, sizeof name);
        if (!ls_dataset_check_exists(file, name, &there, error))
            return -1;
    }
    if (!there) {
        ls_error_set(error, LS_DATA,
                     "%s: has no %s/weight; sampling by weights needs a weight for each row of %s",
                     path, split->name, split->x.path);
        return -1;
    }
    hid_t dataset = ls_dataset_check_open(file, name, array, error);
    if (dataset < 0 || (array->rows == split->x.rows && ls_shape_count(&array->shape) == 1))
        return dataset;
    ls_error_set(error, LS_DATA,
                 "%s: %s has %ld rows of %ld numbers; expected one number for each of the %ld rows "
                 "of %s",
                 path, array->path, array->rows, ls_shape_count(&array->shape), split->x.rows,
                 split->x.path);
    H5Dclose(dataset);
    return -1;
}

bool ls_weights_read(hid_t from, const ls_array *array, long first, long n, double *weight)
{
    const bool ok = ls_h5_read_rows(from, H5T_NATIVE_DOUBLE, first, n, weight);
    for (long i = 0; ok && i < n; i++)
        weight[i] = array->scale * weight[i] + array->offset;
    return ok;
}

bool ls_weights_digest(hid_t file, const ls_split *split, uint64_t *digest)
{
    ls_array array;
    ls_error none;
    double weight[BLOCK];
    hid_t from = ls_weights_open(file, split, "", &array, &none);
    bool ok = from >= 0;
    *digest = 0;
    for (long first = 0, n; ok && first < array.rows; first += n) {
        n = ls_min(BLOCK, array.rows - first);
        ok = ls_weights_read(from, &array, first, n, weight);
        *digest = XXH3_64bits_withSeed(weight, (size_t)n * sizeof *weight, *digest);
    }
    ls_h5_close(from);
    return ok;
}
