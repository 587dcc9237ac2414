/* checkpoint_items: which data set of a checkpoint file holds which numbers. */
#include "io/checkpoint/checkpoint_items.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_size.h"
#include "io/h5/h5.h"

static bool is_state(const ls_params *params, int slot)
{
    return params->slots[slot].kind == LS_SLOT_STATE;
}

/* The item for a slot of `array`; its path begins with `group` and `state`. */
static ls_checkpoint_item make_item(const ls_params *params, int slot, real *array,
                                    const char *group, const char *state)
{
    const ls_shape *shape = &params->slots[slot].shape;
    ls_checkpoint_item it = {.slot = slot, .array = array, .rank = shape->rank};
    snprintf(it.path, sizeof it.path, "%s%s/%s", group, state, params->slots[slot].name);
    for (int i = 0; i < shape->rank; i++)
        it.dims[i] = (hsize_t)shape->at[i];
    return it;
}

/* The item for a row state. */
static ls_checkpoint_item make_rows(const ls_row_state *state, real *data)
{
    ls_checkpoint_item it = {.slot = LS_CHECKPOINT_ROWS,
                             .array = data,
                             .rank = 2,
                             .dims = {(hsize_t)state->rows, (hsize_t)state->reals}};
    snprintf(it.path, sizeof it.path, "rows/%s", state->name);
    return it;
}

ls_checkpoint_item *ls_checkpoint_items_list(const ls_params *params, real *values,
                                             const ls_checkpoint_arrays *arrays,
                                             const ls_checkpoint_rows *rows, int *count)
{
    size_t most =
        (size_t)params->count * (1 + (size_t)(arrays ? arrays->count : 0)) + LS_ROW_STATES;
    ls_checkpoint_item *items = ls_alloc(most, sizeof *items), *next = items;
    for (int s = 0; s < params->count; s++)
        *next++ = make_item(params, s, values, is_state(params, s) ? "state" : "model", "");
    for (int a = 0; arrays && a < arrays->count; a++)
        for (int s = 0; s < params->count; s++) {
            const ls_checkpoint_array *array = &arrays->at[a];
            if ((array->statistics || !is_state(params, s)) && ls_slots_contain(array->slots, s))
                *next++ = make_item(params, s, array->array, "optimizer/", array->name);
        }
    for (int k = 0; rows && k < rows->states.count; k++)
        if (rows->states.at[k].rows > 0)
            *next++ = make_rows(&rows->states.at[k], rows->data[k]);
    *count = (int)(next - items);
    return items;
}

/* A load under way. */
typedef struct loading {
    hid_t file;
    const ls_params *params;
    ls_checkpoint_part part;
    const ls_slots *except;
    const ls_checkpoint_item *items;
    int count;
    long strangers;     /* data sets of the file that are none of the items */
    char stranger[256]; /* the first of them */
} loading;

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
    loading *load = context;
    if (!is_in_part(name, load->part) || is_group(file, name, link))
        return 0;
    for (int i = 0; i < load->count; i++)
        if (strcmp(load->items[i].path, name) == 0)
            return 0;
    if (load->strangers++ == 0)
        snprintf(load->stranger, sizeof load->stranger, "%s", name);
    return 0;
}

/* Whether every data set of the part of the file that is loaded is one of the items. */
static bool check_strangers(loading *load, ls_error *error)
{
    if (H5Lvisit(load->file, H5_INDEX_NAME, H5_ITER_NATIVE, count_stranger, load) < 0)
        return ls_h5_fail(error, LS_DATA, load->file, "can't list its contents");
    return load->strangers == 0 ||
           ls_h5_fail(error, LS_DATA, load->file,
                      "holds %ld array(s) that this model does not have, the first of them %s; it "
                      "is of another model",
                      load->strangers, load->stranger);
}

bool ls_checkpoint_items_type(hid_t dataset, const char *path, ls_checkpoint_part part,
                              ls_error *error)
{
    hid_t type = H5Dget_type(dataset);
    bool is_float = H5Tget_class(type) == H5T_FLOAT, wider = H5Tget_size(type) > sizeof(real);
    H5Tclose(type);
    if (!is_float)
        return ls_h5_fail(error, LS_DATA, dataset,
                          "%s does not hold floating-point numbers; expected " LS_REAL_NAME, path);
    return part == LS_CHECKPOINT_WEIGHTS || !wider ||
           ls_h5_fail(error, LS_DATA, dataset,
                      "%s is stored as float64, but this program computes in " LS_REAL_NAME
                      "; go on with lockstep-double%s",
                      path,
                      strncmp(path, "rows/", 5) == 0
                          ? ""
                          : ", or start from these numbers with --weights");
}

static bool is_excepted(const loading *load, const ls_checkpoint_item *item)
{
    return load->except && ls_slots_contain(load->except, item->slot);
}

static bool check_item(const loading *load, const ls_checkpoint_item *item, ls_error *error)
{
    hid_t dataset = ls_h5_dataset(load->file, item->path, error);
    if (dataset < 0)
        return false;
    bool ok = ls_h5_shape_is(dataset, item->path, item->rank, item->dims, error) &&
              ls_checkpoint_items_type(dataset, item->path, load->part, error);
    H5Dclose(dataset);
    return ok;
}

/* Reads the numbers into the array itself if the slot is stored in its logical layout; else into
 * `logical`, from where they are converted. */
static bool load_item(const loading *load, const ls_checkpoint_item *item, real *logical,
                      ls_error *error)
{
    const ls_slot *slot = &load->params->slots[item->slot];
    real *to = slot->layout.size ? logical : item->array + slot->offset;
    if (!ls_h5_read(load->file, item->path, ls_h5_real(), item->rank, item->dims, to, error))
        return false;
    ls_error reason;
    if (!ls_params_accept(slot, to, item->path, &reason))
        return ls_h5_fail(error, LS_DATA, load->file, "%s", reason.text);
    if (slot->layout.size)
        ls_params_load(load->params, item->slot, logical, item->array);
    return true;
}

bool ls_checkpoint_items_load(hid_t file, const ls_params *params, const ls_checkpoint_loaded *what,
                              ls_error *error)
{
    loading load = {.file = file, .params = params, .part = what->part, .except = what->except};
    ls_checkpoint_item *items =
        ls_checkpoint_items_list(params, params->values, what->arrays, NULL, &load.count);
    load.items = items;
    bool ok = true;
    for (int i = 0; i < load.count && ok; i++)
        ok = is_excepted(&load, &items[i]) || check_item(&load, &items[i], error);
    ok = ok && check_strangers(&load, error);
    real *logical = ls_alloc(ls_checkpoint_largest(params), sizeof *logical);
    for (int i = 0; i < load.count && ok; i++)
        ok = is_excepted(&load, &items[i]) || load_item(&load, &items[i], logical, error);
    ls_free(logical);
    ls_free(items);
    return ok;
}
