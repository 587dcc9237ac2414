/* dataset_check: checks before training begins that an array can be read to its last row.
 *
 * The guard (io/h5/guard) has made sure that HDF5 can read the file without harm. Here an array
 * must be of a number type that column.c converts, have at least one row and sizes that a machine
 * can hold, be stored by known filters and in chunks of a sane size, and be there to its last byte.
 * The table `checks` has the order. NaN and infinity are found as rows are read (column.c), labels
 * out of range by labels.c. */
#include "io/dataset_check.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

enum { NAME_SIZE = 256, CHUNK_BYTES_MAX = 256 << 20 };
enum {
    CACHE_BYTES = 64 << 20,
    CACHE_SLOTS = 12421
}; /* of unpacked chunks, unless more is asked for */

hid_t ls_dataset_check_memory_type(ls_dtype type)
{
    ls_h5_start();
    const hid_t types[] = {
        [LS_U8] = H5T_NATIVE_UINT8,  [LS_I8] = H5T_NATIVE_INT8,    [LS_U16] = H5T_NATIVE_UINT16,
        [LS_I16] = H5T_NATIVE_INT16, [LS_U32] = H5T_NATIVE_UINT32, [LS_I32] = H5T_NATIVE_INT32,
        [LS_I64] = H5T_NATIVE_INT64, [LS_F32] = H5T_NATIVE_FLOAT,  [LS_F64] = H5T_NATIVE_DOUBLE,
    };
    return types[type];
}

void ls_dataset_check_place(int place, const char *split, const char *array, char *path,
                            size_t size)
{
    snprintf(path, size, "%s%c%s", place ? array : split, place ? '_' : '/', place ? split : array);
}

bool ls_dataset_check_exists(hid_t file, const char *path, bool *exists, ls_error *error)
{
    char part[NAME_SIZE];
    *exists = false;
    for (size_t length = strcspn(path, "/");; length += 1 + strcspn(path + length + 1, "/")) {
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        H5L_info_t info;
        H5O_info_t object;
        htri_t found = H5Lexists(file, part, H5P_DEFAULT);
        if (found == 0)
            return true;
        if (found < 0 || H5Lget_info(file, part, &info, H5P_DEFAULT) < 0)
            return ls_h5_fail(error, LS_DATA, file, "can't look for %s", part);
        *exists = info.type != H5L_TYPE_HARD || !path[length];
        if (*exists)
            return true;
        if (H5Oget_info_by_name2(file, part, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
            return ls_h5_fail(error, LS_DATA, file, "can't look for %s", path);
        if (object.type != H5O_TYPE_GROUP)
            return true;
    }
}

const char *ls_dataset_check_names(hid_t group, char *text, size_t size)
{
    char name[NAME_SIZE];
    text[0] = 0;
    for (hsize_t i = 0;
         strlen(text) < size - 1 && H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i,
                                                       name, sizeof name, H5P_DEFAULT) >= 0;
         i++)
        ls_format_join(text, size, name);
    return text[0] ? text : "nothing";
}

/* The data set that is checked, and what the checks so far have found. */
typedef struct subject {
    hid_t dataset, creation; /* creation: its creation properties */
    const char *path;
    int rank;                   /* of all, the rows included */
    hsize_t dims[H5S_MAX_RANK]; /* [rank] */
    bool swapped;               /* its numbers are not in native byte order */
    size_t number;              /* bytes of one as stored */
    long bytes;                 /* of all rows */
    ls_array *array;
    ls_error *error;
} subject;

/* "FILE: PATH message"; the message begins with " " or ": ". Returns false. */
__attribute__((format(printf, 2, 3))) static bool refuse(const subject *it, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ls_h5_fail(it->error, LS_DATA, it->dataset, "%s%s", it->path, text);
}

void ls_dataset_check_describe_type(hid_t type, char *text, size_t size)
{
    static const char *const classes[] = {
        [H5T_INTEGER] = "integers",    [H5T_FLOAT] = "floats",
        [H5T_TIME] = "times",          [H5T_STRING] = "texts",
        [H5T_BITFIELD] = "bit fields", [H5T_OPAQUE] = "opaque bytes",
        [H5T_COMPOUND] = "records",    [H5T_REFERENCE] = "references",
        [H5T_ENUM] = "an enumeration", [H5T_VLEN] = "lists of varying length",
        [H5T_ARRAY] = "arrays",
    };
    H5T_class_t class = H5Tget_class(type);
    const char *name = class >= 0 && class < H5T_NCLASSES ? classes[class] : "an unknown type";
    if (class == H5T_INTEGER || class == H5T_FLOAT)
        snprintf(text, size, "%zu-bit %s%s", H5Tget_precision(type),
                 class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned " : "",
                 name);
    else
        snprintf(text, size, "%s", name);
}

bool ls_dataset_check_is_boolean(hid_t type)
{
    int8_t zero = -1, one = -1;
    return H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2 &&
           H5Tenum_valueof(type, "FALSE", &zero) >= 0 && H5Tenum_valueof(type, "TRUE", &one) >= 0 &&
           zero == 0 && one == 1;
}

bool ls_dataset_check_is_number(hid_t type)
{
    hid_t number = H5Tget_class(type) == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
    const H5T_class_t class = H5Tget_class(number);
    const size_t size = H5Tget_size(number);
    H5Tclose(number);
    return class == H5T_FLOAT || (class == H5T_BITFIELD && size == 1) ||
           (class == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8));
}

