/* job_file: reads a job file into a tree and puts the overrides of the command line into it. */
#include "launch/job/yaml/job_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "launch/job/job_json.h"
#include "launch/job/job_keys.h"
#include "launch/job/job_values.h"
#include "launch/job/yaml/yaml.h"

enum { FILE_MAX = 1 << 20, PATH = 256 };

static char *read_file(const char *path, size_t *length, ls_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        ls_error_set(error, LS_USAGE, "%s: cannot open the job file: %s", path, strerror(errno));
        return NULL;
    }
    char *text = ls_alloc(FILE_MAX + 1, 1);
    *length = fread(text, 1, FILE_MAX + 1, file);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (!failure && *length <= FILE_MAX)
        return text;
    ls_free(text);
    if (failure)
        ls_error_set(error, LS_USAGE, "%s: cannot read the job file: %s", path, strerror(failure));
    else
        ls_error_set(error, LS_USAGE, "%s: larger than 1 MiB: this is no job file", path);
    return NULL;
}

/* The whole path of a key of the command line: the keys of a stage may leave out stages.0 if there
 * is one stage only. */
static bool full_path(const json_t *json, const char *key, char *path, ls_error *error)
{
    char first[PATH];
    int stages = (int)json_array_size(json_object_get(json, "stages"));
    snprintf(first, sizeof first, "%.*s", (int)strcspn(key, "."), key);
    bool of_stage = ls_job_key_find(LS_IN_STAGE, first);
    if (of_stage && stages > 1)
        return ls_error_set(error, LS_USAGE,
                            "command line: %s: this job has %d stages: write stages.0.%s to "
                            "stages.%d.%s",
                            key, stages, key, stages - 1, key);
    int length = snprintf(path, PATH, "%s%s", of_stage ? "stages.0." : "", key);
    return length < PATH ||
           ls_error_set(error, LS_USAGE, "command line: the key %.40s... is too long", key);
}

/* The map or list called `word` inside of `json`, which is at path[0, above - 1); made if a map has
 * none. NULL and an error if there can be none. */
static json_t *step_into(json_t *json, const char *path, size_t above, const char *word,
                         ls_error *error)
{
    long number;
    size_t count = json_array_size(json);
    if (json_is_object(json)) {
        if (!json_object_get(json, word))
            json_object_set_new(json, word, json_object());
        return json_object_get(json, word);
    }
    if (ls_parse_long(word, &number) && number >= 0 && (size_t)number < count)
        return json_array_get(json, (size_t)number);
    ls_error_set(error, LS_USAGE,
                 "command line: %s: there is no %.*s%s: %.*s has %zu entr%s, counted from 0", path,
                 (int)above, path, word, (int)above - 1, path, count, count == 1 ? "y" : "ies");
    return NULL;
}

/* Sets the text at a path, and removes the key that it excludes: steps=100 takes the place of the
 * file's epochs. */
static bool put(json_t *json, const char *path, const char *text, ls_error *error)
{
    const char *rest = path;
    for (;;) {
        char word[LS_WORD];
        size_t length = strcspn(rest, "."), above = (size_t)(rest - path);
        if (length == 0 || length >= sizeof word)
            return ls_error_set(error, LS_USAGE,
                                "command line: '%s' is no key: expected names with dots between "
                                "them, such as checkpoint.keep",
                                path);
        if (!json_is_object(json) && !json_is_array(json))
            return ls_error_set(error, LS_USAGE,
                                "command line: %.*s is one value: it has no '%s' inside",
                                (int)above - 1, path, rest);
        if (rest[length] == 0)
            break;
        snprintf(word, sizeof word, "%.*s", (int)length, rest);
        json = step_into(json, path, above, word, error);
        if (!json)
            return false;
        rest += length + 1;
    }
    if (json_is_array(json))
        return ls_error_set(error, LS_USAGE,
                            "command line: %s names a whole entry: name a key of it", path);
    int stage;
    const ls_job_key *key = ls_job_key_at(path, &stage);
    if (key && key->excludes)
        json_object_del(json, key->excludes);
    if (json_object_set_new(json, rest, *text ? json_string(text) : json_null()) != 0)
        return ls_error_set(error, LS_USAGE, "command line: %s: the value is no text in UTF-8",
                            path);
    return true;
}

static bool override(json_t *json, ls_job_origins *origins, const char *text, ls_error *error)
{
    char key[PATH], path[PATH];
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    if (length == 0 || length >= sizeof key)
        return ls_error_set(error, LS_USAGE,
                            "command line: '%.200s' is no key=value: write for example batch=128",
                            text);
    snprintf(key, sizeof key, "%.*s", (int)length, text);
    if (!full_path(json, key, path, error) || !put(json, path, equals + 1, error))
        return false;
    ls_job_mark mark = {.path = (char *)ls_job_origins_shown(origins, path),
                        .origin = LS_FROM_COMMAND_LINE};
    ls_job_origins_add(origins, &mark);
    return true;
}

static ls_job *read_text(const char *text, size_t length, const char *where, char *const *overrides,
                         int count, ls_error *error)
{
    ls_job *job = NULL;
    ls_job_origins *origins = ls_alloc(1, sizeof *origins);
    json_t *json = ls_yaml_read(text, length, where, origins, error);
    bool ok = json && ls_job_form_stages(json, origins, where, error);
    for (int i = 0; ok && i < count; i++)
        ok = override(json, origins, overrides[i], error);
    if (ok)
        job = ls_job_read(json, origins, where, error);
    else
        ls_job_origins_destroy(origins);
    json_decref(json);
    return job;
}

ls_job *ls_job_load(const char *path, char *const *overrides, int count, ls_error *error)
{
    size_t length;
    char *text = read_file(path, &length, error);
    ls_job *job = text ? read_text(text, length, path, overrides, count, error) : NULL;
    ls_free(text);
    return job;
}

/* A text in JSON that is no job is read again as YAML, whose messages name line and column. */
ls_job *ls_job_parse(const char *text, const char *where, ls_error *error)
{
    ls_job *job = *text == '{' ? ls_job_from_json(text, where, error) : NULL;
    return job ? job : read_text(text, strlen(text), where, NULL, 0, error);
}
