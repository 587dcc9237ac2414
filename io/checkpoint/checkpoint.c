/* checkpoint: open, load, verify. Writing is in checkpoint_writer.c, the search for the newest
 * valid one in checkpoint_find.c. */
#include "io/checkpoint/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/checkpoint/snapshot.h"
#include "io/dataset_check.h"
#include "io/h5/h5_image.h"

/* A checkpoint file, verified and open. */
typedef struct opened {
    const char *path;
    void *bytes;
    hid_t file;
} opened;

/* The step in the seal and in the name are one: exchanged files are found by it. */
static bool right_name(const char *path, const ls_checksum *seal, ls_error *error)
{
    const char *slash = strrchr(path, '/');
    long named = ls_checkpoint_name_step(slash ? slash + 1 : path, ".h5");
    return named < 0 || seal->digest[0] == 0 || named == seal->step ||
           ls_error_set(error, LS_DATA, "%s: is the checkpoint of step %ld under a wrong name",
                        path, seal->step);
}

static bool open_file(const char *path, bool sealed, opened *it, ls_error *error)
{
    size_t size;
    ls_checksum seal;
    *it = (opened){.path = path, .file = -1};
    it->bytes = ls_checksum_read(path, sealed, &size, &seal, error);
    if (it->bytes && right_name(path, &seal, error))
        it->file = ls_h5_open_image(path, it->bytes, size, error);
    if (it->file >= 0)
        return true;
    ls_free(it->bytes);
    return false;
}

static void close_file(opened *it)
{
    H5Fclose(it->file);
    ls_free(it->bytes);
}

bool ls_checkpoint_open(const char *path, ls_snapshot *snapshot, ls_error *error)
{
    opened it;
    *snapshot = (ls_snapshot){0};
    if (!open_file(path, true, &it, error))
        return false;
    bool ok = ls_snapshot_read_fields(it.file, snapshot, error);
    close_file(&it);
    return ok;
}

bool ls_checkpoint_verify(const char *path, ls_error *error)
{
    ls_snapshot snapshot;
    bool ok = ls_checkpoint_open(path, &snapshot, error);
    ls_snapshot_release(&snapshot);
    return ok;
}

/* A walk over the file's data sets, which finds those that no item asks for. */
typedef struct walk {
    const ls_item *items;
    int count;
    bool weights_only;
    long strangers;
    char first[LS_ITEM_PATH];
} walk;

/* Whether `name` lies in a part of the file that a load takes. */
static bool is_wanted(const char *name, bool weights_only)
{
    return strncmp(name, "model/", 6) == 0 || strncmp(name, "state/", 6) == 0 ||
           (!weights_only && strncmp(name, "optimizer/", 10) == 0);
}

static bool is_group(hid_t file, const char *name, const H5L_info_t *link)
{
    H5O_info_t object;
    return link->type == H5L_TYPE_HARD &&
           H5Oget_info_by_name1(file, name, &object, H5P_DEFAULT) >= 0 &&
           object.type == H5O_TYPE_GROUP;
}

static herr_t look_at(hid_t file, const char *name, const H5L_info_t *link, void *context)
{
    walk *w = context;
    if (!is_wanted(name, w->weights_only) || is_group(file, name, link))
        return 0;
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->items[i].path, name) == 0)
            return 0;
    if (w->strangers++ == 0)
        snprintf(w->first, sizeof w->first, "%s", name);
    return 0;
}

/* Every data set of the file's model, state (and optimizer) is one of `items`. */
static bool no_strangers(const opened *it, const ls_item *items, int count, bool weights_only,
                         ls_error *error)
{
    walk w = {.items = items, .count = count, .weights_only = weights_only};
    if (H5Lvisit(it->file, H5_INDEX_NAME, H5_ITER_NATIVE, look_at, &w) < 0)
        return ls_h5_fail(error, LS_DATA, it->file, "can't list its contents");
    return w.strangers == 0 || ls_error_set(error, LS_DATA,
                                            "%s: holds %ld array(s) that this model does not have, "
                                            "the first of them %s; it is of another model",
                                            it->path, w.strangers, w.first);
}

/* `exact`: float64 is not taken into a float32 program, for it would not go on bit for bit. */
static bool check_type(const opened *it, const ls_item *item, hid_t dataset, bool exact,
                       ls_error *error)
{
    hid_t type = H5Dget_type(dataset);
    bool is_float = H5Tget_class(type) == H5T_FLOAT;
    bool wider = H5Tget_size(type) > sizeof(real);
    H5Tclose(type);
    if (!is_float)
        return ls_error_set(error, LS_DATA,
                            "%s: %s does not hold floating-point numbers; expected " LS_REAL_NAME,
                            it->path, item->path);
    return !exact || !wider ||
           ls_error_set(error, LS_DATA,
                        "%s: %s is stored as float64, but this program computes in " LS_REAL_NAME
                        "; go on with lockstep-double, or start from these numbers with --weights",
                        it->path, item->path);
}

static bool check_item(const opened *it, const ls_params *params, const ls_item *item, bool exact,
                       ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = ls_item_dims(params, item, dims);
    hid_t dataset = ls_h5_dataset(it->file, item->path, error);
    if (dataset < 0)
        return false;
    bool ok = ls_h5_shape_is(dataset, item->path, rank, dims, error) &&
              check_type(it, item, dataset, exact, error);
    H5Dclose(dataset);
    return ok;
}