/* The type is one of ls_dtype, in either byte order, or boolean, which is read as uint8. */
static bool has_known_type(subject *it)
{
    hid_t type = H5Dget_type(it->dataset), native = H5Tcopy(type);
    bool known = ls_dataset_check_is_boolean(type);
    it->array->type = LS_U8;
    H5Tset_order(native, H5Tget_order(H5T_NATIVE_INT));
    for (int i = LS_U8; i <= LS_F64 && !known; i++) {
        known = H5Tequal(native, ls_dataset_check_memory_type((ls_dtype)i)) > 0;
        it->array->type = (ls_dtype)i;
    }
    it->swapped = H5Tequal(native, type) <= 0;
    char text[64], file[200];
    ls_dataset_check_describe_type(type, text, sizeof text);
    bool number = ls_dataset_check_is_number(type);
    H5Tclose(native);
    H5Tclose(type);
    return known ||
           refuse(it,
                  " holds %s; expected uint8, int8, uint16, int16, uint32, int32, int64, float32 "
                  "or float64%s%s%s",
                  text, number ? ", which `lockstep import h5 " : "",
                  number ? ls_h5_file(it->dataset, file, sizeof file) : "",
                  number ? " -o NEW.h5` makes of them" : "");
}

static bool has_rows(subject *it)
{
    hid_t space = H5Dget_space(it->dataset);
    H5S_class_t kind = H5Sget_simple_extent_type(space);
    it->rank = H5Sget_simple_extent_dims(space, it->dims, NULL);
    H5Sclose(space);
    if (kind != H5S_SIMPLE || it->rank < 1)
        return refuse(it, " is a single value; expected [rows, ...]");
    if (it->rank > 1 + LS_MAX_RANK)
        return refuse(it, " has %d dimensions; expected rows and at most %d more", it->rank,
                      (int)LS_MAX_RANK);
    for (int i = 0; i < it->rank; i++)
        if (it->dims[i] == 0)
            return refuse(it, "%s",
                          i ? " has rows of size 0; expected numbers in them"
                            : " has 0 rows; expected at least one");
    return true;
}

/* The rows fit into a long, counted as numbers, as bytes and as reals. */
static bool has_possible_size(subject *it)
{
    ls_array *array = it->array;
    hsize_t bytes = sizeof(double);
    bool fits = true;
    for (int i = 0; i < it->rank; i++)
        fits = fits && !__builtin_mul_overflow(bytes, it->dims[i], &bytes) && bytes <= LONG_MAX;
    if (!fits)
        return refuse(it, " claims a size that no machine can hold; the file is damaged");
    array->rows = (long)it->dims[0];
    array->shape.rank = it->rank - 1;
    for (int i = 1; i < it->rank; i++)
        array->shape.at[i - 1] = (long)it->dims[i];
    it->bytes = (long)(bytes / sizeof(double) * it->number);
    return true;
}

