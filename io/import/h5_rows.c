/* h5_rows: reads blocks through HDF5, and brings their dimensions into the order of a data file. */
#include "io/import/h5_rows.h"

#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset_check.h"

/* Bytes of a block. A chunk is unpacked as often as blocks reach into it: so a block is a row of
 * chunks, unless that would be too large. */
enum { BLOCK_BYTES = 8 << 20, BLOCK_BYTES_MAX = 256 << 20 };

/* Finds the number type that holds all numbers of a stored type: whole numbers keep their size,
 * floats of up to 32 bits become float32, all others float64; numpy's bool and bits are bytes. */
static bool find_type(ls_h5_rows *r, ls_error *error)
{
    static const ls_dtype whole[2][9] = {
        {[1] = LS_U8, [2] = LS_U16, [4] = LS_U32, [8] = LS_I64}, /* without sign */
        {[1] = LS_I8, [2] = LS_I16, [4] = LS_I32, [8] = LS_I64}};
    hid_t type = H5Dget_type(r->dataset), number = type;
    H5T_class_t class = H5Tget_class(type);
    if (class == H5T_ENUM) {
        number = H5Tget_super(type);
        class = H5Tget_class(number);
    }
    size_t size = H5Tget_size(number);
    bool sign = class == H5T_INTEGER && H5Tget_sign(number) != H5T_SGN_NONE;
    bool known = ls_dataset_check_is_number(type);
    char text[64];
    ls_dataset_check_describe_type(type, text, sizeof text);
    if (known && class == H5T_FLOAT)
        r->type = size <= sizeof(float) ? LS_F32 : LS_F64;
    else if (known)
        r->type = ls_dataset_check_is_boolean(type) ? LS_U8 : whole[sign][size];
    r->clipped = known && class == H5T_INTEGER && size == 8 && !sign;
    if (known && (H5Tget_class(type) == H5T_ENUM || class == H5T_BITFIELD))
        r->memory = H5Tget_native_type(type, H5T_DIR_ASCEND);
    else if (known)
        r->memory = H5Tcopy(r->clipped ? H5T_NATIVE_UINT64 : ls_dataset_check_memory_type(r->type));
    if (number != type)
        H5Tclose(number);
    H5Tclose(type);
    return known || ls_h5_fail(error, LS_DATA, r->dataset,
                               "%s holds %s; expected whole numbers or floats", r->path, text);
}

/* Sets the order of the dimensions, and the shape that they then have. */
static bool find_order(ls_h5_rows *r, int order, const hsize_t *stored, ls_error *error)
{
    for (int i = 0; i < r->rank; i++)
        r->order[i] = order & LS_H5_REVERSED ? r->rank - 1 - i : i;
    if (order & LS_H5_CHANNELS_FIRST) {
        int channels = r->order[1];
        if (r->rank < 3)
            return ls_h5_fail(error, LS_DATA, r->dataset,
                              "%s has %d dimension(s); --channels-first expects [rows, channels, "
                              "...], three or more",
                              r->path, r->rank);
        memmove(r->order + 1, r->order + 2, (size_t)(r->rank - 2) * sizeof *r->order);
        r->order[r->rank - 1] = channels;
    }
    r->width = 1;
    for (int i = 0; i < r->rank; i++) {
        r->dims[i] = stored[r->order[i]];
        r->width *= i ? (long)r->dims[i] : 1;
    }
    r->rows = (long)r->dims[0];
    return true;
}

/* How many rows to read at a time. */
static long find_block(const ls_h5_rows *r)
{
    hsize_t chunk[LS_MAX_RANK + 1];
    long row_bytes = r->width * (long)ls_dtype_size(r->type), some = BLOCK_BYTES / row_bytes + 1;
    hid_t creation = H5Dget_create_plist(r->dataset);
    if (H5Pget_layout(creation) == H5D_CHUNKED &&
        H5Pget_chunk(creation, r->rank, chunk) == r->rank) {
        long rows = (long)chunk[r->order[0]], most = BLOCK_BYTES_MAX / row_bytes + 1;
        some = rows > most ? most : (some / rows + 1) * rows;
    }
    H5Pclose(creation);
    return some < r->rows ? some : r->rows;
}

