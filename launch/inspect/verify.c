/* verify: lockstep verify: checks the digests and the structure of a file, or of all checkpoints of
 * a run. */
#include <string.h>

#include "core/memory.h"
#include "core/print.h"
#include "io/atomic_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/dataset.h"
#include "launch/command.h"
#include "launch/inspect/contents.h"
#include "launch/json.h"

typedef struct arguments {
    ls_words words;
    bool json;
} arguments;

static const ls_command_option options[] = {
    {"json", 0, NULL, "print one JSON object", .offset = offsetof(arguments, json)},
    {.name = NULL}};

const ls_usage ls_usage_verify = {
    .alone = true,
    .options = options,
    .arguments = "RUN|FILE",
    .about = "Checks a file: a checkpoint against its digest, a data set as train does, any "
             "other HDF5 file by reading all of it. Numbers of checkpoints and data sets must "
             "be finite, but for those behind the ends of rows that have a length. In a run "
             "directory it checks every checkpoint; one that a stop cut off "
             "before it was finished is named, but is no failure. The exit code is 65 where a "
             "check fails, 74 where a file can't be read.",
    .arguments_min = 1,
    .arguments_max = 1,
};

/* Whether no number of the file is NaN or infinite. */
static bool all_finite(const json_t *contents, const char *path, ls_error *error)
{
    size_t i;
    json_t *object;
    json_array_foreach (json_object_get(contents, "objects"), i, object) {
        long long bad = json_integer_value(json_object_get(object, "not_finite"));
        if (bad)
            return ls_error_set(error, LS_DATA,
                                "%s: %s holds %lld numbers that are NaN or infinite, the first of "
                                "them in row %lld",
                                path, json_string_value(json_object_get(object, "path")), bad,
                                json_integer_value(json_object_get(object, "not_finite_row")));
    }
    return true;
}

/* Reads all rows of a split up to their ends, as training does. */
static bool read_rows(ls_dataset *data, ls_split_id id, ls_error *error)
{
    const ls_split *split = ls_dataset_split(data, id);
    real *x = ls_alloc((size_t)ls_shape_count(&split->row), sizeof *x);
    real *y = ls_alloc(split->has_y ? (size_t)ls_shape_count(&split->y.shape) : 0, sizeof *y);
    bool ok = true;
    for (int64_t r = 0; ok && r < split->x.rows; r++)
        ok = ls_dataset_read(data, id, &r, 1, NULL, x, split->has_y ? y : NULL, error);
    ls_free(y);
    ls_free(x);
    return ok;
}

/* What stands behind the ends of rows counts for nothing: their arrays need not be finite there. */
static void excuse(json_t *contents, const ls_split *split)
{
    size_t i;
    json_t *object;
    json_array_foreach (json_object_get(contents, "objects"), i, object) {
        const char *path = json_string_value(json_object_get(object, "path"));
        if (strcmp(path, split->x.path) == 0 || strcmp(path, split->y.path) == 0)
            json_object_del(object, "not_finite");
    }
}

static bool opens_as_data(const char *path, json_t *contents, ls_error *error)
{
    ls_dataset *data = ls_dataset_open(path, error);
    bool ok = data != NULL;
    if (ok)
        ls_dataset_lock_notice(data);
    for (int id = 0; ok && id < LS_SPLITS; id++) {
        const ls_split *split = ls_dataset_split(data, (ls_split_id)id);
        if (!split->length)
            continue;
        ok = read_rows(data, (ls_split_id)id, error);
        excuse(contents, split);
    }
    ls_dataset_close(data);
    return ok;
}

static bool opens_as_checkpoint(const char *path, json_t *contents, ls_error *error)
{
    (void)contents;
    ls_checkpoint *checkpoint = ls_checkpoint_open(path, error);
    ls_checkpoint_close(checkpoint);
    return checkpoint != NULL;
}

