/* column: reads rows by pread where they lie contiguous in the file, else through HDF5. */
#include "io/column.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/convert.h"
#include "io/dataset_check.h"

enum { BLOCK_BYTES = 1 << 20 }; /* of rows that follow each other: read by one call */

static bool read_direct(const ls_column *column, long row, long n, size_t row_bytes, void *stored,
                        ls_error *error)
{
    const ls_array *array = column->array;
    char *to = stored;
    size_t left = (size_t)n * row_bytes;
    off_t at = (off_t)array->start + (off_t)row * (off_t)row_bytes;
    while (left > 0) {
        ssize_t got = pread(column->descriptor, to, left, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ls_error_set(error, LS_IO, "%s: can't read %s from row %ld: %s", column->file,
                                array->path, row, strerror(errno));
        if (got == 0)
            return ls_error_set(error, LS_IO,
                                "%s: ends within %s at row %ld; it was cut short while in use",
                                column->file, array->path, row);
        to += got;
        at += got;
        left -= (size_t)got;
    }
    return true;
}

/* Sets *found where a filter failed, that is, where what is stored is damaged. */
static herr_t find_filter_error(unsigned n, const H5E_error2_t *entry, void *found)
{
    *(bool *)found = *(bool *)found || entry->maj_num == H5E_PLINE;
    return 0;
}

static bool read_hdf5(const ls_column *column, long row, long n, void *stored, ls_error *error)
{
    bool damaged = false;
    hid_t type = ls_dataset_check_memory_type(column->array->type);
    if (ls_h5_read_rows(column->dataset, type, row, n, stored))
        return true;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_filter_error, &damaged);
    return ls_h5_fail(error, damaged ? LS_DATA : LS_IO, column->dataset,
                      damaged ? "%s is damaged at row %ld or in the chunk it lies in"
                              : "can't read %s from row %ld",
                      column->array->path, row);
}

/* How many rows from rows[0] on follow each other in the file; at most n. */
static long run_length(const int64_t *rows, long n)
{
    long length = 1;
    while (length < n && rows[length] == rows[0] + length)
        length++;
    return length;
}

static bool refuse_bad(const ls_column *column, int64_t row, real value, ls_error *error)
{
    return ls_error_set(error, LS_DATA,
                        "%s: %s holds %g at row %ld; expected finite %s numbers: repair the row or "
                        "leave it out",
                        column->file, column->array->path, (double)value, (long)row, LS_REAL_NAME);
}

/* Rows [row, row + n), converted, into `to`. `stored` has room for them as they are stored. */
static bool read_run(const ls_column *column, long row, long n, size_t row_bytes, void *stored,
                     real *to, ls_error *error)
{
    const ls_array *array = column->array;
    long width = ls_shape_count(&array->shape);
    if (column->memory) {
        memcpy(to, column->memory + row * width, (size_t)(n * width) * sizeof *to);
        return true;
    }
    if (!(array->start >= 0 ? read_direct(column, row, n, row_bytes, stored, error)
                            : read_hdf5(column, row, n, stored, error)))
        return false;
    ls_convert(array->type, stored, n * width, array->scale, array->offset, to);
    return true;
}

bool ls_column_read(const ls_column *column, const int64_t *rows, long n, real *out,
                    ls_error *error)
{
    const ls_array *array = column->array;
    long width = ls_shape_count(&array->shape);
    size_t row_bytes = (size_t)width * ls_dtype_size(array->type);
    long most = BLOCK_BYTES / (long)row_bytes;
    most = most < 1 ? 1 : most > n ? n : most;
    void *stored = column->memory ? NULL : ls_alloc((size_t)most, row_bytes);
    bool ok = true;
    for (long i = 0, run; ok && i < n; i += run) {
        run = run_length(rows + i, n - i < most ? n - i : most);
        ls_check(rows[i] >= 0 && rows[i] + run <= array->rows, "%s has %ld rows, row %ld was asked",
                 array->path, array->rows, (long)rows[i] + run - 1);
        real *to = out + i * width;
        ok = read_run(column, rows[i], run, row_bytes, stored, to, error);
        if (!ok)
            break;
        long bad = ls_convert_find_bad(to, run * width);
        if (bad >= 0)
            ok = refuse_bad(column, rows[i + bad / width], to[bad], error);
    }
    ls_free(stored);
    return ok;
}
