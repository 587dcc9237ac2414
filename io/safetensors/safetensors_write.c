/* safetensors_write: writes a safetensors file. */
#include "io/safetensors/safetensors_write.h"

#include <jansson.h>
#include <string.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/safetensors/safetensors_table.h"

struct ls_safetensors_write {
    ls_atomic_file *file;
    long left; /* numbers that are still to come */
};

static json_t *make_header(const ls_safetensors_contents *contents, long *numbers)
{
    json_t *top = json_object(), *metadata = json_object();
    for (const char *const *m = contents->metadata; m && m[0]; m += 2)
        json_object_set_new(metadata, m[0], json_string(m[1]));
    json_object_set_new(top, "__metadata__", metadata);
    for (int i = 0; i < contents->count; i++) {
        const ls_safetensors_entry *entry = &contents->at[i];
        json_t *shape = json_array();
        for (int d = 0; d < entry->shape.rank; d++)
            json_array_append_new(shape, json_integer(entry->shape.at[d]));
        const long begin = *numbers;
        *numbers += ls_shape_count(&entry->shape);
        json_t *offsets = json_pack("[I, I]", (json_int_t)(begin * (long)sizeof(real)),
                                    (json_int_t)(*numbers * (long)sizeof(real)));
        ls_check(!json_object_get(top, entry->name), "two tensors are called %s", entry->name);
        json_object_set_new(top, entry->name,
                            json_pack("{s:s, s:o, s:o}", "dtype", ls_safetensors_type_real, "shape",
                                      shape, "data_offsets", offsets));
    }
    return top;
}

/* Writes the length and the header, with blanks behind it so that the numbers are aligned. */
static bool put_header(ls_atomic_file *file, json_t *top, ls_error *error)
{
    const size_t text = json_dumpb(top, NULL, 0, JSON_COMPACT);
    const size_t unit = LS_SAFETENSORS_PREFIX, length = (text + unit - 1) / unit * unit;
    unsigned char *bytes = ls_alloc(unit + length, 1);
    for (size_t i = 0; i < unit; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
    memset(bytes + unit, ' ', length);
    json_dumpb(top, (char *)bytes + unit, text, JSON_COMPACT);
    bool ok = ls_atomic_file_put(file, bytes, unit + length, error);
    ls_free(bytes);
    return ok;
}

ls_safetensors_write *ls_safetensors_write_begin(const char *path,
                                                 const ls_safetensors_contents *contents,
                                                 ls_error *error)
{
    ls_atomic_file *file = ls_atomic_file_create(path, error);
    if (!file)
        return NULL;
    ls_safetensors_write *write = ls_alloc(1, sizeof *write);
    write->file = file;
    json_t *top = make_header(contents, &write->left);
    bool ok = put_header(file, top, error);
    json_decref(top);
    if (ok)
        return write;
    ls_safetensors_write_discard(write);
    return NULL;
}

bool ls_safetensors_write_numbers(ls_safetensors_write *write, const real *numbers, long count,
                                  ls_error *error)
{
    ls_check(count <= write->left, "a safetensors file gets more numbers than its header says");
    write->left -= count;
    return ls_atomic_file_put(write->file, numbers, (size_t)count * sizeof *numbers, error);
}

bool ls_safetensors_write_end(ls_safetensors_write *write, ls_error *error)
{
    ls_check(write->left == 0, "a safetensors file lacks %ld numbers", write->left);
    bool ok = ls_atomic_file_finish(write->file, error);
    ls_free(write);
    return ok;
}

void ls_safetensors_write_discard(ls_safetensors_write *write)
{
    ls_atomic_file_discard(write->file);
    ls_free(write);
}