/* Files of these kinds must open as they do for training, and their numbers must be finite. */
static const struct {
    const char *kind;
    bool (*opens)(const char *path, json_t *contents, ls_error *error);
} kinds[] = {{"checkpoint", opens_as_checkpoint}, {"data set", opens_as_data}};

/* Checks a file that could be read: its digest, and what its kind demands. */
static bool check_contents(json_t *contents, const char *kind, const char *path, ls_error *error)
{
    const json_t *reason = json_object_get(json_object_get(contents, "digest"), "reason");
    if (reason)
        return ls_error_set(error, LS_DATA, "%s", json_string_value(reason));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kind, kinds[i].kind) == 0)
            return kinds[i].opens(path, contents, error) && all_finite(contents, path, error);
    return true;
}

/* {file, kind, holds, reason}. */
static json_t *check_file(const char *path)
{
    ls_error error = {0};
    json_t *contents = ls_contents_file(path, &error);
    const char *kind = json_string_value(json_object_get(contents, "kind"));
    bool holds = contents && check_contents(contents, kind, path, &error);
    json_t *entry =
        json_pack("{s:o, s:s, s:b, s:o*}", "file", ls_json_text(path), "kind", kind ? kind : "file",
                  "holds", holds, "reason", holds ? NULL : ls_json_text(error.text));
    if (error.code == LS_IO)
        json_object_set_new(entry, "unread", json_true());
    json_decref(contents);
    return entry;
}

/* Adds a file of a run. Without its .ok it is no damaged checkpoint, but none: a stop came before
 * it was finished. */
static void add_entry(void *list, const char *path, bool finished)
{
    json_t *entry = check_file(path);
    if (!finished)
        json_object_set_new(entry, "unfinished", json_true());
    json_array_append_new(list, entry);
}

/* The exit code: of the files that count, those that are finished or can't be read, one at least
 * must be there, and all must hold. */
static int judge(const json_t *list)
{
    size_t i;
    json_t *entry;
    int counted = 0, code = 0;
    json_array_foreach (list, i, entry) {
        bool unread = json_object_get(entry, "unread");
        bool counts = unread || !json_object_get(entry, "unfinished");
        counted += counts;
        if (counts && !json_is_true(json_object_get(entry, "holds")) && code != LS_IO)
            code = unread ? LS_IO : LS_DATA;
    }
    return counted ? code : LS_DATA;
}

/* [{file, kind, holds, unread, unfinished, reason}], or NULL and an error. */
static json_t *verify(const char *path, ls_error *error)
{
    json_t *list = json_array();
    if (!ls_atomic_file_is_folder(path)) {
        json_array_append_new(list, check_file(path));
        return list;
    }
    const bool all = ls_contents_each(path, add_entry, list, error);
    if (all && json_array_size(list) > 0)
        return list;
    if (all)
        ls_error_set(error, LS_DATA, "%s: holds no checkpoint to verify: is it a run directory?",
                     path);
    json_decref(list);
    return NULL;
}

static void print(const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        const char *file, *kind, *reason = NULL;
        json_unpack(entry, "{s:s, s:s, s?s}", "file", &file, "kind", &kind, "reason", &reason);
        ls_print(stdout, "%-40s %-10s  %s\n", file, kind,
                 json_object_get(entry, "unread")       ? "CAN'T BE READ"
                 : json_object_get(entry, "unfinished") ? "NEVER FINISHED"
                 : reason                               ? "DOES NOT HOLD"
                                                        : "holds");
        if (reason)
            ls_print(stdout, "    %s\n", reason);
    }
}

int ls_command_verify(int argc, char **argv)
{
    arguments a = {.json = false};
    ls_error error = {0};
    ls_command_parse(&ls_usage_verify, argc, argv, &a.words);
    json_t *list = verify(a.words.at[0], &error);
    if (!list)
        return ls_command_fail(0, &error);
    int code = judge(list);
    if (a.json)
        ls_json_print(json_pack("{s:b, s:O}", "holds", code == 0, "files", list));
    else
        print(list);
    json_decref(list);
    return code;
}
