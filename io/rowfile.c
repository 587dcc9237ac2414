/* rowfile: rows into data sets of known size (HDF5), or a line each (CSV). */
#include "io/rowfile.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/h5/h5_copy.h"
#include "io/output.h"

struct ls_rowfile {
    ls_output output; /* its `file` is -1 where the file is CSV */
    FILE *csv;        /* NULL: it is HDF5 */
    long row;         /* how many rows the arrays have got */
    int count;        /* of the arrays that get rows now */
    ls_rowfile_array array[LS_ROWFILE_ARRAYS];
    hid_t dataset[LS_ROWFILE_ARRAYS];
};

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

bool ls_rowfile_ending(const char *path, ls_rowfile_kinds kinds, ls_error *error)
{
    bool csv = kinds == LS_ROWFILE_ANY;
    return ends_in(path, ".h5") || ends_in(path, ".hdf5") || (csv && ends_in(path, ".csv")) ||
           ls_error_set(error, LS_USAGE, "%s: expected an output that ends in .h5%s", path,
                        csv ? " or .csv" : "");
}

ls_rowfile *ls_rowfile_open(const char *path, ls_rowfile_kinds kinds, ls_error *error)
{
    ls_output output = {.file = -1};
    bool csv = kinds == LS_ROWFILE_ANY && ends_in(path, ".csv");
    if (csv)
        output.target = ls_atomic_file_create(path, error);
    else
        ls_output_open(&output, path, error);
    if (csv ? !output.target : output.file < 0)
        return NULL;
    ls_rowfile *f = ls_alloc(1, sizeof *f);
    f->output = output;
    f->csv = csv ? ls_atomic_file_stream(output.target) : NULL;
    return f;
}

static void close_arrays(ls_rowfile *f)
{
    for (int k = 0; !f->csv && k < f->count; k++)
        H5Dclose(f->dataset[k]);
    f->count = 0;
}

bool ls_rowfile_close(ls_rowfile *f, ls_error *error)
{
    close_arrays(f);
    bool ok = f->csv ? ls_atomic_file_finish(f->output.target, error)
                     : ls_output_close(&f->output, error);
    ls_free(f);
    return ok;
}

void ls_rowfile_discard(ls_rowfile *f)
{
    close_arrays(f);
    if (f->csv)
        ls_atomic_file_discard(f->output.target);
    else
        ls_output_discard(&f->output);
    ls_free(f);
}

/* Writes number i of an array's values, with as many digits as bring a real back as it was. */
static void write_number(FILE *csv, ls_rowfile_type type, const void *values, long i)
{
    enum { DIGITS = sizeof(real) == sizeof(double) ? 17 : 9 };
    if (type == LS_ROWFILE_COUNTS)
        fprintf(csv, "%lld", (long long)((const int64_t *)values)[i]);
    else
        fprintf(csv, "%.*g", DIGITS, (double)((const real *)values)[i]);
}

/* Writes row i of the values; or, where `values` is NULL, the header:
 * row,class,probability_0,probability_1,... */
static void write_line(ls_rowfile *f, long i, const void *const *values)
{
    for (int k = 0; k < f->count; k++) {
        const ls_rowfile_array *array = &f->array[k];
        long width = ls_shape_count(&array->shape);
        for (long j = 0; j < width; j++) {
            fputs(k + j > 0 ? "," : "", f->csv);
            if (values)
                write_number(f->csv, array->type, values[k], i * width + j);
            else if (array->shape.rank == 0)
                fputs(array->path, f->csv);
            else
                fprintf(f->csv, "%s_%ld", array->path, j);
        }
    }
    fputc('\n', f->csv);
}

/* Fills dims with [rows, shape], or [shape] where rows < 0; returns the rank. */
static int fill_dims(long rows, const ls_shape *shape, hsize_t dims[LS_MAX_RANK + 1])
{
    int rank = 0;
    if (rows >= 0)
        dims[rank++] = (hsize_t)rows;
    for (int i = 0; i < shape->rank; i++)
        dims[rank++] = (hsize_t)shape->at[i];
    return rank;
}