bool ls_h5_rows_open(ls_h5_rows *r, hid_t dataset, const char *path, int order, ls_error *error)
{
    *r = (ls_h5_rows){.dataset = dataset, .path = path, .memory = -1};
    if (!find_type(r, error) || !ls_dataset_check_stored(dataset, path, error))
        return false;
    hsize_t stored[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    r->rank = H5Sget_simple_extent_dims(space, stored, NULL);
    H5Sclose(space);
    if (!find_order(r, order, stored, error))
        return false;
    r->block = find_block(r);
    return true;
}

void ls_h5_rows_release(ls_h5_rows *r)
{
    if (r->memory > 0)
        H5Tclose(r->memory);
}

/* Reads the block in the order of the source. */
static bool read_block(const ls_h5_rows *r, long first, long n, void *out, ls_error *error)
{
    hsize_t start[LS_MAX_RANK + 1] = {0}, count[LS_MAX_RANK + 1];
    for (int i = 0; i < r->rank; i++)
        count[r->order[i]] = r->dims[i];
    start[r->order[0]] = (hsize_t)first;
    count[r->order[0]] = (hsize_t)n;
    hid_t space = H5Dget_space(r->dataset), block = H5Screate_simple(r->rank, count, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dread(r->dataset, r->memory, block, space, H5P_DEFAULT, out) >= 0;
    if (!ok)
        ls_h5_fail_read(error, r->dataset, r->path, first);
    H5Sclose(block);
    H5Sclose(space);
    return ok;
}

/* to[i] = from[i * stride] for n values of `size` bytes: 1, 2, 4 or 8. */
static void copy_line(void *to, const void *from, long n, long stride, size_t size)
{
#define COPY(type)                                                                                 \
    for (long i = 0; i < n; i++)                                                                   \
    ((type *)to)[i] = ((const type *)from)[i * stride]
    if (size == 1)
        COPY(uint8_t);
    else if (size == 2)
        COPY(uint16_t);
    else if (size == 4)
        COPY(uint32_t);
    else
        COPY(uint64_t);
#undef COPY
}

/* Copies n rows, `from` in the order of the source, to their own order. */
static void reorder(const ls_h5_rows *r, long n, const void *from, void *to)
{
    long stride[LS_MAX_RANK + 1], along[LS_MAX_RANK + 1], at[LS_MAX_RANK + 1] = {0}, step = 1;
    size_t size = ls_dtype_size(r->type);
    for (int i = 0; i < r->rank; i++)
        along[r->order[i]] = i;
    for (int i = r->rank - 1; i >= 0; i--) { /* strides in the source, by dimension of the rows */
        stride[along[i]] = step;
        step *= along[i] == 0 ? n : (long)r->dims[along[i]];
    }
    int last = r->rank - 1;
    long line = last ? (long)r->dims[last] : n, lines = n * r->width / line, offset = 0;
    for (long k = 0; k < lines; k++) {
        copy_line((char *)to + (size_t)(k * line) * size,
                  (const char *)from + (size_t)offset * size, line, stride[last], size);
        for (int i = last - 1; i >= 0; i--) { /* the next line */
            offset += stride[i];
            if (++at[i] < (i ? (long)r->dims[i] : n))
                break;
            offset -= at[i] * stride[i];
            at[i] = 0;
        }
    }
}

/* Whether numbers that were stored without sign fit into int64. */
static bool fit(const ls_h5_rows *r, long first, long n, const int64_t *numbers, ls_error *error)
{
    for (long i = 0; i < n * r->width; i++)
        if (numbers[i] < 0)
            return ls_h5_fail(error, LS_DATA, r->dataset,
                              "%s holds %llu at row %ld; expected numbers below 2^63", r->path,
                              (unsigned long long)numbers[i], first + i / r->width);
    return true;
}

bool ls_h5_rows_read(const ls_h5_rows *r, long first, long n, void *out, ls_error *error)
{
    bool ordered = true;
    for (int i = 0; i < r->rank; i++)
        ordered = ordered && r->order[i] == i;
    size_t bytes = (size_t)(n * r->width) * ls_dtype_size(r->type);
    void *there = ordered ? out : ls_alloc(bytes, 1);
    bool ok = read_block(r, first, n, there, error);
    if (!ordered && ok)
        reorder(r, n, there, out);
    if (!ordered)
        ls_free(there);
    return ok && (!r->clipped || fit(r, first, n, out, error));
}

/* Reads rows as numbers of 8 bytes. */
static bool read_as(const ls_h5_rows *r, long first, long n, hid_t type, void *out, ls_error *error)
{
    return ls_h5_rows_read(r, first, n, out, error) &&
           (H5Tconvert(ls_dataset_check_memory_type(r->type), type, (size_t)(n * r->width), out,
                       NULL, H5P_DEFAULT) >= 0 ||
            ls_h5_fail(error, LS_DATA, r->dataset, "%s can't be converted", r->path));
}

bool ls_h5_rows_read_doubles(const ls_h5_rows *r, long first, long n, double *out, ls_error *error)
{
    return read_as(r, first, n, H5T_NATIVE_DOUBLE, out, error);
}

bool ls_h5_rows_read_longs(const ls_h5_rows *r, long first, long n, int64_t *out, ls_error *error)
{
    return read_as(r, first, n, H5T_NATIVE_INT64, out, error);
}
