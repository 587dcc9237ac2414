/* job_values: a job from JSON values, and JSON values from a job. */
#include "launch/job/job_values.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "launch/job/job_keys.h"

enum { PATH = 512, TEXT = 320 };

/* A number, switch or text as text; NULL for other values, or if it is not UTF-8. */
static const char *text_of(const json_t *node, char *buffer, size_t size)
{
    if (json_is_integer(node))
        snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(node));
    else if (json_is_real(node))
        snprintf(buffer, size, "%.17g", json_real_value(node));
    else if (json_is_boolean(node))
        snprintf(buffer, size, "%s", json_is_true(node) ? "true" : "false");
    else
        return json_string_value(node);
    return buffer;
}

/* What stands there, for messages: "'12x'", "nothing", "a list of 2", "3 keys". */
static const char *found(const json_t *node, char *text, size_t size)
{
    char buffer[40];
    const char *word = text_of(node, buffer, sizeof buffer);
    size_t keys = json_object_size(node);
    if (json_is_array(node))
        snprintf(text, size, "a list of %zu", json_array_size(node));
    else if (json_is_object(node))
        snprintf(text, size, "%zu key%s", keys, keys == 1 ? "" : "s");
    else if (word && *word)
        snprintf(text, size, "'%.60s%s'", word, strlen(word) > 60 ? "..." : "");
    else
        snprintf(text, size, "nothing");
    return text;
}

/* The value at `path` is not what its key expects. */
static bool fail_value(const ls_job *job, const json_t *node, const char *path, ls_error *error)
{
    char where[PATH], what[80], expected[TEXT];
    const ls_job_key *key = ls_job_key_find(path);
    ls_error_set(
        error, LS_USAGE, "%s: expected %s, found %s", ls_job_where(job, path, where, sizeof where),
        ls_job_key_expected(key, expected, sizeof expected), found(node, what, sizeof what));
    bool command = ls_job_origin(job, path) == LS_FROM_COMMAND_LINE;
    const char *word = ls_job_origins_shown(job->origins, path), *dot = strrchr(word, '.');
    const char *quote = command && key->example && strchr(key->example, ' ') ? "\"" : "";
    size_t used = strlen(error->text);
    if (key->example)
        snprintf(error->text + used, sizeof error->text - used, "; write for example `%s%s%s%s%s`",
                 command || !dot ? word : dot + 1, command ? "=" : ": ", quote, key->example,
                 quote);
    return false;
}

/* "lenet.yaml:9:1" of a key that is no key, or no name of a phase. */
static const char *key_position(const ls_job *job, const char *path, char *text, size_t size)
{
    const ls_job_mark *mark = ls_job_origins_find(job->origins, path);
    if (mark && mark->origin == LS_FROM_COMMAND_LINE)
        snprintf(text, size, "command line");
    else if (mark)
        snprintf(text, size, "%s:%d:%d", job->path, mark->key_line, mark->key_column);
    else
        snprintf(text, size, "%s", job->path);
    return text;
}

/* The map at `path`, "" for the top, has no key `word`. */
static bool fail_unknown(const ls_job *job, const char *path, const char *word, ls_error *error)
{
    char full[PATH], position[PATH], hint[PATH] = ".";
    const char *name[32], *elsewhere = ls_job_key_elsewhere(word);
    int count = ls_job_key_children(path, name, 32);
    const char *near = elsewhere ? elsewhere : ls_nearest(word, name, count, sizeof name[0]);
    snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", word);
    if (strchr(word, '.'))
        snprintf(hint, sizeof hint,
                 ": dots are for the command line: here a key stands on a line "
                 "below its map's.");
    else if (near)
        snprintf(hint, sizeof hint, ": did you mean '%s'?", near);
    ls_error_set(error, LS_USAGE, "%s: unknown key '%s'%s Known here:",
                 key_position(job, full, position, sizeof position),
                 ls_job_origins_shown(job->origins, full), hint);
    for (int i = 0; i < count; i++) {
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, " %s", name[i]);
    }
    return false;
}

bool ls_job_form_stages(json_t *json, const ls_job_origins *origins, const char *where,
                        ls_error *error)
{
    const ls_job job = {.path = where, .origins = (ls_job_origins *)origins}; /* for messages */
    char a[PATH], b[PATH];
    const char *word;
    void *next;
    json_t *value, *given = json_object_get(json, "stages"), *stage = given ? NULL : json_object();
    json_object_foreach_safe (json, next, word, value) {
        if (!ls_job_key_of_stage(word))
            continue;
        if (given)
            return ls_error_set(error, LS_USAGE,
                                "%s: '%s' stands beside 'stages' (%s): move it into the stage that "
                                "it belongs to",
                                key_position(&job, word, a, sizeof a), word,
                                key_position(&job, "stages", b, sizeof b));
        json_object_set(stage, word, value);
        json_object_del(json, word);
    }
    if (!given)
        json_object_set_new(json, "stages", json_pack("[o]", stage));
    return true;
}

