/* checkpoint_items: which data set of a checkpoint file holds which numbers. */
#include "io/checkpoint/checkpoint_items.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_fields.h"
#include "io/checkpoint/checkpoint_size.h"
#include "io/h5/h5.h"

enum { ITEM_PATH = LS_SLOT_NAME + 64 };

/* One data set of a checkpoint: the numbers of a slot, in their logical layout. */
typedef struct item {
    char path[ITEM_PATH]; /* model/net/conv1/weight */
    int slot;
    real *array; /* that the slot is stored in, at its offset in the params */
} item;

static bool is_state(const ls_params *params, int slot)
{
    return params->slots[slot].kind == LS_SLOT_STATE;
}

/* Every data set for the values of `params` and for `arrays` (NULL: none), the values first, in the
 * order of the slots. The caller frees with ls_free. */
static item *list_items(const ls_params *params, const ls_checkpoint_arrays *arrays, int *count)
{
    int others = arrays ? arrays->count : 0;
    item *items = ls_alloc((size_t)params->count * (1 + (size_t)others), sizeof *items),
         *next = items;
    for (int s = 0; s < params->count; s++, next++) {
        *next = (item){.slot = s, .array = params->values};
        snprintf(next->path, sizeof next->path, "%s/%s", is_state(params, s) ? "state" : "model",
                 params->slots[s].name);
    }
    for (int a = 0; a < others; a++)
        for (int s = 0; s < params->count; s++) {
            const ls_checkpoint_array *array = &arrays->at[a];
            if ((is_state(params, s) && !array->statistics) || !ls_slots_contain(array->slots, s))
                continue;
            *next = (item){.slot = s, .array = array->array};
            snprintf(next->path, sizeof next->path, "optimizer/%s/%s", array->name,
                     params->slots[s].name);
            next++;
        }
    *count = (int)(next - items);
    return items;
}

/* Shape and rank of an item's data set. */
static int item_dims(const ls_params *params, const item *item, hsize_t dims[LS_MAX_RANK])
{
    const ls_shape *shape = &params->slots[item->slot].shape;
    for (int i = 0; i < shape->rank; i++)
        dims[i] = (hsize_t)shape->at[i];
    return shape->rank;
}

static bool write_item(hid_t file, const ls_params *params, const item *item, real *logical,
                       ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = item_dims(params, item, dims);
    const ls_slot *slot = &params->slots[item->slot];
    const real *from = item->array + slot->offset;
    if (slot->layout.size) {
        ls_params_store(params, item->slot, item->array, logical);
        from = logical;
    }
    hid_t stored = sizeof(real) == sizeof(double) ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    return ls_h5_write(file, item->path, stored, ls_h5_real(), rank, dims, from, error);
}

static bool write_file(hid_t file, const ls_checkpoint_contents *contents, ls_checkpoint_part part,
                       ls_error *error)
{
    const ls_params *params = contents->params;
    int count;
    item *items = list_items(params, part == LS_CHECKPOINT_ALL ? contents->arrays : NULL, &count);
    real *logical = ls_alloc(ls_checkpoint_largest(params), sizeof *logical);
    bool ok = ls_checkpoint_fields_write(file, contents->position, contents->job,
                                         part == LS_CHECKPOINT_WEIGHTS, error);
    for (int i = 0; i < count && ok; i++)
        ok = write_item(file, params, &items[i], logical, error);
    ls_free(logical);
    ls_free(items);
    return ok;
}

bool ls_checkpoint_items_write(const char *name, const ls_checkpoint_contents *contents,
                               ls_checkpoint_part part, ls_h5_image *image, ls_error *error)
{
    int arrays = part == LS_CHECKPOINT_ALL ? contents->arrays->count : 0;
    hid_t file =
        ls_h5_create_image(name, ls_checkpoint_bytes(contents->params, arrays), image, error);
    bool ok = file >= 0 && write_file(file, contents, part, error);
    ok = file >= 0 && ls_h5_close_image(file, image, ok ? error : NULL) && ok;
    if (ok)
        return true;
    ls_free(image->bytes);
    *image = (ls_h5_image){0};
    return false;
}

/* A load under way. */
typedef struct loading {
    hid_t file;
    char path[4096]; /* of the file, for messages */
    const ls_params *params;
    ls_checkpoint_part part;
    const item *items;
    int count;
} loading;

/* A walk over the file, which finds the data sets that no item asks for. */
typedef struct strangers {
    const loading *load;
    long count;
    char first[ITEM_PATH];
} strangers;

