/* checkpoint_fields: the attributes of a checkpoint file. */
#include "io/checkpoint/checkpoint_fields.h"

#include "io/h5/h5_attribute.h"
#include "io/h5/h5_error.h"

typedef enum field_kind { FIELD_LONG, FIELD_INT, FIELD_DOUBLE } field_kind;

/* The members of ls_position that are one number; data_digest is kept as the long of its bits. */
static const struct field {
    const char *name;
    field_kind kind;
    size_t offset;
} fields[] = {{"stage", FIELD_LONG, offsetof(ls_position, stage)},
              {"stage_step", FIELD_LONG, offsetof(ls_position, stage_step)},
              {"step", FIELD_LONG, offsetof(ls_position, step)},
              {"samples", FIELD_DOUBLE, offsetof(ls_position, samples)},
              {"shards", FIELD_INT, offsetof(ls_position, shards)},
              {"best", FIELD_DOUBLE, offsetof(ls_position, best)},
              {"best_step", FIELD_LONG, offsetof(ls_position, best_step)},
              {"stale", FIELD_LONG, offsetof(ls_position, stale)},
              {"data_digest", FIELD_LONG, offsetof(ls_position, data_digest)}};
enum { FIELDS = sizeof fields / sizeof *fields };

static bool put_field(hid_t file, const struct field *field, const ls_position *position,
                      ls_error *error)
{
    const void *member = (const char *)position + field->offset;
    if (field->kind == FIELD_DOUBLE)
        return ls_h5_put_double(file, field->name, *(const double *)member, error);
    long value = field->kind == FIELD_LONG ? *(const long *)member : *(const int *)member;
    return ls_h5_put_long(file, field->name, value, error);
}

static bool get_field(hid_t file, const struct field *field, ls_position *position, ls_error *error)
{
    void *member = (char *)position + field->offset;
    bool present;
    if (field->kind == FIELD_DOUBLE)
        return ls_h5_get_double(file, field->name, member, &present, error);
    long value = 0;
    if (!ls_h5_get_long(file, field->name, &value, &present, error))
        return false;
    if (field->kind == FIELD_LONG)
        *(long *)member = value;
    else
        *(int *)member = (int)value;
    return true;
}

bool ls_checkpoint_fields_write(hid_t file, const ls_position *position, const char *job,
                                bool weights_only, ls_error *error)
{
    bool ok =
        ls_h5_put_long(file, "format", LS_CHECKPOINT_FORMAT, error) &&
        ls_h5_put_text(file, "version", "lockstep " LS_VERSION, error) &&
        ls_h5_put_text(file, "job", job, error) &&
        ls_h5_put_numbers(file, "updates", H5T_NATIVE_LONG, LS_PHASES, position->updates, error);
    for (int i = 0; i < FIELDS && ok; i++)
        ok = put_field(file, &fields[i], position, error);
    return ok && ls_h5_put_long(file, "weights_only", weights_only, error);
}

static bool has(hid_t file, const char *name, ls_error *error)
{
    return H5Aexists(file, name) > 0 ||
           ls_h5_fail(error, LS_DATA, file,
                      "has no attribute %s; expected a checkpoint of lockstep", name);
}

static bool is_known_format(hid_t file, ls_error *error)
{
    long format = 0;
    bool present;
    if (!has(file, "format", error) || !ls_h5_get_long(file, "format", &format, &present, error))
        return false;
    return format == LS_CHECKPOINT_FORMAT ||
           ls_h5_fail(error, LS_DATA, file,
                      "is a checkpoint of format %ld; this lockstep (" LS_VERSION
                      ") reads format %d",
                      format, LS_CHECKPOINT_FORMAT);
}

bool ls_checkpoint_fields_read(hid_t file, ls_position *position, char **job, bool *weights_only,
                               ls_error *error)
{
    bool present;
    long only = 0;
    bool ok = is_known_format(file, error) && has(file, "job", error) &&
              ls_h5_get_text(file, "job", job, &present, error) && has(file, "updates", error) &&
              ls_h5_get_numbers(file, "updates", H5T_NATIVE_LONG, LS_PHASES, position->updates,
                                &present, error);
    for (int i = 0; i < FIELDS && ok; i++)
        ok = has(file, fields[i].name, error) && get_field(file, &fields[i], position, error);
    ok = ok && has(file, "weights_only", error) &&
         ls_h5_get_long(file, "weights_only", &only, &present, error);
    *weights_only = only != 0;
    return ok;
}
