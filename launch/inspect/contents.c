/* contents: what HDF5 files and run directories hold, as JSON. */
#include "launch/inspect/contents.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/folder.h"
#include "io/h5/h5_list.h"
#include "io/rundir.h"
#include "launch/json.h"
#include "launch/train/resolved.h"

/* A JSON integer where the value is whole, else a real. */
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

static json_t *attributes_of(const ls_h5_list_object *object)
{
    json_t *all = json_object();
    for (int i = 0; i < object->attributes; i++) {
        json_t *name = ls_json_text(object->attribute[i].name); /* which need not be UTF-8 */
        json_object_set_new(all, json_string_value(name), attribute_value(&object->attribute[i]));
        json_decref(name);
    }
    return all;
}

static json_t *shape_of(const ls_h5_list_object *object)
{
    json_t *shape = json_array();
    for (int i = 0; i < object->rank; i++)
        json_array_append_new(shape, json_integer(object->at[i]));
    return shape;
}

static void add_object(void *context, const ls_h5_list_object *o)
{
    static const char *const kinds[] = {[LS_H5_LIST_GROUP] = "group",
                                        [LS_H5_LIST_ARRAY] = "array",
                                        [LS_H5_LIST_LINK] = "link",
                                        [LS_H5_LIST_OTHER] = "other"};
    json_t *top = context;
    if (!o->path[0]) {
        json_object_set_new(top, "attributes", attributes_of(o));
        return;
    }
    bool array = o->kind == LS_H5_LIST_ARRAY,
         numbers = array && o->numbers && strcmp(o->path, "vocabulary") != 0; /* that is text */
    json_t *entry = json_pack(
        "{s:o, s:s, s:s*, s:s*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o}", "path",
        ls_json_text(o->path), "kind", kinds[o->kind], "type", array ? o->type : NULL, "storage",
        array ? o->storage : NULL, "shape", array ? shape_of(o) : NULL, "least",
        numbers ? number_of(o->least) : NULL, "largest", numbers ? number_of(o->largest) : NULL,
        "mean", numbers ? number_of(o->mean) : NULL, "not_finite",
        numbers ? json_integer(o->bad) : NULL, "not_finite_row",
        numbers ? json_integer(o->bad_row) : NULL, "attributes", attributes_of(o));
    json_array_append_new(json_object_get(top, "objects"), entry);
}

/* Tells the kind of a file from its attributes and objects. */
static const char *kind_of(const json_t *top)
{
    static const char *const arrays[] = {"train/x", "valid/x", "test/x",  "train/y", "valid/y",
                                         "test/y",  "x_train", "x_valid", "x_test"};
    size_t i;
    json_t *object;
    if (json_object_get(json_object_get(top, "attributes"), "weights_only"))
        return "checkpoint";
    json_array_foreach (json_object_get(top, "objects"), i, object)
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
            if (strcmp(json_string_value(json_object_get(object, "path")), arrays[k]) == 0)
                return "data set";
    return "HDF5 file";
}

json_t *ls_contents_file(const char *path, ls_error *error)
{
    static const char *const states[] = {[LS_CHECKSUM_HOLDS] = "holds",
                                         [LS_CHECKSUM_BROKEN] = "broken",
                                         [LS_CHECKSUM_NONE] = "none"};
    ls_checksum checksum;
    ls_checksum_state state = ls_checksum_check(path, &checksum, error);
    bool holds = state == LS_CHECKSUM_HOLDS, broken = state == LS_CHECKSUM_BROKEN;
    if (state == LS_CHECKSUM_NO_FILE)
        return NULL;
    json_t *top = json_pack(
        "{s:o, s:I, s:n, s:{s:s, s:s*, s:o*, s:o*}, s:[]}", "file", ls_json_text(path), "bytes",
        (json_int_t)checksum.size, "kind", "digest", "state", states[state], "xxh3_128",
        holds ? checksum.digest : NULL, "step", holds ? json_integer(checksum.step) : NULL,
        "reason", broken ? ls_json_text(error->text) : NULL, "objects");
    if (broken && error->code != LS_IO)
        return top;
    if (!broken && ls_h5_list_visit(path, add_object, top, error)) {
        json_object_set_new(top, "kind", json_string(kind_of(top)));
        return top;
    }
    json_decref(top);
    return NULL;
}

static void add_checkpoint(void *context, const char *path, bool finished)
{
    ls_error error = {0};
    struct stat status = {.st_size = 0};
    ls_checkpoint *checkpoint = ls_checkpoint_open(path, &error);
    if (stat(path, &status) != 0 && !error.code)
        ls_error_set(&error, LS_IO, "%s: can't look at it: %s", path, strerror(errno));
    const char *slash = strrchr(path, '/');
    long step = checkpoint ? checkpoint->position.step : ls_checkpoint_list_step(slash + 1, ".h5");
    json_t *entry =
        json_pack("{s:o, s:I, s:I, s:b, s:b, s:o*}", "file", ls_json_text(path), "step",
                  (json_int_t)step, "bytes", (json_int_t)status.st_size, "finished", finished,
                  "holds", !error.code, "reason", error.code ? ls_json_text(error.text) : NULL);
    if (error.code == LS_IO)
        json_object_set_new(entry, "unread", json_true());
    json_array_append_new(context, entry);
    ls_checkpoint_close(checkpoint);
}

