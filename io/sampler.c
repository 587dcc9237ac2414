/* sampler: sums of weights, and a search in them. */
#include "io/sampler.h"

#include <math.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/h5/h5.h"
#include "io/weights.h"

struct ls_sampler {
    long rows, last; /* the last row that has a weight */
    double *sum;     /* [rows] */
};

enum { BLOCK = 4096 /* rows whose labels are read at a time */ };

/* weight[i] = the label of row i. */
static bool read_labels(ls_dataset *data, ls_split_id id, long rows, double *weight,
                        ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, id);
    if (!split->labelled || split->y.shape.rank > 0)
        return ls_error_set(error, LS_DATA,
                            "%s: %s/y holds no class for each row; balanced sampling needs one",
                            ls_dataset_path(data), split->name);
    int64_t *row = ls_alloc(BLOCK, sizeof *row);
    real *y = ls_alloc(BLOCK, sizeof *y);
    bool ok = true;
    for (long first = 0, n; ok && first < rows; first += n) {
        n = ls_min(BLOCK, rows - first);
        for (long i = 0; i < n; i++)
            row[i] = first + i;
        ok = ls_dataset_read(data, id, row, n, NULL, NULL, y, error);
        for (long i = 0; ok && i < n; i++)
            weight[first + i] = (double)y[i];
    }
    ls_free(y);
    ls_free(row);
    return ok;
}

static bool balance(ls_dataset *data, ls_split_id id, long rows, double *weight, ls_error *error)
{
    if (!read_labels(data, id, rows, weight, error))
        return false;
    const ls_split *split = ls_dataset_split(data, id);
    long *count = ls_alloc((size_t)split->classes, sizeof *count), labels = 0;
    for (long i = 0; i < rows; i++)
        if (weight[i] >= 0) {
            count[(long)weight[i]]++;
            labels++;
        }
    for (long i = 0; i < rows; i++) /* a row without a label is never drawn */
        weight[i] = weight[i] < 0 ? 0 : 1 / (double)count[(long)weight[i]];
    ls_free(count);
    return labels > 0 ||
           ls_error_set(error, LS_DATA,
                        "%s: no row of %s has a label to balance by: all of %ld are ignore=%ld",
                        ls_dataset_path(data), split->y.path, rows, split->ignore);
}

/* Whether all weights are numbers that can be probabilities. */
static bool are_weights(const char *path, const ls_array *array, const double *weight, long rows,
                        ls_error *error)
{
    for (long i = 0; i < rows; i++)
        if (!(weight[i] >= 0) || !isfinite(weight[i]))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds %g at row %ld; expected a number, 0 or more", path,
                                array->path, weight[i], i);
    return true;
}

static bool read_weights(ls_dataset *data, ls_split_id id, long rows, double *weight,
                         ls_error *error)
{
    const char *path = ls_dataset_path(data);
    const ls_split *split = ls_dataset_split(data, id);
    ls_array array;
    if (ls_dataset_in_memory(data))
        return ls_error_set(error, LS_DATA, "%s: rows in memory have no weights to sample by",
                            path);
    hid_t file = ls_h5_open(path, error);
    hid_t from = file < 0 ? -1 : ls_weights_open(file, split, path, &array, error);
    bool ok = from >= 0;
    ok = ok && (ls_weights_read(from, &array, 0, rows, weight) ||
                ls_h5_fail(error, LS_IO, from, "can't read rows from 0"));
    ok = ok && are_weights(path, &array, weight, rows, error);
    ls_h5_close(from);
    ls_h5_close(file);
    return ok;
}

/* Turns weights into their sums. */
static bool add_up(ls_sampler *s, ls_error *error)
{
    double total = 0;
    for (long i = 0; i < s->rows; i++) {
        s->last = s->sum[i] > 0 ? i : s->last;
        s->sum[i] = total += s->sum[i];
    }
    return (total > 0 && isfinite(total)) ||
           ls_error_set(error, LS_DATA,
                        "the weights of %ld rows add up to %g; expected more than 0, and a finite "
                        "number",
                        s->rows, total);
}

ls_sampler *ls_sampler_open(ls_dataset *data, ls_split_id split, long rows, ls_sampling how,
                            ls_error *error)
{
    ls_sampler *s = ls_alloc(1, sizeof *s);
    *s = (ls_sampler){.rows = rows, .sum = ls_alloc((size_t)rows, sizeof *s->sum)};
    bool ok = how == LS_SAMPLING_BALANCED ? balance(data, split, rows, s->sum, error)
                                          : read_weights(data, split, rows, s->sum, error);
    if (ok && !add_up(s, error))
        ok = ls_error_prefix(error, "%s", ls_dataset_path(data));
    if (ok)
        return s;
    ls_sampler_close(s);
    return NULL;
}

void ls_sampler_close(ls_sampler *s)
{
    if (s)
        ls_free(s->sum);
    ls_free(s);
}

int64_t ls_sampler_draw(const ls_sampler *s, ls_random stream, uint64_t position)
{
    uint32_t bits[2];
    ls_random_bits(stream, position, bits, 2);
    double u = (double)(((uint64_t)bits[0] << 32 | bits[1]) >> 11) * 0x1p-53;
    double wanted = u * s->sum[s->rows - 1];
    long low = 0, high = s->last; /* the row is in [low, high] */
    while (low < high) {
        long middle = low + (high - low) / 2;
        if (s->sum[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
