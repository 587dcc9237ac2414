/* safetensors_table: reads and judges the header of a safetensors file. */
#include "io/safetensors/safetensors_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define METADATA "__metadata__"

/* What a message begins with. */
typedef struct place {
    const char *path, *tensor;
} place;

static bool complain(const place *at, ls_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool complain(const place *at, ls_error *error, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (at->tensor)
        return ls_error_set(error, LS_DATA, "%s: tensor %.200s: %s", at->path, at->tensor, text);
    return ls_error_set(error, LS_DATA, "%s: %s", at->path, text);
}

/* Whether no more than LS_SAFETENSORS_DEPTH brackets are open at any place: jansson would call
 * itself 2,048 deep. What is no JSON at all is left to jansson. */
static bool check_depth(const place *at, const char *header, size_t size, ls_error *error)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const char c = header[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > LS_SAFETENSORS_DEPTH)
            return complain(at, error,
                            "byte %zu of the header is %d brackets deep; expected at most %d", i,
                            depth, LS_SAFETENSORS_DEPTH);
    }
    return true;
}

static json_t *parse(const place *at, const char *header, size_t size, ls_error *error)
{
    json_error_t why;
    if (!check_depth(at, header, size, error))
        return NULL;
    json_t *top = json_loadb(header, size, JSON_REJECT_DUPLICATES, &why);
    if (!top)
        complain(at, error, "byte %d of the header is no JSON: %s", why.position, why.text);
    else if (!json_is_object(top))
        complain(at, error, "the header is no JSON object");
    if (top && json_is_object(top))
        return top;
    json_decref(top);
    return NULL;
}

static bool check_metadata(const place *at, json_t *metadata, ls_error *error)
{
    const char *key;
    json_t *value;
    bool good = json_is_object(metadata);
    json_object_foreach (metadata, key, value)
        good = good && json_is_string(value);
    return good || complain(at, error, METADATA " is no object of texts");
}

static bool read_type(const place *at, json_t *entry, ls_safetensor *tensor, ls_error *error)
{
    const json_t *type = json_object_get(entry, "dtype");
    if (!json_is_string(type))
        return complain(at, error, "dtype is missing, or no text");
    tensor->type = ls_safetensors_type_find(json_string_value(type));
    return tensor->type || complain(at, error,
                                    "dtype %.40s is none of the format; expected F32, "
                                    "F16, BF16 or F64",
                                    json_string_value(type));
}

/* Fills the shape, and *bytes that it takes. */
static bool read_shape(const place *at, json_t *entry, ls_safetensor *tensor, uint64_t *bytes,
                       ls_error *error)
{
    static const int64_t most = INT64_C(1) << 48; /* numbers */
    const json_t *shape = json_object_get(entry, "shape");
    const size_t rank = json_array_size(shape);
    int64_t product = 1; /* of those that are not 0: so no order of them overflows */
    if (!json_is_array(shape))
        return complain(at, error, "shape is missing, or no array");
    if (rank > LS_MAX_RANK)
        return complain(at, error, "shape has %zu dimensions; expected at most %d", rank,
                        LS_MAX_RANK);
    tensor->shape.rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dimension = json_array_get(shape, i);
        const int64_t value = json_integer_value(dimension);
        if (!json_is_integer(dimension) || value < 0)
            return complain(at, error, "dimension %zu of shape is no whole number from 0 on", i);
        if (value > most / product)
            return complain(at, error, "shape has more than 2^48 numbers");
        product *= value ? value : 1;
        tensor->shape.at[i] = (long)value;
    }
    *bytes = (uint64_t)ls_shape_count(&tensor->shape) * tensor->type->size;
    return true;
}