static bool create_array(ls_rowfile *f, int k, long rows, ls_error *error)
{
    const ls_rowfile_array *array = &f->array[k];
    hsize_t dims[LS_MAX_RANK + 1];
    int rank = fill_dims(rows, &array->shape, dims);
    hid_t stored = array->type == LS_ROWFILE_REALS     ? ls_h5_real()
                   : array->type == LS_ROWFILE_CLASSES ? H5T_STD_I32LE
                                                       : H5T_STD_I64LE;
    f->dataset[k] = ls_h5_create_dataset(f->output.file, array->path, stored, rank, dims, error);
    return f->dataset[k] >= 0;
}

bool ls_rowfile_begin(ls_rowfile *f, const ls_rowfile_array *arrays, int count, long rows,
                      ls_error *error)
{
    ls_check(count <= LS_ROWFILE_ARRAYS, "%d arrays for a rowfile", count);
    close_arrays(f);
    f->row = 0;
    memcpy(f->array, arrays, (size_t)count * sizeof *arrays);
    bool ok = true;
    for (; ok && f->count < count; f->count += ok)
        ok = f->csv || create_array(f, f->count, rows, error);
    if (f->csv)
        write_line(f, 0, NULL);
    return ok;
}

bool ls_rowfile_write(ls_rowfile *f, const char *path, long rows, const ls_shape *shape,
                      const real *values, ls_error *error)
{
    hsize_t dims[LS_MAX_RANK + 1];
    int rank = fill_dims(rows, shape, dims);
    return ls_h5_write(f->output.file, path, ls_h5_real(), ls_h5_real(), rank, dims, values, error);
}

bool ls_rowfile_number(ls_rowfile *f, const char *name, double value, ls_error *error)
{
    return ls_h5_put_double(f->output.file, name, value, error);
}

static hid_t given_type(const ls_rowfile_array *array)
{
    return array->type == LS_ROWFILE_COUNTS ? H5T_NATIVE_INT64 : ls_h5_real();
}

bool ls_rowfile_add(ls_rowfile *f, long n, const void *const *values, ls_error *error)
{
    bool ok = true;
    for (long i = 0; f->csv && i < n; i++)
        write_line(f, i, values);
    for (int k = 0; ok && !f->csv && k < f->count; k++)
        ok = ls_h5_write_rows(f->dataset[k], given_type(&f->array[k]), f->row, n, values[k], error);
    f->row += n;
    return ok && (!f->csv || ls_atomic_file_flush(f->output.target, error));
}

/* An attribute of the object at `path`: `text`, or where that is NULL, `number`. */
static bool put_attribute(ls_rowfile *f, const char *path, const char *name, const char *text,
                          long number, ls_error *error)
{
    if (f->csv)
        return true;
    hid_t object = H5Oopen(f->output.file, path, H5P_DEFAULT);
    bool ok = object < 0 ? ls_h5_fail(error, LS_IO, f->output.file, "has no %s", path)
              : text     ? ls_h5_put_text(object, name, text, error)
                         : ls_h5_put_long(object, name, number, error);
    ls_h5_close(object);
    return ok;
}

bool ls_rowfile_text(ls_rowfile *f, const char *path, const char *name, const char *value,
                     ls_error *error)
{
    return put_attribute(f, path, name, value, 0, error);
}

bool ls_rowfile_count(ls_rowfile *f, const char *path, const char *name, long value,
                      ls_error *error)
{
    return put_attribute(f, path, name, NULL, value, error);
}

/* Writes into to[] where the array `name`, found beside x, is copied to. False if it belongs to
 * another split, as "y_valid" beside "x_train". */
static bool choose_path(const ls_array *x, const char *split, const char *name, char *to,
                        size_t size)
{
    size_t length = strlen(name);
    if (!strchr(x->path, '/')) {
        size_t ending = strlen(split) + 1;
        if (length <= ending || name[length - ending] != '_' ||
            strcmp(name + length - ending + 1, split) != 0)
            return false;
        length -= ending;
    }
    return (size_t)snprintf(to, size, "%s/%.*s", split, (int)length, name) < size;
}

/* Whether the values of a data set can't be copied: they lie in a global heap that is not checked,
 * for the guard follows the references of contiguous texts and lists only (h5_check.c); or they are
 * places in the source. */
