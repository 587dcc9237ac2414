/* job_file: reads a job file and puts the keys of the command line in place of the file's. */
#include "launch/job/yaml/job_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "io/file.h"
#include "launch/job/job_keys.h"
#include "launch/job/job_read.h"
#include "launch/job/yaml/yaml.h"

enum { FILE_MAX = 1 << 20 };

/* A wrong path is a mistake of the person; all else is the system's. */
static void fail(const char *path, const char *doing, ls_error *error)
{
    bool wrong = errno == ENOENT || errno == ENOTDIR || errno == EISDIR || errno == EACCES;
    ls_error_set(error, wrong ? LS_USAGE : LS_IO, "%s: cannot %s the job file: %s", path, doing,
                 strerror(errno));
}

static char *read_file(const char *path, size_t *length, ls_error *error)
{
    int file = ls_file_open(path, O_RDONLY | O_NOCTTY, 0);
    if (file < 0) {
        fail(path, "open", error);
        return NULL;
    }
    char *text = ls_alloc(FILE_MAX + 1, 1);
    ssize_t done = ls_file_read(file, text, FILE_MAX + 1);
    if (done < 0)
        fail(path, "read", error);
    else if (done > FILE_MAX)
        ls_error_set(error, LS_USAGE, "%s: larger than 1 MiB: this is no job file", path);
    ls_file_close(file);
    *length = (size_t)done;
    if (done >= 0 && done <= FILE_MAX)
        return text;
    ls_free(text);
    return NULL;
}

static void remove_excluded(ls_job_entries *list, const char *path)
{
    int stage;
    const char *rest;
    char other[LS_JOB_PATH];
    const ls_job_key *key = ls_job_key_at(path, &stage, &rest);
    for (int i = 0; key && !key->conflicts && ls_job_key_excluded(path, i, other, sizeof other);
         i++)
        ls_job_entries_remove(list, other);
}

/* The optimizer of one phase can't take the place of a part of one for all phases. */
static bool check_phase(const ls_job_entries *list, const char *given, const char *path,
                        ls_error *error)
{
    int stage;
    char parent[LS_JOB_PATH];
    const char *rest;
    const ls_job_key *key = ls_job_key_at(path, &stage, &rest);
    if (!key || key->kind != LS_KEY_OPTIMIZER || !*rest)
        return true;
    snprintf(parent, sizeof parent, "%.*s", (int)(rest - path), path);
    const ls_job_entry *all = ls_job_entries_find(list, parent);
    return !all || all->type != LS_ENTRY_TEXT ||
           ls_error_set(error, LS_USAGE,
                        "command line: %s: the job has one optimizer for all phases (%s: %.60s): "
                        "give it one for each phase, or here %s= for all",
                        given, parent, all->text ? all->text : "", parent);
}

static bool override(ls_job_entries *list, const char *text, ls_error *error);

/* "{generator: sgd rate=1}" as the value of a key on the command line: optimizer.generator=... */
static bool override_each(ls_job_entries *list, const char *given, const char *map, ls_error *error)
{
    char where[LS_JOB_PATH];
    ls_job_entries *inside = ls_alloc(1, sizeof *inside);
    snprintf(where, sizeof where, "command line: %s", given);
    bool ok = ls_yaml_read(map, strlen(map), where, inside, error) &&
              (inside->count > 0 ||
               ls_error_set(error, LS_USAGE, "%s: expected keys within the braces, found %s", where,
                            map));
    for (int i = 0; ok && i < inside->count; i++) {
        const ls_job_entry *entry = &inside->entry[i];
        char *one = ls_format("%s.%s=%s", given, entry->path, entry->text ? entry->text : "");
        ok = entry->type != LS_ENTRY_TEXT || override(list, one, error);
        ls_free(one);
    }
    ls_job_entries_destroy(inside);
    return ok;
}

/* Whether the value of a key may be a map. NULL: the key is itself the name of a map. */
static bool takes_map(const ls_job_key *key)
{
    return !key || key->kind == LS_KEY_OPTIMIZER || key->kind == LS_KEY_NETS;
}