/* Calls `visit` for FOLDER/NAME.h5, if it is there. */
static bool visit_file(const char *folder, const char *name, ls_contents_visit *visit,
                       void *context, ls_error *error)
{
    bool there = false, finished = false;
    char *path = ls_format("%s/%s.h5", folder, name), *digest = ls_format("%s/%s.ok", folder, name);
    bool ok = ls_folder_look(path, &there, error) && ls_folder_look(digest, &finished, error);
    if (ok && there)
        visit(context, path, finished);
    ls_free(digest);
    ls_free(path);
    return ok;
}

bool ls_contents_each(const char *run, ls_contents_visit *visit, void *context, ls_error *error)
{
    char *folder = ls_format("%s/checkpoints", run), name[32];
    int count = 0;
    ls_checkpoint_entry *entries = ls_checkpoint_list(folder, &count, error);
    const long stages = entries ? ls_checkpoint_list_stages(folder, error) : -1;
    for (int i = 0; i < count; i++) {
        char *path = ls_checkpoint_list_path(folder, entries[i].step, ".h5");
        visit(context, path, entries[i].has_ok);
        ls_free(path);
    }
    bool ok = stages >= 0 && visit_file(folder, "best", visit, context, error);
    for (long stage = 0; ok && stage < stages; stage++) {
        snprintf(name, sizeof name, "stage-%ld", stage);
        ok = visit_file(folder, name, visit, context, error);
    }
    ls_free(folder);
    ls_free(entries);
    return ok;
}

/* Reads RUN/NAME into *text, for ls_free; NULL: there is no such file. */
static bool read_text(const char *run, const char *name, char **text, ls_error *error)
{
    size_t size;
    bool there, ok;
    char *path = ls_format("%s/%s", run, name);
    ok = ls_folder_look(path, &there, error) &&
         (!there || (*text = ls_atomic_file_read(path, LS_RUNDIR_TEXT, &size, error)));
    ls_free(path);
    return ok;
}

/* Merges a record of metrics.jsonl into that of its stage: a key has the value of the last record
 * that holds it. */
static void merge_record(json_t *history, json_t *record)
{
    json_t *last = json_array_get(history, json_array_size(history) - 1);
    json_t *stage = json_object_get(record, "stage");
    if (!last || json_integer_value(json_object_get(last, "stage")) != json_integer_value(stage)) {
        last = json_pack("{s:O*, s:O*}", "stage", stage, "first_step",
                         json_object_get(record, "step"));
        json_array_append_new(history, last);
    }
    json_object_del(last, "final"); /* the stage was resumed after its end */
    json_object_del(last, "stage_seconds");
    json_object_update(last, record);
}

static json_t *read_history(const char *text)
{
    json_t *history = json_array();
    for (const char *line = text; line && *line;) {
        size_t length = strcspn(line, "\n"), count = json_array_size(history);
        json_t *record = json_loadb(line, length, 0, NULL), *last;
        if (json_is_object(record)) {
            merge_record(history, record);
        } else if (count && length) {
            last = json_array_get(history, count - 1);
            json_int_t bad = json_integer_value(json_object_get(last, "unreadable"));
            json_object_set_new(last, "unreadable", json_integer(bad + 1));
        }
        json_decref(record);
        line += length + (line[length] == '\n');
    }
    return history;
}

json_t *ls_contents_run(const char *path, ls_error *error)
{
    char *folder = ls_format("%s/checkpoints", path), *job = NULL, *metrics = NULL;
    json_t *top = NULL, *checkpoints = json_array();
    bool there = false, ok = ls_folder_look(folder, &there, error);
    if (ok && !there)
        ok = ls_error_set(error, LS_DATA, "%s: has no folder checkpoints: it is no run directory",
                          path);
    ok = ok && read_text(path, ls_resolved_name(path), &job, error) &&
         read_text(path, "metrics.jsonl", &metrics, error);
    if (ok && ls_contents_each(path, add_checkpoint, checkpoints, error))
        top = json_pack("{s:o, s:o?, s:o, s:O}", "run", ls_json_text(path), "job",
                        job ? ls_json_text(job) : NULL, "history", read_history(metrics),
                        "checkpoints", checkpoints);
    json_decref(checkpoints);
    ls_free(metrics);
    ls_free(job);
    ls_free(folder);
    return top;
}
