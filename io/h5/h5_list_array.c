/* h5_list_array: blocks of whole rows of an array, of about 8 MiB. */
#include "io/h5/h5_list_array.h"

#include <limits.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset_check.h"

enum { BLOCK = 8 << 20 }; /* bytes, unless a row has more */

static const char *type_name(hid_t type)
{
    static const char *const classes[] = {
        [H5T_INTEGER] = "integers",     [H5T_FLOAT] = "floats",         [H5T_TIME] = "times",
        [H5T_STRING] = "text",          [H5T_BITFIELD] = "bits",        [H5T_OPAQUE] = "opaque",
        [H5T_COMPOUND] = "records",     [H5T_REFERENCE] = "references", [H5T_ENUM] = "enumeration",
        [H5T_VLEN] = "varying lengths", [H5T_ARRAY] = "arrays"};
    H5T_class_t class = H5Tget_class(type);
    hid_t native = H5Tcopy(type);
    if (class == H5T_INTEGER || class == H5T_FLOAT)
        H5Tset_order(native, H5Tget_order(H5T_NATIVE_INT));
    const char *name = class >= 0 && class < H5T_NCLASSES ? classes[class] : "unknown";
    for (int i = LS_U8; i <= LS_F64; i++)
        if (H5Tequal(native, ls_dataset_check_memory_type((ls_dtype)i)) > 0)
            name = ls_dtype_name((ls_dtype)i);
    H5Tclose(native);
    return name;
}

/* "contiguous", "chunked", ...; NULL where the numbers lie in other files. */
static const char *storage_name(hid_t dataset)
{
    static const char *const names[] = {
        [H5D_COMPACT] = "compact", [H5D_CONTIGUOUS] = "contiguous", [H5D_CHUNKED] = "chunked"};
    hid_t list = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(list);
    bool here = layout >= H5D_COMPACT && layout <= H5D_CHUNKED && H5Pget_external_count(list) == 0;
    bool filtered = here && H5Pget_nfilters(list) > 0;
    H5Pclose(list);
    return !here ? NULL : filtered ? "chunked, filtered" : names[layout];
}

/* Sets rank, shape, rows and row; refuses sizes that do not fit a long. */
static bool measure(ls_h5_list_array *a, ls_error *error)
{
    hsize_t dims[LS_H5_LIST_RANK] = {0}, all = sizeof(double);
    hid_t space = H5Dget_space(a->dataset);
    H5S_class_t kind = H5Sget_simple_extent_type(space);
    a->rank = kind == H5S_NULL ? 0 : H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    a->rows = kind == H5S_NULL ? 0 : 1;
    a->row = 1;
    for (int i = 0; i < a->rank; i++) {
        if (dims[i] > LONG_MAX || __builtin_mul_overflow(all, dims[i] ? dims[i] : 1, &all) ||
            all > LONG_MAX)
            return ls_h5_fail(error, LS_DATA, a->dataset,
                              "%s claims a size that no machine can hold; the file is damaged",
                              a->path);
        a->at[i] = (long)dims[i];
        if (i == 0)
            a->rows = a->at[i];
        else
            a->row *= a->at[i];
    }
    return true;
}

static hsize_t file_size(hid_t dataset)
{
    hsize_t size = 0;
    hid_t file = H5Iget_file_id(dataset);
    H5Fget_filesize(file, &size);
    H5Fclose(file);
    return size;
}

bool ls_h5_list_array_open(hid_t dataset, const char *path, ls_h5_list_array *array,
                           ls_error *error)
{
    /* No filter packs more tightly: an array that seems to be was not written to its end. */
    static const hsize_t packed = 2000;
    *array = (ls_h5_list_array){.dataset = dataset, .path = path};
    if (!measure(array, error))
        return false;
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = H5Tget_class(type);
    hsize_t bytes = (hsize_t)array->rows * (hsize_t)array->row * H5Tget_size(type);
    const char *storage = storage_name(dataset);
    array->type = type_name(type);
    array->storage = storage ? storage : "in other files";
    hsize_t stored = H5Dget_storage_size(dataset);
    bool written = storage && bytes / packed <= stored && (stored > 0 || bytes == 0) &&
                   stored <= file_size(dataset);
    bool elsewhere = class == H5T_VLEN || H5Tis_variable_str(type) > 0;
    array->numbers = written && (class == H5T_INTEGER || class == H5T_FLOAT);
    array->others = written && !array->numbers &&
                    (!elsewhere || (class == H5T_STRING && strcmp(storage, "contiguous") == 0)) &&
                    (class == H5T_STRING || class == H5T_ENUM || class == H5T_OPAQUE);
    array->value = array->numbers ? sizeof(double) : elsewhere ? sizeof(char *) : H5Tget_size(type);
    if (storage && bytes > 0 && stored == 0)
        array->storage = "never written";
    long rows = array->row ? BLOCK / (long)array->value / array->row : 0;
    array->block_rows = rows < 1 ? 1 : rows < array->rows ? rows : array->rows;
    H5Tclose(type);
    return true;
}

bool ls_h5_list_array_read(const ls_h5_list_array *a, long index, hid_t memory, void *values,
                           long *count, ls_error *error)
{
    long first = index * a->block_rows, left = a->rows - first;
    long rows = left < a->block_rows ? left : a->block_rows;
    *count = rows > 0 ? rows * a->row : 0;
    return *count == 0 ||
           (a->rank ? ls_h5_read_rows(a->dataset, memory, first, rows, values)
                    : H5Dread(a->dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) ||
           ls_h5_fail(error, LS_DATA, a->dataset, "%s: its values can't be read", a->path);
}