/* The N of "stages.N.batch"; 0 for keys that are not a stage's. */
static int stage_of(const char *path)
{
    int stage = 0;
    sscanf(path, "stages.%d", &stage);
    return stage;
}

static bool read_text(const ls_job *job, const json_t *node, const char *path, void *member,
                      ls_error *error)
{
    char buffer[40];
    const char *text = text_of(node, buffer, sizeof buffer);
    return (text && ls_job_key_set(ls_job_key_find(path), member, text)) ||
           fail_value(job, node, path, error);
}

/* `momentum rate=0.1` for all phases, or {discriminator: adam, generator: sgd}. */
static bool read_optimizer(ls_job *job, const json_t *node, const char *path, ls_error *error)
{
    const char *phase;
    json_t *spec;
    ls_job_stage *stage = &job->stage[stage_of(path)];
    if (!json_is_object(node)) {
        stage->optimizers = 1;
        return read_text(job, node, path, &stage->optimizer[0].spec, error);
    }
    json_object_foreach ((json_t *)node, phase, spec) {
        char below[PATH], position[PATH];
        ls_job_optimizer *optimizer = &stage->optimizer[stage->optimizers];
        snprintf(below, sizeof below, "%.300s.%.200s", path, phase);
        if (!*phase || strlen(phase) >= LS_WORD || strchr(phase, '.'))
            return ls_error_set(error, LS_USAGE, "%s: '%.60s' is no name of a phase",
                                key_position(job, below, position, sizeof position), phase);
        if (stage->optimizers == LS_PHASES)
            break;
        optimizer->phase = ls_copy_string(phase);
        stage->optimizers++;
        if (!read_text(job, spec, below, &optimizer->spec, error))
            return false;
    }
    return (stage->optimizers > 0 && json_object_size(node) <= LS_PHASES) ||
           fail_value(job, node, path, error);
}

static bool read_node(ls_job *job, const json_t *node, const char *path, ls_error *error);

/* The keys of a map. */
static bool read_map(ls_job *job, const json_t *map, const char *path, ls_error *error)
{
    const char *word;
    json_t *value;
    if (!json_is_object(map))
        return fail_value(job, map, path, error);
    json_object_foreach ((json_t *)map, word, value) {
        char below[PATH];
        snprintf(below, sizeof below, "%s%s%.200s", path, *path ? "." : "", word);
        if (!ls_job_key_find(below) || strchr(word, '.'))
            return fail_unknown(job, path, word, error);
        if (!read_node(job, value, below, error))
            return false;
    }
    return true;
}

static bool read_stages(ls_job *job, const json_t *list, const char *path, ls_error *error)
{
    char below[PATH];
    const ls_job_key *key = ls_job_key_find(path);
    long count = (long)json_array_size(list); /* 0 of what is no list */
    if (count < key->low || count > key->high)
        return fail_value(job, list, path, error);
    job->stages = (int)count;
    job->stage = ls_alloc((size_t)count, sizeof *job->stage);
    for (int i = 0; i < count; i++) {
        snprintf(below, sizeof below, "stages.%d", i);
        if (!read_map(job, json_array_get(list, (size_t)i), below, error))
            return false;
    }
    return true;
}

static bool read_node(ls_job *job, const json_t *node, const char *path, ls_error *error)
{
    const ls_job_key *key = ls_job_key_find(path);
    if (key->kind == LS_KEY_LIST)
        return read_stages(job, node, path, error);
    if (key->kind == LS_KEY_MAP)
        return read_map(job, node, path, error);
    if (key->kind == LS_KEY_OPTIMIZER)
        return read_optimizer(job, node, path, error);
    return read_text(job, node, path, ls_job_key_member(key, job, stage_of(path)), error);
}

static bool fail_missing(const ls_job *job, const ls_job_key *key, ls_error *error)
{
    char expected[TEXT], subject[TEXT];
    snprintf(subject, sizeof subject,
             key->excludes ? "neither '%s' nor '%s' is given" : "the key '%s' is missing",
             key->path, key->excludes);
    return ls_error_set(error, LS_USAGE, "%s: %s: expected %s; write for example `%s: %s`",
                        job->path, subject, ls_job_key_expected(key, expected, sizeof expected),
                        key->path, key->example);
}

static bool is_given(const ls_job_key *key, const ls_job *job, int stage)
{
    char *text = ls_job_key_get(key, job, stage);
    ls_free(text);
    return text != NULL;
}