static bool is_in_part(const char *name, ls_checkpoint_part part)
{
    return strncmp(name, "model/", 6) == 0 || strncmp(name, "state/", 6) == 0 ||
           (part == LS_CHECKPOINT_ALL && strncmp(name, "optimizer/", 10) == 0);
}

static bool is_group(hid_t file, const char *name, const H5L_info_t *link)
{
    H5O_info_t object;
    return link->type == H5L_TYPE_HARD &&
           H5Oget_info_by_name1(file, name, &object, H5P_DEFAULT) >= 0 &&
           object.type == H5O_TYPE_GROUP;
}

static herr_t count_stranger(hid_t file, const char *name, const H5L_info_t *link, void *context)
{
    strangers *found = context;
    if (!is_in_part(name, found->load->part) || is_group(file, name, link))
        return 0;
    for (int i = 0; i < found->load->count; i++)
        if (strcmp(found->load->items[i].path, name) == 0)
            return 0;
    if (found->count++ == 0)
        snprintf(found->first, sizeof found->first, "%s", name);
    return 0;
}

/* Every data set of the part of the file that is loaded is one of the items. */
static bool check_strangers(const loading *load, ls_error *error)
{
    strangers found = {.load = load};
    if (H5Lvisit(load->file, H5_INDEX_NAME, H5_ITER_NATIVE, count_stranger, &found) < 0)
        return ls_h5_fail(error, LS_DATA, load->file, "can't list its contents");
    return found.count == 0 || ls_error_set(error, LS_DATA,
                                            "%s: holds %ld array(s) that this model does not have, "
                                            "the first of them %s; it is of another model",
                                            load->path, found.count, found.first);
}

static bool check_type(const loading *load, const item *item, hid_t dataset, ls_error *error)
{
    hid_t type = H5Dget_type(dataset);
    bool is_float = H5Tget_class(type) == H5T_FLOAT, wider = H5Tget_size(type) > sizeof(real);
    H5Tclose(type);
    if (!is_float)
        return ls_error_set(error, LS_DATA,
                            "%s: %s does not hold floating-point numbers; expected " LS_REAL_NAME,
                            load->path, item->path);
    return load->part == LS_CHECKPOINT_WEIGHTS || !wider ||
           ls_error_set(error, LS_DATA,
                        "%s: %s is stored as float64, but this program computes in " LS_REAL_NAME
                        "; go on with lockstep-double, or start from these numbers with --weights",
                        load->path, item->path);
}

static bool check_item(const loading *load, const item *item, ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = item_dims(load->params, item, dims);
    hid_t dataset = ls_h5_dataset(load->file, item->path, error);
    if (dataset < 0)
        return false;
    bool ok = ls_h5_shape_is(dataset, item->path, rank, dims, error) &&
              check_type(load, item, dataset, error);
    H5Dclose(dataset);
    return ok;
}

/* Where the slot is stored in its logical layout, the numbers are read into the array itself, else
 * into `logical`, and converted. */
static bool load_item(const loading *load, const item *item, real *logical, ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = item_dims(load->params, item, dims);
    const ls_slot *slot = &load->params->slots[item->slot];
    real *to = slot->layout.size ? logical : item->array + slot->offset;
    if (!ls_h5_read(load->file, item->path, ls_h5_real(), rank, dims, to, error))
        return false;
    for (long i = 0; i < ls_shape_count(&slot->shape); i++)
        if (!isfinite(to[i]))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds %g at place %ld; expected finite "
                                "numbers",
                                load->path, item->path, (double)to[i], i);
    if (slot->layout.size)
        ls_params_load(load->params, item->slot, logical, item->array);
    return true;
}

bool ls_checkpoint_items_load(hid_t file, const ls_params *params,
                              const ls_checkpoint_arrays *arrays, ls_checkpoint_part part,
                              ls_error *error)
{
    loading load = {.file = file, .params = params, .part = part};
    ls_h5_file(file, load.path, sizeof load.path);
    item *items = list_items(params, arrays, &load.count);
    load.items = items;
    bool ok = true;
    for (int i = 0; i < load.count && ok; i++)
        ok = check_item(&load, &items[i], error);
    ok = ok && check_strangers(&load, error);
    real *logical = ls_alloc(ls_checkpoint_largest(params), sizeof *logical);
    for (int i = 0; i < load.count && ok; i++)
        ok = load_item(&load, &items[i], logical, error);
    ls_free(logical);
    ls_free(items);
    return ok;
}