/* Fills begin and end, which must fit the shape and the file. */
static bool read_offsets(const place *at, json_t *entry, uint64_t bytes, uint64_t data,
                         ls_safetensor *tensor, ls_error *error)
{
    char shape[96];
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return complain(at, error,
                        "data_offsets are no two whole numbers [BEGIN, END], the second not below "
                        "the first");
    tensor->begin = (uint64_t)json_integer_value(begin);
    tensor->end = (uint64_t)json_integer_value(end);
    if (tensor->end > data)
        return complain(at, error,
                        "data_offsets [%" PRIu64 ", %" PRIu64 "] reach beyond the end of the file, "
                        "which has %" PRIu64 " bytes of numbers: is it cut off?",
                        tensor->begin, tensor->end, data);
    return tensor->end - tensor->begin == bytes ||
           complain(at, error,
                    "data_offsets [%" PRIu64 ", %" PRIu64 "] are %" PRIu64 " bytes; expected "
                    "%" PRIu64 " for %s of shape %s",
                    tensor->begin, tensor->end, tensor->end - tensor->begin, bytes,
                    tensor->type->name, ls_shape_text(&tensor->shape, shape, sizeof shape));
}

static bool check_keys(const place *at, json_t *entry, ls_error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(entry))
        return complain(at, error, "its entry in the header is no object");
    json_object_foreach (entry, key, value)
        if (strcmp(key, "dtype") != 0 && strcmp(key, "shape") != 0 &&
            strcmp(key, "data_offsets") != 0)
            return complain(at, error, "unknown key %.40s; expected dtype, shape and data_offsets",
                            key);
    return true;
}

static bool read_tensor(const place *at, json_t *entry, uint64_t data, ls_safetensor *tensor,
                        ls_error *error)
{
    uint64_t bytes = 0;
    return check_keys(at, entry, error) && read_type(at, entry, tensor, error) &&
           read_shape(at, entry, tensor, &bytes, error) &&
           read_offsets(at, entry, bytes, data, tensor, error);
}

static bool read_tensors(const char *path, json_t *top, uint64_t data, ls_safetensors_table *table,
                         ls_error *error)
{
    const char *name;
    json_t *entry;
    table->at = ls_alloc(json_object_size(top), sizeof *table->at);
    json_object_foreach (top, name, entry) {
        const bool metadata = strcmp(name, METADATA) == 0;
        const place at = {path, metadata ? NULL : name};
        if (metadata && !check_metadata(&at, entry, error))
            return false;
        if (metadata)
            continue;
        ls_safetensor *tensor = &table->at[table->count++];
        tensor->name = ls_copy_string(name);
        if (!read_tensor(&at, entry, data, tensor, error))
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const ls_safetensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Whether the tensors, which are sorted, cover all bytes, each once. */
static bool check_cover(const char *path, const ls_safetensors_table *table, uint64_t data,
                        ls_error *error)
{
    uint64_t covered = 0;
    for (int i = 0; i < table->count; i++) {
        const ls_safetensor *tensor = &table->at[i];
        const place at = {path, tensor->name};
        if (tensor->begin < covered)
            return complain(&at, error,
                            "begins at byte %" PRIu64 ", inside tensor %.200s, which ends at "
                            "%" PRIu64,
                            tensor->begin, table->at[i - 1].name, covered);
        if (tensor->begin > covered)
            return complain(&at, error,
                            "begins at byte %" PRIu64 ", but no tensor holds the bytes from "
                            "%" PRIu64 " on",
                            tensor->begin, covered);
        covered = tensor->end;
    }
    const place at = {path, NULL};
    return covered == data || complain(&at, error,
                                       "the tensors end at byte %" PRIu64 ", but the file has "
                                       "%" PRIu64 " bytes of numbers",
                                       covered, data);
}

bool ls_safetensors_table_read(const char *path, const char *header, size_t size, uint64_t data,
                               ls_safetensors_table *table, ls_error *error)
{
    const place at = {path, NULL};
    *table = (ls_safetensors_table){0};
    json_t *top = parse(&at, header, size, error);
    bool ok = top && read_tensors(path, top, data, table, error);
    json_decref(top);
    if (!ok)
        return false;
    qsort(table->at, (size_t)table->count, sizeof *table->at, compare);
    return check_cover(path, table, data, error);
}

void ls_safetensors_table_release(ls_safetensors_table *table)
{
    for (int i = 0; i < table->count; i++)
        ls_free(table->at[i].name);
    ls_free(table->at);
    *table = (ls_safetensors_table){0};
}

const ls_safetensor *ls_safetensors_table_find(const ls_safetensors_table *table, const char *name)
{
    for (int i = 0; i < table->count; i++)
        if (strcmp(table->at[i].name, name) == 0)
            return &table->at[i];
    return NULL;
}
