/* column: reads rows, by pread if they lie contiguous in the file, else through HDF5, and converts
 * them. */
#include "io/column.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/dataset_check.h"

enum { BLOCK_BYTES = 1 << 20 }; /* at most, of consecutive rows that one call reads */

/* One plain loop for each number type, which the compiler vectorises. Numbers of up to 16 bits and
 * float32 are computed in `real`, wider ones in double. */
#define CONVERT(name, stored_type, working_type)                                                   \
    static void name(const void *stored, long n, double scale, double offset, real *out)           \
    {                                                                                              \
        const stored_type *in = stored;                                                            \
        working_type a = (working_type)scale, b = (working_type)offset;                            \
        for (long i = 0; i < n; i++)                                                               \
            out[i] = (real)(a * (working_type)in[i] + b);                                          \
    }
CONVERT(from_u8, uint8_t, real)
CONVERT(from_i8, int8_t, real)
CONVERT(from_u16, uint16_t, real)
CONVERT(from_i16, int16_t, real)
CONVERT(from_u32, uint32_t, double)
CONVERT(from_i32, int32_t, double)
CONVERT(from_i64, int64_t, double)
CONVERT(from_f32, float, real)
CONVERT(from_f64, double, double)

/* out[i] = scale * stored[i] + offset, for n numbers of `type`. */
static void convert(ls_dtype type, const void *stored, long n, double scale, double offset,
                    real *out)
{
    static void (*const loops[])(const void *, long, double, double, real *) = {
        [LS_U8] = from_u8,   [LS_I8] = from_i8,   [LS_U16] = from_u16,
        [LS_I16] = from_i16, [LS_U32] = from_u32, [LS_I32] = from_i32,
        [LS_I64] = from_i64, [LS_F32] = from_f32, [LS_F64] = from_f64,
    };
    loops[type](stored, n, scale, offset, out);
}

/* The index of the first of n numbers that is NaN or infinite, or -1. */
static long find_bad(const real *values, long n)
{
    /* v - v is NaN for NaN and infinity. The loop has no early exit, so that it vectorises. */
    int bad = 0;
    for (long i = 0; i < n; i++)
        bad |= values[i] - values[i] != 0;
    for (long i = 0; bad && i < n; i++)
        if (!isfinite(values[i]))
            return i;
    return -1;
}

/* The numbers of rows [row, row + n): of a stream's last row there may be fewer than of others. */
static long count_numbers(const ls_column *column, long row, long n)
{
    const long width = ls_shape_count(&column->array->shape);
    return column->flat ? ls_min(n * width, column->flat - column->skip - row * width) : n * width;
}

static bool read_direct(const ls_column *column, long row, long n, size_t row_bytes, void *stored,
                        ls_error *error)
{
    const ls_array *array = column->array;
    char *to = stored;
    size_t left = (size_t)count_numbers(column, row, n) * ls_dtype_size(array->type);
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

static bool read_hdf5(const ls_column *column, long row, long n, void *stored, ls_error *error)
{
    hid_t theirs = H5Dget_type(column->dataset); /* booleans are not converted: they are bytes */
    hid_t type = H5Tget_class(theirs) == H5T_ENUM
                     ? theirs
                     : ls_dataset_check_memory_type(column->array->type);
    const long width = column->flat ? ls_shape_count(&column->array->shape) : 1;
    const long count = column->flat ? count_numbers(column, row, n) : n;
    bool ok = ls_h5_read_rows(column->dataset, type, row * width + column->skip, count, stored) ||
              ls_h5_fail_read(error, column->dataset, column->array->path, row);
    H5Tclose(theirs);
    return ok;
}

/* How many of rows[0..n) are consecutive in the file, from rows[0] on. */
static long run_length(const int64_t *rows, long n)
{
    long length = 1;
    while (length < n && rows[length] == rows[0] + length)
        length++;
    return length;
}

/* The bytes of rows [row, row + n): read into `stored`, which has room for them, or where they lie
 * in memory; NULL: an error. */
static const void *read_run(const ls_column *column, long row, long n, size_t row_bytes,
                            void *stored, ls_error *error)
{
    if (column->memory)
        return (const char *)column->memory + (size_t)row * row_bytes;
    bool ok = column->array->start >= 0 ? read_direct(column, row, n, row_bytes, stored, error)
                                        : read_hdf5(column, row, n, stored, error);
    return ok ? stored : NULL;
}

void ls_column_clear_ends(const ls_column *column, const ls_shape *shape, const int64_t *rows,
                          long n, real *out)
{
    const long all = ls_shape_count(shape);
    for (long i = 0; column->length && i < n; i++) {
        const long count = column->length[rows[i]] * (all / shape->at[0]);
        memset(out + i * all + count, 0, (size_t)(all - count) * sizeof *out);
    }
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
        const void *from = read_run(column, rows[i], run, row_bytes, stored, error);
        ok = from != NULL;
        if (ok)
            convert(array->type, from, count_numbers(column, rows[i], run), array->scale,
                    array->offset, to);
        if (ok)
            ls_column_clear_ends(column, &array->shape, rows + i, run, to);
        long bad = ok ? find_bad(to, run * width) : -1;
        if (bad >= 0)
            ok = ls_error_set(error, LS_DATA,
                              "%s: %s holds %g at row %ld; expected finite %s numbers: repair the "
                              "row or leave it out",
                              column->file, array->path, (double)to[bad],
                              (long)rows[i + bad / width], LS_REAL_NAME);
    }
    ls_free(stored);
    return ok;
}

bool ls_column_digest(const ls_column *column, const int64_t *rows, long n, uint64_t *digest,
                      ls_error *error)
{
    const ls_array *array = column->array;
    size_t row_bytes = (size_t)ls_shape_count(&array->shape) * ls_dtype_size(array->type);
    void *stored = ls_alloc(1, row_bytes);
    bool ok = true;
    for (long i = 0; ok && i < n; i++) {
        const void *from = read_run(column, rows[i], 1, row_bytes, stored, error);
        ok = from != NULL;
        size_t bytes = (size_t)count_numbers(column, rows[i], 1) * ls_dtype_size(array->type);
        *digest = ok ? XXH3_64bits_withSeed(from, bytes, *digest) : 0;
    }
    ls_free(stored);
    return ok;
}
