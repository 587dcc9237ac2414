/* weights_file: loads parameters from a file, whatever its format. */
#include "launch/weights/weights_file.h"

#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "core/spec.h"
#include "io/checkpoint/checkpoint.h"
#include "io/safetensors/safetensors.h"
#include "launch/weights/tensor_names.h"
#include "launch/weights/torchvision.h"

/* A load under way. */
typedef struct loading {
    const ls_safetensors *file;
    const ls_params *params;
    const ls_slots *except;
    ls_naming naming;
    const ls_tensor_name *names; /* [params->count] */
    const ls_safetensor **found; /* [params->count]; NULL: it stays as it is */
} loading;

/* lockstep's names have slashes, torchvision's have none. */
static ls_naming naming_of(const ls_safetensors_table *table)
{
    for (int i = 0; i < table->count; i++)
        if (strchr(table->at[i].name, '/'))
            return LS_NAMING_LOCKSTEP;
    return table->count ? LS_NAMING_TORCHVISION : LS_NAMING_LOCKSTEP;
}

/* The tensor whose name is the wanted one behind what all names of the file begin with, such as the
 * "module." of PyTorch's DataParallel; NULL: there is none. */
static const char *find_prefixed(const ls_safetensors_table *table, const char *wanted)
{
    for (int i = 0; i < table->count; i++) {
        const char *name = table->at[i].name;
        const size_t length = strlen(name), own = strlen(wanted);
        int same = 0;
        if (length <= own || strcmp(name + length - own, wanted) != 0)
            continue;
        while (same < table->count && strncmp(table->at[same].name, name, length - own) == 0)
            same++;
        if (same == table->count)
            return name;
    }
    return NULL;
}

/* The tensor is missing: names the nearest that there is. */
static bool miss(const loading *load, int slot, ls_error *error)
{
    const ls_safetensors_table *table = &load->file->table;
    const char *wanted = load->names[slot].text;
    const char *near = ls_nearest(wanted, table->at, table->count, sizeof *table->at);
    const char *prefixed = find_prefixed(table, wanted);
    if (prefixed)
        return ls_error_set(
            error, LS_DATA, "%s: all its names begin with '%.*s', before %s too: take that off",
            load->file->path, (int)(strlen(prefixed) - strlen(wanted)), prefixed, wanted);
    return ls_error_set(error, LS_DATA,
                        "%s: holds no tensor %s, which %s of this model is read from%s%s",
                        load->file->path, wanted, load->params->slots[slot].name,
                        near ? "; the nearest name is " : "", near ? near : "");
}

/* Finds the tensor of a slot, and checks its type and shape. */
static bool find(const loading *load, int slot, ls_error *error)
{
    char found[96], expected[96];
    const char *path = load->file->path, *name = load->names[slot].text;
    const ls_slot *to = &load->params->slots[slot];
    const ls_safetensor *tensor = ls_safetensors_table_find(&load->file->table, name);
    load->found[slot] = tensor;
    if (!tensor)
        return miss(load, slot, error);
    if (!tensor->type->read)
        return ls_error_set(error, LS_DATA,
                            "%s: tensor %s is of type %s; expected F32, F16, BF16 or F64", path,
                            name, tensor->type->name);
    if (ls_shape_equal(&tensor->shape, &to->shape))
        return true;
    ls_shape_text(&tensor->shape, found, sizeof found);
    ls_shape_text(&to->shape, expected, sizeof expected);
    char line[LS_SLOT_NAME];
    snprintf(line, sizeof line, "%s", strchr(to->name, '/') + 1);
    *strrchr(line, '/') = 0;
    return ls_error_set(error, LS_DATA,
                        "%s: tensor %s has the shape %s; expected %s, as %s has in this model (to "
                        "leave it as it is, train takes --except %s)",
                        path, name, found, expected, to->name, line);
}

/* Whether a tensor of the file is one of a slot, excepted or not, or stands for nothing of ours. */
static bool is_known(const loading *load, const ls_safetensor *tensor)
{
    for (int s = 0; s < load->params->count; s++)
        if (strcmp(load->names[s].text, tensor->name) == 0)
            return true;
    return load->naming == LS_NAMING_TORCHVISION && ls_torchvision_ignores(tensor->name);
}

static bool check_strangers(const loading *load, ls_error *error)
{
    const ls_safetensors_table *table = &load->file->table;
    const char *first = NULL;
    int strangers = 0;
    for (int i = 0; i < table->count; i++) {
        if (is_known(load, &table->at[i]))
            continue;
        first = first ? first : table->at[i].name;
        strangers++;
    }
    return strangers == 0 ||
           ls_error_set(error, LS_DATA,
                        "%s: holds %d tensor(s) that this model does not have, one of them %.200s; "
                        "it is of another model",
                        load->file->path, strangers, first);
}

/* Checks all slots, then reads them. */
static bool load_slots(const loading *load, ls_error *error)
{
    const ls_params *params = load->params;
    long largest = 0;
    for (int s = 0; s < params->count; s++) {
        if (!ls_slots_contain(load->except, s) && !find(load, s, error))
            return false;
        largest = ls_max(largest, ls_shape_count(&params->slots[s].shape));
    }
    if (!check_strangers(load, error))
        return false;
    bool ok = true;
    real *file = ls_alloc((size_t)largest, sizeof *file);
    real *logical = ls_alloc((size_t)largest, sizeof *logical);
    for (int s = 0; ok && s < params->count; s++) {
        ok = !load->found[s] || ls_safetensors_read(load->file, load->found[s], file, error);
        if (!ok || !load->found[s])
            continue;
        char where[LS_SLOT_NAME + 16];
        snprintf(where, sizeof where, "tensor %s", load->names[s].text);
        ok = ls_params_accept(&params->slots[s], file, where, error) ||
             ls_error_prefix(error, "%s", load->file->path);
        ls_tensor_names_to_slot(&load->names[s], &params->slots[s], file, logical);
        ls_params_load(params, s, logical, params->values);
    }
    ls_free(logical);
    ls_free(file);
    return ok;
}

static bool load_safetensors(const ls_weights_source *source, const ls_slots *except,
                             const ls_params *params, ls_error *error)
{
    ls_safetensors *file = ls_safetensors_open(source->path, error);
    if (!file)
        return false;
    loading load = {.file = file, .params = params, .except = except};
    load.naming = naming_of(&file->table);
    ls_tensor_name *names = ls_tensor_names_list(params, load.naming, source->model, error);
    load.names = names;
    load.found = ls_alloc((size_t)params->count, sizeof *load.found);
    bool ok = names ? load_slots(&load, error)
                    : ls_error_prefix(error, "%s: has no name of lockstep's (NET/LINE/weight)",
                                      source->path);
    ls_free(load.found);
    ls_free(names);
    ls_safetensors_close(file);
    return ok;
}

bool ls_weights_file_load(const ls_weights_source *source, const ls_params *params, ls_error *error)
{
    ls_slots except = {0};
    if (source->except && !ls_slots_match(params, source->except, &except, error))
        return ls_error_prefix(error, "--except");
    return ls_safetensors_looks(source->path)
               ? load_safetensors(source, &except, params, error)
               : ls_weights_load_except(source->path, params, &except,
                                        source->except ? NULL : source->data, error);
}