static bool has_known_filters(subject *it)
{
    for (int i = 0; i < H5Pget_nfilters(it->creation); i++) {
        char name[64] = "";
        size_t values = 0;
        unsigned flags, config;
        H5Z_filter_t id = H5Pget_filter2(it->creation, (unsigned)i, &flags, &values, NULL,
                                         sizeof name, name, &config);
        bool known =
            id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
        if (!known || H5Zfilter_avail(id) <= 0)
            return refuse(it,
                          " is stored with filter %d (%s), which lockstep does not read; "
                          "write it without compression, or with gzip",
                          (int)id, name[0] ? name : "unnamed");
    }
    return true;
}

/* HDF5 unpacks a whole chunk into memory, so a small file could ask for any amount of it. */
static bool has_sane_chunks(subject *it)
{
    hsize_t chunk[H5S_MAX_RANK], bytes = it->number;
    ls_array *array = it->array;
    if (H5Pget_layout(it->creation) != H5D_CHUNKED)
        return true;
    if (H5Pget_chunk(it->creation, it->rank, chunk) != it->rank)
        return refuse(it, ": its chunks can't be read");
    for (int i = 0; i < it->rank; i++)
        if (__builtin_mul_overflow(bytes, chunk[i], &bytes) || bytes > CHUNK_BYTES_MAX)
            return refuse(it, " is stored in chunks of more than %d MiB; expected smaller ones",
                          (int)(CHUNK_BYTES_MAX >> 20));
    array->chunk_rows = (long)chunk[0];
    array->chunk_bytes = array->unpacked = (double)bytes;
    for (int i = 0; i < it->rank; i++)
        array->unpacked *= (double)((it->dims[i] - 1) / chunk[i] + 1);
    array->kept = fmin(array->unpacked, CACHE_BYTES);
    return true;
}

/* HDF5 takes space in the file when numbers are first written: an array that was declared and never
 * written has none, and would read as zeros. */
static bool was_written(subject *it)
{
    bool contiguous = H5Pget_layout(it->creation) == H5D_CONTIGUOUS;
    if (contiguous && H5Dget_offset(it->dataset) == HADDR_UNDEF)
        return refuse(it, " was declared, but its numbers were never written");
    hsize_t stored = H5Dget_storage_size(it->dataset);
    if (contiguous && stored < (hsize_t)it->bytes)
        return refuse(it,
                      " claims %ld rows, which take %ld bytes, but stores %llu; the file is "
                      "damaged",
                      it->array->rows, it->bytes, (unsigned long long)stored);
    if (H5Pget_layout(it->creation) != H5D_CHUNKED)
        return true;
    hsize_t chunk[H5S_MAX_RANK], written = 0, all = 1;
    H5Pget_chunk(it->creation, it->rank, chunk);
    for (int i = 0; i < it->rank; i++)
        all *= (it->dims[i] - 1) / chunk[i] + 1;
    hid_t space = H5Dget_space(it->dataset);
    bool counted = H5Dget_num_chunks(it->dataset, space, &written) >= 0 ||
                   refuse(it, ": its chunks can't be counted");
    H5Sclose(space);
    if (!counted)
        return false;
    return written == all || refuse(it, ": %llu of its %llu chunks were written; expected all",
                                    (unsigned long long)written, (unsigned long long)all);
}

/* Sets `start` where the rows can be read without HDF5: contiguous, in native byte order. */
static bool lies_in_file(subject *it)
{
    hbool_t threads = false;
    it->array->start = -1;
    H5is_library_threadsafe(&threads);
    if (H5Pget_layout(it->creation) != H5D_CONTIGUOUS || it->swapped)
        return threads ||
               refuse(it,
                      " is chunked or of another byte order, and this HDF5 library can't read it "
                      "beside the training (it was built without threads): store it contiguous, "
                      "in this machine's byte order");
    hsize_t size = 0;
    hid_t file = H5Iget_file_id(it->dataset);
    H5Fget_filesize(file, &size);
    H5Fclose(file);
    haddr_t start = H5Dget_offset(it->dataset);
    if (start > size || size - start < (hsize_t)it->bytes)
        return refuse(it, " should end at byte %llu, but the file has %llu; it was cut short",
                      (unsigned long long)(start + (hsize_t)it->bytes), (unsigned long long)size);
    it->array->start = (long)start;
    return true;
}