/* Straight into the array where the slot is stored as it is named, else through `logical`. */
static bool load_item(const opened *it, const ls_params *params, const ls_item *item, real *logical,
                      ls_error *error)
{
    hsize_t dims[LS_MAX_RANK];
    int rank = ls_item_dims(params, item, dims);
    const ls_slot *slot = &params->slots[item->slot];
    real *to = slot->layout.size ? logical : item->array + slot->offset;
    if (!ls_h5_read(it->file, item->path, ls_h5_real(), rank, dims, to, error))
        return false;
    for (long i = 0; i < ls_shape_count(&slot->shape); i++)
        if (!isfinite(to[i]))
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds %g at place %ld; expected finite "
                                "numbers",
                                it->path, item->path, (double)to[i], i);
    if (slot->layout.size)
        ls_params_load(params, item->slot, logical, item->array);
    return true;
}

/* All is checked before anything is filled. */
static bool load_items(const opened *it, const ls_params *params, const ls_item *items, int count,
                       bool weights_only, ls_error *error)
{
    bool ok = true;
    for (int i = 0; i < count && ok; i++)
        ok = check_item(it, params, &items[i], !weights_only, error);
    ok = ok && no_strangers(it, items, count, weights_only, error);
    real *logical = ls_alloc(ls_snapshot_largest(params), sizeof *logical);
    for (int i = 0; i < count && ok; i++)
        ok = load_item(it, params, &items[i], logical, error);
    ls_free(logical);
    return ok;
}

static bool holds_progress(const opened *it, ls_error *error)
{
    ls_snapshot fields;
    if (!ls_snapshot_read_fields(it->file, &fields, error))
        return false;
    bool weights_only = fields.weights_only;
    ls_snapshot_release(&fields);
    return !weights_only ||
           ls_error_set(
               error, LS_DATA,
               "%s: holds weights only, no optimizer state and no progress, so a run can't "
               "go on from it; start a new run from it with --weights",
               it->path);
}

bool ls_checkpoint_load(const char *path, const ls_snapshot *snapshot, ls_error *error)
{
    opened it;
    if (!open_file(path, true, &it, error))
        return false;
    int count;
    ls_item *items = ls_snapshot_items(snapshot->params, snapshot->array, snapshot->arrays, &count);
    bool ok =
        holds_progress(&it, error) && load_items(&it, snapshot->params, items, count, false, error);
    ls_free(items);
    close_file(&it);
    return ok;
}

/* The parameters, then the arrays in their place. */
static bool load_values(const opened *it, const ls_params *params, const ls_snapshot_array *array,
                        int arrays, ls_error *error)
{
    int count;
    ls_item *items = ls_snapshot_items(params, array, arrays, &count);
    bool ok = load_items(it, params, items, count, true, error);
    ls_free(items);
    return ok;
}

bool ls_checkpoint_load_weights(const char *path, const ls_params *params, ls_error *error)
{
    opened it;
    if (!open_file(path, false, &it, error))
        return false;
    bool ok = load_values(&it, params, NULL, 0, error);
    close_file(&it);
    return ok;
}

bool ls_checkpoint_load_average(const char *path, const ls_params *params, ls_error *error)
{
    opened it;
    const ls_slots all = ls_slots_all(params);
    const ls_snapshot_array average = {
        .name = "average", .slots = &all, .statistics = true, .array = params->values};
    if (!open_file(path, false, &it, error))
        return false;
    bool ok = ls_dataset_check_exists(it.file, "optimizer/average")
                  ? load_values(&it, params, &average, 1, error)
                  : ls_error_set(error, LS_DATA,
                                 "%s: holds no moving average of the weights: expected a "
                                 "checkpoint of a stage whose optimizer has ema= (best.h5 of a run "
                                 "with evaluate.average=1 is the average already)",
                                 path);
    close_file(&it);
    return ok;
}

void ls_checkpoint_model_digest(const ls_params *params, char text[33])
{
    XXH3_state_t *state = XXH3_createState();
    ls_check(state && XXH3_128bits_reset(state) == XXH_OK, "xxhash can't make a state");
    real *logical = ls_alloc(ls_snapshot_largest(params), sizeof *logical);
    for (int s = 0; s < params->count; s++) {
        const ls_slot *slot = &params->slots[s];
        if (slot->kind == LS_SLOT_STATE)
            continue;
        if (slot->layout.size)
            ls_params_store(params, s, params->values, logical);
        XXH3_128bits_update(state, slot->layout.size ? logical : params->values + slot->offset,
                            (size_t)ls_shape_count(&slot->shape) * sizeof *logical);
    }
    ls_digest_text(XXH3_128bits_digest(state), text);
    ls_free(logical);
    XXH3_freeState(state);
}

size_t ls_checkpoint_bytes(const ls_params *params, int optimizer_states)
{
    enum { FILE_OVERHEAD = 1 << 16, SLOT_OVERHEAD = 1024 }; /* headers, names, attributes */
    size_t all = 0;
    for (int s = 0; s < params->count; s++)
        all += (size_t)ls_shape_count(&params->slots[s].shape);
    size_t states = (size_t)optimizer_states;
    return all * (1 + states) * sizeof(real) +
           (size_t)params->count * (1 + states) * SLOT_OVERHEAD + FILE_OVERHEAD;
}

size_t ls_checkpoint_memory(const ls_params *params, int optimizer_states)
{
    return ls_checkpoint_bytes(params, optimizer_states) +
           ls_snapshot_largest(params) * sizeof(real);
}
