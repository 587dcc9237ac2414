/* contents: HDF5 files and run directories as JSON. */
#include "launch/inspect/contents.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/h5/h5_list.h"
#include "launch/inspect/history.h"
#include "launch/json.h"

/* An integer where the value is whole, else a real. */
static json_t *number_of(double value)
{
    static const double whole = 9007199254740992.0; /* 2^53: doubles below are exact */
    return value == floor(value) && fabs(value) < whole ? json_integer((json_int_t)value)
                                                        : ls_json_real(value);
}

static json_t *attribute_number_of(const ls_h5_list_attribute *a, int i)
{
    return a->is_whole ? json_integer(a->whole[i]) : number_of(a->at[i]);
}

static json_t *attribute_value(const ls_h5_list_attribute *a)
{
    if (a->text)
        return ls_json_text(a->text);
    if (a->count == 1 && a->shown == 1)
        return attribute_number_of(a, 0);
    json_t *list = json_array();
    for (int i = 0; i < a->shown; i++)
        json_array_append_new(list, attribute_number_of(a, i));
    if (a->shown < a->count)
        json_array_append_new(list, json_string("..."));
    return list;
}

/* The name need not be UTF-8. */
static void add_attribute(json_t *all, const ls_h5_list_attribute *a)
{
    json_t *name = ls_json_text(a->name);
    json_object_set_new(all, json_string_value(name), attribute_value(a));
    json_decref(name);
}

static json_t *attributes(const ls_h5_list_object *object)
{
    json_t *all = json_object();
    for (int i = 0; i < object->attributes; i++)
        add_attribute(all, &object->attribute[i]);
    return all;
}

static void add_array(json_t *entry, const ls_h5_list_object *object)
{
    json_t *shape = json_array();
    for (int i = 0; i < object->rank; i++)
        json_array_append_new(shape, json_integer(object->at[i]));
    json_object_set_new(entry, "type", json_string(object->type));
    json_object_set_new(entry, "storage", json_string(object->storage));
    json_object_set_new(entry, "shape", shape);
    if (!object->numbers)
        return;
    json_object_set_new(entry, "least", number_of(object->least));
    json_object_set_new(entry, "largest", number_of(object->largest));
    json_object_set_new(entry, "mean", number_of(object->mean));
    json_object_set_new(entry, "not_finite", json_integer(object->bad));
}

static void add_object(void *context, const ls_h5_list_object *object)
{
    static const char *const kinds[] = {[LS_H5_LIST_GROUP] = "group",
                                        [LS_H5_LIST_ARRAY] = "array",
                                        [LS_H5_LIST_LINK] = "link",
                                        [LS_H5_LIST_OTHER] = "other"};
    json_t *top = context, *entry;
    if (!object->path[0]) {
        json_object_set_new(top, "attributes", attributes(object));
        return;
    }
    entry =
        json_pack("{s:o, s:s}", "path", ls_json_text(object->path), "kind", kinds[object->kind]);
    if (object->kind == LS_H5_LIST_ARRAY)
        add_array(entry, object);
    json_object_set_new(entry, "attributes", attributes(object));
    json_array_append_new(json_object_get(top, "objects"), entry);
}

/* Checks the digest of a file, and its size into *bytes. NULL and an error where there is no file.
 */
static json_t *check_digest(const char *path, size_t *bytes, ls_error *error)
{
    static const char *const states[] = {[LS_CHECKSUM_HOLDS] = "holds",
                                         [LS_CHECKSUM_BROKEN] = "broken",
                                         [LS_CHECKSUM_NONE] = "none"};
    ls_checksum checksum;
    ls_error why = {0};
    ls_checksum_state state = ls_checksum_check(path, &checksum, &why);
    *bytes = checksum.size;
    if (state == LS_CHECKSUM_HOLDS)
        return json_pack("{s:s, s:s, s:I}", "state", states[state], "xxh3_128", checksum.digest,
                         "step", (json_int_t)checksum.step);
    if (state == LS_CHECKSUM_BROKEN)
        return json_pack("{s:s, s:o}", "state", states[state], "reason", ls_json_text(why.text));
    if (state == LS_CHECKSUM_NONE)
        return json_pack("{s:s}", "state", states[state]);
    *error = why;
    return NULL;
}