static bool has_sane_scale(subject *it)
{
    ls_array *array = it->array;
    bool present;
    array->scale = 1;
    array->offset = 0;
    if (!ls_h5_get_double(it->dataset, "scale", &array->scale, &present, it->error) ||
        !ls_h5_get_double(it->dataset, "offset", &array->offset, &present, it->error))
        return refuse(it, ": attribute scale or offset is not one number; expected "
                          "value = scale * stored + offset");
    return (isfinite(array->scale) && array->scale != 0 && isfinite(array->offset)) ||
           refuse(it,
                  " has attributes scale=%g, offset=%g; expected finite numbers, scale not 0 "
                  "(value = scale * stored + offset)",
                  array->scale, array->offset);
}

/* Each relies on those before it. ls_h5_dataset has refused links, virtual layout and storage in
 * other files. */
static bool (*const checks[])(subject *) = {
    has_known_type,  has_rows,    has_possible_size, has_known_filters,
    has_sane_chunks, was_written, lies_in_file,      has_sane_scale,
};

enum { CHECKS = sizeof checks / sizeof *checks, OF_STORAGE = 1, OF_STORAGE_END = 6 };

/* Whether checks [first, end) find nothing. */
static bool passes(subject *it, int first, int end)
{
    hid_t type = H5Dget_type(it->dataset);
    it->number = H5Tget_size(type);
    it->creation = H5Dget_create_plist(it->dataset);
    bool ok = true;
    for (int i = first; ok && i < end; i++)
        ok = checks[i](it);
    H5Pclose(it->creation);
    H5Tclose(type);
    return ok;
}

bool ls_dataset_check_stored(hid_t dataset, const char *path, ls_error *error)
{
    ls_array array = {.start = -1};
    subject it = {.dataset = dataset, .path = path, .array = &array, .error = error};
    return passes(&it, OF_STORAGE, OF_STORAGE_END);
}

/* Has HDF5 keep `bytes` of unpacked chunks, so that a random row need not unpack a chunk. HDF5
 * finds them by their number modulo `slots`, one in each. */
static hid_t open_cached(hid_t file, const char *path, size_t slots, size_t bytes)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, slots, bytes, H5D_CHUNK_CACHE_W0_DEFAULT);
    hid_t dataset = H5Dopen2(file, path, access);
    H5Pclose(access);
    return dataset;
}

bool ls_dataset_check_reopen(hid_t file, ls_array *array, double bytes, hid_t *dataset,
                             ls_error *error)
{
    double slots = fmin(4 * array->unpacked / array->chunk_bytes, 1 << 24) + 1;
    H5Dclose(*dataset);
    *dataset = open_cached(file, array->path, (size_t)fmax(slots, CACHE_SLOTS), (size_t)bytes);
    array->kept = bytes;
    return *dataset >= 0 ||
           ls_h5_fail(error, LS_DATA, file, "%s can't be opened again", array->path);
}

hid_t ls_dataset_check_open(hid_t file, const char *path, ls_array *array, ls_error *error)
{
    hid_t trusted = ls_h5_dataset(file, path, error);
    if (trusted < 0)
        return -1;
    H5Dclose(trusted);
    *array = (ls_array){.start = -1};
    snprintf(array->path, sizeof array->path, "%s", path);
    subject it = {.dataset = open_cached(file, path, CACHE_SLOTS, CACHE_BYTES),
                  .path = path,
                  .array = array,
                  .error = error};
    if (it.dataset < 0)
        return ls_h5_fail(error, LS_DATA, file, "%s can't be opened", path), -1;
    bool ok = passes(&it, 0, CHECKS);
    if (!ok)
        H5Dclose(it.dataset);
    return ok ? it.dataset : -1;
}
