/* snapshot: the contents of a checkpoint file. */
#include "io/checkpoint/snapshot.h"

#include <stdio.h>

#include "core/memory.h"

typedef enum field_kind { FIELD_LONG, FIELD_INT, FIELD_BOOL, FIELD_DOUBLE } field_kind;

/* The fields that are one number; data_digest is kept as the long of the same bits. */
static const struct field {
    const char *name;
    field_kind kind;
    size_t offset;
} fields[] = {{"stage", FIELD_LONG, offsetof(ls_snapshot, stage)},
              {"stage_step", FIELD_LONG, offsetof(ls_snapshot, stage_step)},
              {"step", FIELD_LONG, offsetof(ls_snapshot, step)},
              {"samples", FIELD_DOUBLE, offsetof(ls_snapshot, samples)},
              {"shards", FIELD_INT, offsetof(ls_snapshot, shards)},
              {"best", FIELD_DOUBLE, offsetof(ls_snapshot, best)},
              {"best_step", FIELD_LONG, offsetof(ls_snapshot, best_step)},
              {"stale", FIELD_LONG, offsetof(ls_snapshot, stale)},
              {"data_digest", FIELD_LONG, offsetof(ls_snapshot, data_digest)},
              {"weights_only", FIELD_BOOL, offsetof(ls_snapshot, weights_only)}};
enum { FIELDS = sizeof fields / sizeof *fields };

void ls_snapshot_release(ls_snapshot *snapshot)
{
    ls_free(snapshot->job);
    snapshot->job = NULL;
}

static bool put_field(hid_t file, const struct field *field, const ls_snapshot *snapshot,
                      ls_error *error)
{
    const void *at = (const char *)snapshot + field->offset;
    if (field->kind == FIELD_DOUBLE)
        return ls_h5_put_double(file, field->name, *(const double *)at, error);
    long value = field->kind == FIELD_LONG   ? *(const long *)at
                 : field->kind == FIELD_BOOL ? *(const bool *)at
                                             : *(const int *)at;
    return ls_h5_put_long(file, field->name, value, error);
}

static bool get_field(hid_t file, const struct field *field, ls_snapshot *snapshot, bool *present,
                      ls_error *error)
{
    void *at = (char *)snapshot + field->offset;
    if (field->kind == FIELD_DOUBLE)
        return ls_h5_get_double(file, field->name, at, present, error);
    long value = 0;
    if (!ls_h5_get_long(file, field->name, &value, present, error))
        return false;
    if (field->kind == FIELD_LONG)
        *(long *)at = value;
    else if (field->kind == FIELD_BOOL)
        *(bool *)at = value != 0;
    else
        *(int *)at = (int)value;
    return true;
}

bool ls_snapshot_write_fields(hid_t file, const ls_snapshot *snapshot, ls_error *error)
{
    bool ok = ls_h5_put_long(file, "format", LS_CHECKPOINT_FORMAT, error) &&
              ls_h5_put_text(file, "version", "lockstep " LS_VERSION, error) &&
              ls_h5_put_text(file, "job", snapshot->job ? snapshot->job : "", error) &&
              ls_h5_put_longs(file, "updates", snapshot->updates, LS_PHASES, error);
    for (int i = 0; i < FIELDS && ok; i++)
        ok = put_field(file, &fields[i], snapshot, error);
    return ok;
}

static bool missing(hid_t file, const char *name, ls_error *error)
{
    char path[512];
    return ls_error_set(error, LS_DATA,
                        "%s: has no attribute %s; expected a checkpoint of lockstep",
                        ls_h5_file(file, path, sizeof path), name);
}

static bool known_format(hid_t file, ls_error *error)
{
    long format = 0;
    bool present;
    char path[512];
    if (!ls_h5_get_long(file, "format", &format, &present, error))
        return false;
    if (!present)
        return missing(file, "format", error);
    return format == LS_CHECKPOINT_FORMAT ||
           ls_error_set(error, LS_DATA,
                        "%s: is a checkpoint of format %ld; this lockstep (" LS_VERSION
                        ") reads format %d",
                        ls_h5_file(file, path, sizeof path), format, LS_CHECKPOINT_FORMAT);
}

static bool read_fields(hid_t file, ls_snapshot *snapshot, ls_error *error)
{
    bool present;
    if (!ls_h5_get_text(file, "job", &snapshot->job, &present, error))
        return false;
    if (!present)
        return missing(file, "job", error);
    if (!ls_h5_get_longs(file, "updates", snapshot->updates, LS_PHASES, &present, error))
        return false;
    if (!present)
        return missing(file, "updates", error);
    for (int i = 0; i < FIELDS; i++) {
        if (!get_field(file, &fields[i], snapshot, &present, error))
            return false;
        if (!present)
            return missing(file, fields[i].name, error);
    }
    return true;
}

bool ls_snapshot_read_fields(hid_t file, ls_snapshot *snapshot, ls_error *error)
{
    *snapshot = (ls_snapshot){0};
    if (known_format(file, error) && read_fields(file, snapshot, error))
        return true;
    ls_snapshot_release(snapshot);
    return false;
}

static bool is_state(const ls_params *params, int slot)
{
    return params->slots[slot].kind == LS_SLOT_STATE;
}

ls_item *ls_snapshot_items(const ls_params *params, const ls_snapshot_array *array, int arrays,
                           int *count)
{
    ls_item *items = ls_alloc((size_t)params->count * (1 + (size_t)arrays), sizeof *items), *next;
    next = items;
    for (int s = 0; s < params->count; s++, next++) {
        *next = (ls_item){.slot = s, .array = params->values};
        snprintf(next->path, sizeof next->path, "%s/%s", is_state(params, s) ? "state" : "model",
                 params->slots[s].name);
    }
    for (int a = 0; a < arrays; a++)
        for (int s = 0; s < params->count; s++) {
            if ((is_state(params, s) && !array[a].statistics) ||
                !ls_slots_contain(array[a].slots, s))
                continue;
            *next = (ls_item){.slot = s, .array = array[a].array};
            snprintf(next->path, sizeof next->path, "optimizer/%s/%s", array[a].name,
                     params->slots[s].name);
            next++;
        }
    *count = (int)(next - items);
    return items;
}

int ls_item_dims(const ls_params *params, const ls_item *item, hsize_t dims[LS_MAX_RANK])
{
    const ls_shape *shape = &params->slots[item->slot].shape;
    for (int i = 0; i < shape->rank; i++)
        dims[i] = (hsize_t)shape->at[i];
    return shape->rank;
}

size_t ls_snapshot_largest(const ls_params *params)
{
    long largest = 0;
    for (int s = 0; s < params->count; s++) {
        long count = params->slots[s].layout.size ? ls_shape_count(&params->slots[s].shape) : 0;
        largest = count > largest ? count : largest;
    }
    return (size_t)largest;
}
