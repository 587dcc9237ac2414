/* checkpoint_fields: the attributes of a checkpoint file. */
#include "io/checkpoint/checkpoint_fields.h"

#include "io/h5/h5_attribute.h"
#include "io/h5/h5_error.h"

/* The members of ls_position: longs, as which the bits of data_digest are kept too, or doubles. */
static const struct field {
    const char *name;
    bool is_double;
    long count;
    size_t offset;
} fields[] = {{"updates", false, LS_PHASES, offsetof(ls_position, updates)},
              {"stage", false, LS_H5_SCALAR, offsetof(ls_position, stage)},
              {"stage_step", false, LS_H5_SCALAR, offsetof(ls_position, stage_step)},
              {"step", false, LS_H5_SCALAR, offsetof(ls_position, step)},
              {"samples", true, LS_H5_SCALAR, offsetof(ls_position, samples)},
              {"shards", false, LS_H5_SCALAR, offsetof(ls_position, shards)},
              {"best", true, LS_H5_SCALAR, offsetof(ls_position, best)},
              {"best_step", false, LS_H5_SCALAR, offsetof(ls_position, best_step)},
              {"stale", false, LS_H5_SCALAR, offsetof(ls_position, stale)},
              {"data_digest", false, LS_H5_SCALAR, offsetof(ls_position, data_digest)}};
enum { FIELDS = sizeof fields / sizeof *fields };

static hid_t type_of(const struct field *field)
{
    return field->is_double ? H5T_NATIVE_DOUBLE : H5T_NATIVE_LONG;
}

bool ls_checkpoint_fields_write(hid_t file, const ls_checkpoint_contents *contents,
                                bool weights_only, ls_error *error)
{
    bool ok = ls_h5_put_long(file, "format", LS_CHECKPOINT_FORMAT, error) &&
              ls_h5_put_text(file, "version", "lockstep " LS_VERSION, error) &&
              ls_h5_put_text(file, "job", contents->job, error) &&
              (!contents->data || ls_h5_put_text(file, "data", contents->data, error));
    for (const struct field *f = fields; f < fields + FIELDS && ok; f++)
        ok = ls_h5_put_numbers(file, f->name, type_of(f), f->count,
                               (const char *)contents->position + f->offset, error);
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

bool ls_checkpoint_fields_read(ls_checkpoint *checkpoint, ls_error *error)
{
    hid_t file = checkpoint->file;
    bool present;
    long only = 0;
    bool ok = is_known_format(file, error) && has(file, "job", error) &&
              ls_h5_get_text(file, "job", &checkpoint->job, &present, error) &&
              ls_h5_get_text(file, "data", &checkpoint->data, &present, error);
    for (const struct field *f = fields; f < fields + FIELDS && ok; f++)
        ok = has(file, f->name, error) &&
             ls_h5_get_numbers(file, f->name, type_of(f), f->count == LS_H5_SCALAR ? 1 : f->count,
                               (char *)&checkpoint->position + f->offset, &present, error);
    ok = ok && has(file, "weights_only", error) &&
         ls_h5_get_long(file, "weights_only", &only, &present, error);
    checkpoint->weights_only = only != 0;
    return ok;
}