/* Finds the kind of a file from its attributes and objects. */
static const char *kind_of(const json_t *top)
{
    static const char *const rows[] = {"train/x", "valid/x", "test/x",  "train/y", "valid/y",
                                       "test/y",  "x_train", "x_valid", "x_test"};
    size_t i;
    json_t *object;
    if (json_object_get(json_object_get(top, "attributes"), "weights_only"))
        return "checkpoint";
    json_array_foreach (json_object_get(top, "objects"), i, object)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            if (strcmp(json_string_value(json_object_get(object, "path")), rows[k]) == 0)
                return "data set";
    return "HDF5 file";
}

json_t *ls_contents_digest(const char *path, ls_error *error)
{
    size_t bytes;
    return check_digest(path, &bytes, error);
}

json_t *ls_contents_file(const char *path, ls_error *error)
{
    size_t bytes;
    json_t *digest = check_digest(path, &bytes, error);
    if (!digest)
        return NULL;
    json_t *top = json_pack("{s:o, s:I, s:n, s:o, s:[]}", "file", ls_json_text(path), "bytes",
                            (json_int_t)bytes, "kind", "digest", digest, "objects");
    if (strcmp(json_string_value(json_object_get(digest, "state")), "broken") == 0)
        return top;
    if (ls_h5_list_visit(path, add_object, top, error)) {
        json_object_set_new(top, "kind", json_string(kind_of(top)));
        return top;
    }
    json_decref(top);
    return NULL;
}

static void add_checkpoint(void *context, const char *path, long step)
{
    json_t *list = context;
    ls_error error = {0};
    struct stat status;
    ls_checkpoint *checkpoint = ls_checkpoint_open(path, &error);
    if (checkpoint)
        step = checkpoint->position.step;
    json_int_t bytes = stat(path, &status) == 0 ? (json_int_t)status.st_size : 0;
    json_t *entry = json_pack("{s:o, s:I, s:I, s:b}", "file", ls_json_text(path), "step",
                              (json_int_t)step, "bytes", bytes, "holds", checkpoint != NULL);
    if (!checkpoint)
        json_object_set_new(entry, "reason", ls_json_text(error.text));
    json_array_append_new(list, entry);
    ls_checkpoint_close(checkpoint);
}

bool ls_contents_each(const char *run, void (*visit)(void *context, const char *path, long step),
                      void *context, ls_error *error)
{
    char *folder = ls_format("%s/checkpoints", run), *best = ls_format("%s/best.h5", folder);
    int count = 0;
    ls_error why = {0};
    ls_checkpoint_entry *entries = ls_checkpoint_list(folder, &count, &why);
    for (int i = 0; i < count; i++) {
        char *path = ls_checkpoint_list_path(folder, entries[i].step, ".h5");
        visit(context, path, entries[i].step);
        ls_free(path);
    }
    if (access(best, F_OK) == 0)
        visit(context, best, -1);
    ls_free(entries);
    ls_free(best);
    ls_free(folder);
    if (why.text[0])
        *error = why;
    return !why.text[0];
}

/* The text of a file; null where there is no such file. */
static json_t *read_text(const char *path)
{
    size_t size;
    char *bytes = ls_atomic_file_read(path, &size, NULL);
    json_t *value = bytes ? ls_json_text(bytes) : json_null();
    ls_free(bytes);
    return value;
}

json_t *ls_contents_run(const char *path, ls_error *error)
{
    char *folder = ls_format("%s/checkpoints", path), *job = ls_format("%s/job.yaml", path);
    json_t *top = NULL, *checkpoints = json_array();
    bool ok =
        access(folder, F_OK) == 0 ||
        ls_error_set(error, LS_DATA, "%s: has no folder checkpoints: it is no run directory", path);
    if (ok && ls_contents_each(path, add_checkpoint, checkpoints, error))
        top = json_pack("{s:o, s:o, s:o, s:o}", "run", ls_json_text(path), "job", read_text(job),
                        "history", ls_history_read(path), "checkpoints", json_incref(checkpoints));
    json_decref(checkpoints);
    ls_free(job);
    ls_free(folder);
    return top;
}
