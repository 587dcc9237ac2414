/* h5_list_compare: goes through the names of two files side by side, and compares their arrays. */
#include "io/h5/h5_list_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/h5/h5_list_array.h"

/* The names of a file's arrays, in order. */
typedef struct names {
    hid_t file;
    int count;
    char **at;
} names;

static herr_t add_name(hid_t file, const char *path, const H5L_info_t *link, void *context)
{
    names *n = context;
    H5O_info_t object;
    if (link->type != H5L_TYPE_HARD || H5Oget_info_by_name1(file, path, &object, H5P_DEFAULT) < 0 ||
        object.type != H5O_TYPE_DATASET)
        return 0;
    n->at = ls_realloc(n->at, (size_t)n->count + 1, sizeof *n->at);
    n->at[n->count++] = ls_copy_string(path);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool open_names(const char *path, names *n, ls_error *error)
{
    *n = (names){.file = ls_h5_open(path, error)};
    bool ok = n->file >= 0 && (H5Lvisit(n->file, H5_INDEX_NAME, H5_ITER_INC, add_name, n) >= 0 ||
                               ls_h5_fail(error, LS_DATA, n->file, "can't list its contents"));
    if (ok && n->count)
        qsort(n->at, (size_t)n->count, sizeof *n->at, by_name);
    return ok;
}

static void close_names(names *n)
{
    for (int i = 0; i < n->count; i++)
        ls_free(n->at[i]);
    ls_free(n->at);
    if (n->file >= 0)
        H5Fclose(n->file);
}

/* Two arrays of one shape while they are compared. */
typedef struct comparison {
    const ls_h5_list_array *a, *b;
    ls_h5_list_difference *difference;
    hid_t type;              /* of the values in memory */
    bool texts;              /* values are pointers to texts, which HDF5 allocates and takes back */
    double distance2, norm2; /* sums of squares of a - b, and of a */
} comparison;

static void add_numbers(comparison *c, const double *a, const double *b, long count)
{
    ls_h5_list_difference *d = c->difference;
    for (long i = 0; i < count; i++) {
        bool equal = a[i] == b[i] || (isnan(a[i]) && isnan(b[i]));
        double distance = equal ? 0 : fabs(a[i] - b[i]);
        d->differing += !equal;
        d->largest = distance > d->largest || isnan(distance) ? distance : d->largest;
        c->distance2 += distance * distance;
        c->norm2 += a[i] * a[i];
    }
}

static bool equal_texts(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Compares values that are no numbers: texts of varying length as texts, all others by their bytes.
 */
static void add_others(comparison *c, const char *a, const char *b, long count)
{
    const char *const *text_a = (const char *const *)(const void *)a;
    const char *const *text_b = (const char *const *)(const void *)b;
    size_t size = c->a->value;
    for (size_t i = 0; i < (size_t)count; i++) {
        bool equal = c->texts ? equal_texts(text_a[i], text_b[i])
                              : memcmp(a + i * size, b + i * size, size) == 0;
        c->difference->differing += !equal;
    }
}

static void release_texts(const comparison *c, long count, void *a, void *b)
{
    const hsize_t dims[1] = {(hsize_t)count};
    hid_t space = H5Screate_simple(1, dims, NULL);
    H5Dvlen_reclaim(c->type, space, H5P_DEFAULT, a);
    H5Dvlen_reclaim(c->type, space, H5P_DEFAULT, b);
    H5Sclose(space);
}

static bool compare_values(comparison *c, ls_error *error)
{
    size_t size = (size_t)(c->a->block_rows * c->a->row) * c->a->value;
    void *a = ls_alloc(size, 1), *b = ls_alloc(size, 1);
    bool ok = true;
    long count = 1;
    for (long i = 0; ok && count > 0; i++) {
        memset(a, 0, size);
        memset(b, 0, size);
        ok = ls_h5_list_array_read(c->a, i, c->type, a, &count, error) &&
             ls_h5_list_array_read(c->b, i, c->type, b, &count, error);
        if (ok && c->difference->numbers)
            add_numbers(c, a, b, count);
        else if (ok)
            add_others(c, a, b, count);
        c->difference->count += ok ? count : 0;
        if (c->texts)
            release_texts(c, count, a, b);
    }
    ls_free(b);
    ls_free(a);
    return ok;
}

static bool compare_arrays(const ls_h5_list_array *a, const ls_h5_list_array *b,
                           ls_h5_list_difference *d, ls_error *error)
{
    hid_t type_a = H5Dget_type(a->dataset), type_b = H5Dget_type(b->dataset);
    bool same_shape =
        a->rank == b->rank && a->rows == b->rows && memcmp(a->at, b->at, sizeof a->at) == 0;
    d->like = same_shape && (H5Tequal(type_a, type_b) > 0 || (a->numbers && b->numbers));
    d->numbers = d->like && a->numbers && b->numbers;
    d->compared = d->numbers || (d->like && a->others && b->others);
    comparison c = {a, b, d, .type = d->numbers ? H5T_NATIVE_DOUBLE : type_a};
    c.texts = H5Tis_variable_str(c.type) > 0;
    bool ok = !d->compared || compare_values(&c, error);
    if (d->differing > 0)
        d->relative = sqrt(c.distance2) / sqrt(c.norm2);
    H5Tclose(type_b);
    H5Tclose(type_a);
    return ok;
}

/* Compares the arrays of the name d->path. */
static bool compare(hid_t file_a, hid_t file_b, ls_h5_list_difference *d, ls_error *error)
{
    ls_h5_list_array a, b;
    hid_t in_a = ls_h5_dataset(file_a, d->path, error);
    hid_t in_b = in_a >= 0 ? ls_h5_dataset(file_b, d->path, error) : -1;
    bool ok = in_b >= 0 && ls_h5_list_array_open(in_a, d->path, &a, error) &&
              ls_h5_list_array_open(in_b, d->path, &b, error) && compare_arrays(&a, &b, d, error);
    ls_h5_close(in_a);
    ls_h5_close(in_b);
    return ok;
}

bool ls_h5_list_compare(const char *path_a, const char *path_b,
                        void (*visit)(void *context, const ls_h5_list_difference *difference),
                        void *context, ls_error *error)
{
    names a, b = {.file = -1};
    bool ok = open_names(path_a, &a, error) && open_names(path_b, &b, error);
    /* Both lists are in order: the lesser of the next two names is the next of all. */
    for (int i = 0, j = 0; ok && (i < a.count || j < b.count);) {
        int order = i == a.count ? 1 : j == b.count ? -1 : strcmp(a.at[i], b.at[j]);
        ls_h5_list_difference d = {
            .path = order <= 0 ? a.at[i] : b.at[j], .in_a = order <= 0, .in_b = order >= 0};
        ok = order != 0 || compare(a.file, b.file, &d, error);
        if (ok)
            visit(context, &d);
        i += order <= 0;
        j += order >= 0;
    }
    close_names(&b);
    close_names(&a);
    return ok;
}