static bool is_unfit(hid_t dataset)
{
    hid_t type = H5Dget_type(dataset), list = H5Dget_create_plist(dataset);
    bool text = H5Tget_class(type) == H5T_STRING, plain = text || H5Tget_class(type) == H5T_VLEN;
    bool scattered = H5Tdetect_class(type, H5T_VLEN) > 0 ||
                     (text ? H5Tis_variable_str(type) : H5Tdetect_class(type, H5T_STRING)) > 0;
    bool checked = plain && H5Pget_layout(list) == H5D_CONTIGUOUS;
    bool unfit = (scattered && !checked) || H5Tdetect_class(type, H5T_REFERENCE) > 0;
    H5Pclose(list);
    H5Tclose(type);
    return unfit;
}

/* Returns 1 if `from` is an array of `rows` rows, 0 if not; -1 and an error if it can't be trusted.
 */
static int has_rows(hid_t source, const char *from, long rows, ls_error *error)
{
    H5L_info_t link;
    H5O_info_t object;
    if (H5Lget_info(source, from, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD &&
        H5Oget_info_by_name1(source, from, &object, H5P_DEFAULT) >= 0 &&
        object.type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = ls_h5_dataset(source, from, error);
    if (dataset < 0)
        return -1;
    hsize_t dims[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    int found = rank > 0 && dims[0] == (hsize_t)rows;
    if (found && is_unfit(dataset)) {
        ls_h5_fail(
            error, LS_DATA, source,
            "%s holds references, or texts or lists in chunks or records, which can't be copied; "
            "store texts and lists contiguous, as h5py does unless told otherwise",
            from);
        found = -1;
    }
    H5Dclose(dataset);
    return found;
}

/* Copies from `group` of the file `source`, in which x stands. */
static bool copy_beside(ls_rowfile *f, hid_t source, hid_t group, const ls_array *x,
                        const char *split, const char *except, ls_error *error)
{
    enum { NAME = 256 };
    char name[NAME], to[2 * NAME];
    H5G_info_t all;
    if (H5Gget_info(group, &all) < 0)
        return ls_h5_fail(error, LS_DATA, group, "can't list %s", split);
    for (hsize_t i = 0; i < all.nlinks; i++) {
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                               H5P_DEFAULT) < 0)
            return ls_h5_fail(error, LS_DATA, group, "can't list %s", split);
        if (!choose_path(x, split, name, to, sizeof to) ||
            (except && strcmp(strrchr(to, '/') + 1, except) == 0) ||
            H5Lexists(f->output.file, to, H5P_DEFAULT) > 0)
            continue;
        const char *from = strchr(x->path, '/') ? to : name;
        int wanted = has_rows(source, from, x->rows, error);
        if (wanted < 0)
            return false;
        if (wanted && !ls_h5_copy_dataset(source, from, f->output.file, to, error))
            return false;
    }
    return true;
}

bool ls_rowfile_copy_beside(ls_rowfile *f, const char *source, const ls_array *x, const char *split,
                            const char *except, ls_error *error)
{
    hid_t other = ls_h5_open(source, error);
    if (other < 0)
        return false;
    hid_t group = H5Gopen2(other, strchr(x->path, '/') ? split : "/", H5P_DEFAULT);
    bool ok = group >= 0 ? copy_beside(f, other, group, x, split, except, error)
                         : ls_h5_fail(error, LS_DATA, other, "has no %s to copy from", split);
    H5Fclose(other); /* with all that is open in it */
    return ok;
}

bool ls_rowfile_copy_attributes(ls_rowfile *f, const char *source, const char *name,
                                const char *path, ls_error *error)
{
    if (f->csv)
        return true;
    hid_t other = ls_h5_open(source, error);
    if (other < 0)
        return false;
    H5L_info_t link = {.type = H5L_TYPE_HARD};
    bool top = strcmp(name, "/") == 0;
    htri_t found = top ? 1 : H5Lexists(other, name, H5P_DEFAULT);
    bool ok = found >= 0 && (top || !found || H5Lget_info(other, name, &link, H5P_DEFAULT) >= 0);
    bool there = ok && found && link.type == H5L_TYPE_HARD;
    if (!ok)
        ls_h5_fail(error, LS_DATA, other, "can't look for %s", name);
    hid_t from = there ? H5Oopen(other, name, H5P_DEFAULT) : -1;
    hid_t to = there ? H5Oopen(f->output.file, path, H5P_DEFAULT) : -1;
    if (there)
        ok = from >= 0 && to >= 0 ? ls_h5_copy_attributes(from, to, error)
                                  : ls_h5_fail(error, LS_IO, other, "can't open %s", path);
    ls_h5_close(to);
    H5Fclose(other);
    return ok;
}
