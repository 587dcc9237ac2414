/* checkpoint_fields: the attributes of a checkpoint file. */
#include "io/checkpoint/checkpoint_fields.h"

#include "io/h5/h5_attribute.h"
#include "io/h5/h5_error.h"

/* The members of ls_position that are one number: a double, or a long, as which the bits of
 * data_digest are kept too. */
static const struct field {
    const char *name;
    bool is_double;
    size_t offset;
} fields[] = {{"stage", false, offsetof(ls_position, stage)},
              {"stage_step", false, offsetof(ls_position, stage_step)},
              {"step", false, offsetof(ls_position, step)},
              {"samples", true, offsetof(ls_position, samples)},
              {"shards", false, offsetof(ls_position, shards)},
              {"best", true, offsetof(ls_position, best)},
              {"best_step", false, offsetof(ls_position, best_step)},
              {"stale", false, offsetof(ls_position, stale)},
              {"data_digest", false, offsetof(ls_position, data_digest)}};
enum { FIELDS = sizeof fields / sizeof *fields };

static bool put_field(hid_t file, const struct field *field, const ls_position *position,
                      ls_error *error)
{
    const void *member = (const char *)position + field->offset;
    return field->is_double ? ls_h5_put_double(file, field->name, *(const double *)member, error)
                            : ls_h5_put_long(file, field->name, *(const long *)member, error);
}

static bool get_field(hid_t file, const struct field *field, ls_position *position, ls_error *error)
{
    bool present;
    void *member = (char *)position + field->offset;
    return field->is_double ? ls_h5_get_double(file, field->name, member, &present, error)
                            : ls_h5_get_long(file, field->name, member, &present, error);
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