/* Puts the stages of "[{objective: ...}, ...]" in place of the file's. */
static bool override_stages(ls_job_entries *list, const char *stages, ls_error *error)
{
    ls_job_entries_remove(list, "stages");
    const int before = list->count;
    char *text = ls_format("stages: %s", stages);
    const bool ok = ls_yaml_read(text, strlen(text), "command line", list, error);
    for (int i = before; i < list->count; i++)
        list->entry[i].origin = LS_FROM_COMMAND_LINE;
    ls_free(text);
    return ok;
}

/* Puts "key=value" in place of the file's, and of the keys that it excludes: steps=100 takes the
 * place of epochs. A key of all stages takes the place of those of each; the key of the only
 * stage of a list may leave out "stages.0.". */
static bool override(ls_job_entries *list, const char *text, ls_error *error)
{
    char given[LS_JOB_PATH / 2], path[LS_JOB_PATH];
    const char *rest, *value = strchr(text, '=');
    if (!value || value == text || value - text >= (long)sizeof given)
        return ls_error_set(error, LS_USAGE,
                            "command line: '%.200s' is no key=value: write for example batch=128",
                            text);
    snprintf(given, sizeof given, "%.*s", (int)(value++ - text), text);
    if (strcmp(given, "stages") == 0 && *value == '[')
        return override_stages(list, value, error);
    int stage, stages = ls_job_entries_stages(list);
    const ls_job_key *key = ls_job_key_at(given, &stage, &rest);
    const ls_job_entry *own = ls_job_entries_find(list, "stages");
    bool top = key && ls_job_key_in_stage(key) && strncmp(given, "stages.", 7) != 0;
    bool listed = own && own->type == LS_ENTRY_LIST;
    snprintf(path, sizeof path, "%s%s", top && listed && stages == 1 ? "stages.0." : "", given);
    for (int i = 0; top && !listed && i < stages && i < LS_JOB_STAGES; i++) {
        char below[LS_JOB_PATH];
        snprintf(below, sizeof below, "stages.%d.%s", i, given);
        ls_job_entries_remove(list, below);
        remove_excluded(list, below);
        if (!check_phase(list, given, below, error))
            return false;
    }
    if (!check_phase(list, given, path, error))
        return false;
    if (key && key->conflicts && !*value) {
        ls_job_entries_remove(list, path);
        return true;
    }
    remove_excluded(list, path);
    if (*value == '{' && takes_map(key)) {
        ls_job_entries_remove(list, path);
        return override_each(list, given, value, error);
    }
    ls_job_entries_put(list, path, *value ? value : NULL)->origin = LS_FROM_COMMAND_LINE;
    return true;
}

static ls_job *read_text(const char *text, size_t length, const char *where, char *const *overrides,
                         int count, ls_error *error)
{
    ls_job_entries *list = ls_alloc(1, sizeof *list);
    bool ok = ls_yaml_read(text, length, where, list, error);
    for (int i = 0; ok && i < count; i++)
        ok = override(list, overrides[i], error);
    if (ok)
        return ls_job_read(list, where, error);
    ls_job_entries_destroy(list);
    return NULL;
}

ls_job *ls_job_load(const char *path, char *const *overrides, int count, ls_error *error)
{
    size_t length;
    char *text = read_file(path, &length, error);
    ls_job *job = text ? read_text(text, length, path, overrides, count, error) : NULL;
    ls_free(text);
    return job;
}

/* Whether the text is JSON with keys such as stages.0.batch, which a YAML file does not have. */
static bool has_paths(const char *text)
{
    json_t *top = json_loads(text, 0, NULL), *value;
    const char *key;
    bool found = false;
    json_object_foreach (top, key, value)
        found = found || strchr(key, '.');
    json_decref(top);
    return found;
}

/* A text in JSON that is no job is read again as YAML, whose messages name line and column. */
ls_job *ls_job_parse(const char *text, const char *where, ls_error *error)
{
    ls_job *job = *text == '{' ? ls_job_from_json(text, where, error) : NULL;
    return job || (*text == '{' && has_paths(text))
               ? job
               : read_text(text, strlen(text), where, NULL, 0, error);
}
