/* checkpoint_fields: the attributes of a checkpoint file. */
#include "io/checkpoint/checkpoint_fields.h"

#include <limits.h>

#include "io/h5/h5_attribute.h"
#include "io/h5/h5_error.h"

#define FIELD(member) .name = #member, .offset = offsetof(ls_position, member)

/* The members of ls_position: longs, as which the bits of data_digest are kept too, or doubles. */
static const struct field {
    const char *name;
    bool is_double;
    long count;
    size_t offset;
    bool later; /* checkpoints of before have none of it: then it is 0 */
} fields[] = {{FIELD(updates), .count = LS_PHASES},
              {FIELD(stage), .count = LS_H5_SCALAR},
              {FIELD(stage_step), .count = LS_H5_SCALAR},
              {FIELD(step), .count = LS_H5_SCALAR},
              {FIELD(samples), .count = LS_H5_SCALAR, .is_double = true},
              {FIELD(shards), .count = LS_H5_SCALAR},
              {FIELD(best), .count = LS_H5_SCALAR, .is_double = true},
              {FIELD(best_step), .count = LS_H5_SCALAR},
              {FIELD(stale), .count = LS_H5_SCALAR},
              {FIELD(gap), .count = LS_H5_SCALAR, .is_double = true, .later = true},
              {FIELD(evaluation_due), .count = LS_H5_SCALAR, .later = true},
              {FIELD(data_digest), .count = LS_H5_SCALAR}};
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
                               (const char *)&contents->position + f->offset, error);
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

static bool read_field(hid_t file, const struct field *f, ls_position *position, ls_error *error)
{
    bool present;
    long count = f->count == LS_H5_SCALAR ? 1 : f->count;
    return (f->later || has(file, f->name, error)) &&
           ls_h5_get_numbers(file, f->name, type_of(f), count, (char *)position + f->offset,
                             &present, error);
}

/* Numbers that no run can have come to are those of a damaged or forged file. The steps of a stage
 * may be more than those of the run: a change of the batch counts them anew. */
static bool check_position(const ls_checkpoint *checkpoint, ls_error *error)
{
    static const long most = 1L << 53;
    const ls_position *p = &checkpoint->position;
    const long counts[] = {p->stage, p->stage_step, p->step,          p->best_step,
                           p->stale, p->shards,     p->evaluation_due};
    bool ok =
        p->samples >= 0 && p->shards <= INT_MAX && (checkpoint->weights_only || p->shards > 0);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ok = ok && counts[i] >= 0 && counts[i] <= most;
    for (int i = 0; i < LS_PHASES; i++)
        ok = ok && p->updates[i] >= 0 && p->updates[i] <= most;
    return ok || ls_h5_fail(error, LS_DATA, checkpoint->file,
                            "says that its run stands at step %ld, of its stage %ld step %ld, with "
                            "%ld shards, which no run can",
                            p->step, p->stage, p->stage_step, p->shards);
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
        ok = read_field(file, f, &checkpoint->position, error);
    ok = ok && has(file, "weights_only", error) &&
         ls_h5_get_long(file, "weights_only", &only, &present, error);
    checkpoint->weights_only = only != 0;
    return ok && check_position(checkpoint, error);
}