/* Of two keys that exclude each other at most one is given; what must be given is. */
static bool check_given(const ls_job *job, const ls_job_key *key, int stage, ls_error *error)
{
    char path[PATH], a[PATH], b[PATH];
    const ls_job_key *other = key->excludes ? ls_job_key_find(key->excludes) : NULL;
    bool given = is_given(key, job, stage), other_given = other && is_given(other, job, stage);
    if (!given || !other_given)
        return given || other_given || !key->required || fail_missing(job, key, error);
    ls_job_where(job, ls_job_key_path(key, stage, path, sizeof path), a, sizeof a);
    ls_job_where(job, ls_job_key_path(other, stage, path, sizeof path), b, sizeof b);
    return ls_error_set(error, LS_USAGE, "%s and %s: only one of them may stand: take one out", a,
                        b);
}

/* "runs/lenet" of "runs/NAME" for the file "jobs/lenet.yaml". */
static void put_default(const ls_job *job, const ls_job_key *key)
{
    const char *slash = strrchr(job->path, '/'), *file = slash ? slash + 1 : job->path;
    const char *dot = strrchr(file, '.'), *name = strstr(key->preset, "NAME");
    int length = dot && dot != file ? (int)(dot - file) : (int)strlen(file);
    char *text = name ? ls_format("%.*s%.*s%s", (int)(name - key->preset), key->preset, length,
                                  file, name + strlen("NAME"))
                      : ls_copy_string(key->preset);
    ls_job_key_set(key, ls_job_key_member(key, job, 0), text);
    ls_free(text);
}

ls_job *ls_job_read(const json_t *json, ls_job_origins *origins, const char *where, ls_error *error)
{
    ls_job *job = ls_alloc(1, sizeof *job);
    *job = (ls_job){.path = ls_copy_string(where), .origins = origins};
    for (const ls_job_key *key = ls_job_keys; key->path; key++)
        if (key->preset)
            put_default(job, key);
    bool ok = read_map(job, json, "", error);
    for (const ls_job_key *key = ls_job_keys; ok && key->path; key++)
        for (int i = 0; ok && i < ls_job_key_copies(key, job); i++)
            ok = check_given(job, key, i, error);
    if (ok)
        return job;
    ls_job_destroy(job);
    return NULL;
}

static json_t *write_optimizers(const ls_job_stage *stage)
{
    const ls_job_optimizer *optimizer = stage->optimizer;
    if (stage->optimizers == 1 && !optimizer[0].phase)
        return json_string_nocheck(optimizer[0].spec);
    json_t *phases = stage->optimizers ? json_object() : NULL;
    for (int i = 0; i < stage->optimizers; i++)
        json_object_set_new_nocheck(phases, optimizer[i].phase ? optimizer[i].phase : "",
                                    json_string_nocheck(optimizer[i].spec));
    return phases;
}

static json_t *write_value(const ls_job_key *key, const ls_job *job, int stage)
{
    if (key->kind == LS_KEY_OPTIMIZER)
        return write_optimizers(&job->stage[stage]);
    char *text = ls_job_key_get(key, job, stage);
    json_t *value = !text                        ? NULL
                    : key->kind == LS_KEY_SWITCH ? json_true()
                    : key->kind == LS_KEY_NUMBER
                        ? json_integer(*(long *)ls_job_key_member(key, job, stage))
                        : json_string_nocheck(text);
    ls_free(text);
    return value;
}

/* Puts a value, unless it is NULL, under its key: "keep" of "checkpoint.keep" into `checkpoint`. */
static void put_value(json_t *map, const char *path, json_t *value)
{
    char parent[64];
    const char *dot = strchr(path, '.');
    if (dot && value) {
        snprintf(parent, sizeof parent, "%.*s", (int)(dot - path), path);
        if (!json_object_get(map, parent))
            json_object_set_new(map, parent, json_object());
        map = json_object_get(map, parent);
    }
    json_object_set_new_nocheck(map, dot ? dot + 1 : path, value);
}

json_t *ls_job_write(const ls_job *job)
{
    json_t *json = json_object(), *stages = json_array();
    for (int i = 0; i < job->stages; i++)
        json_array_append_new(stages, json_object());
    for (const ls_job_key *key = ls_job_keys; key->path; key++) {
        bool in_stage = ls_job_key_in_stage(key), value = ls_job_key_has_value(key);
        if (key->kind == LS_KEY_LIST && job->stages)
            json_object_set(json, key->path, stages);
        for (int i = 0; value && i < ls_job_key_copies(key, job); i++)
            put_value(in_stage ? json_array_get(stages, (size_t)i) : json, ls_job_key_short(key),
                      write_value(key, job, i));
    }
    json_decref(stages);
    return json;
}
