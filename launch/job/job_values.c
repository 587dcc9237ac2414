/* job_values: a job from JSON values, and JSON values from a job. */
#include "launch/job/job_values.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "launch/job/job_keys.h"

enum { PATH = 512, TEXT = 320, STAGES = 256 };

/* A number, true, false or a text, as text; NULL for other values. */
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

/* The value at `path` is not what is expected there; `example` NULL: no value is one word. */
static bool fail_value(const ls_job *job, const json_t *node, const char *path,
                       const char *expected, const char *example, ls_error *error)
{
    char where[PATH], what[80];
    ls_error_set(error, LS_USAGE, "%s: expected %s, found %s",
                 ls_job_where(job, path, where, sizeof where), expected,
                 found(node, what, sizeof what));
    bool command = ls_job_origin(job, path) == LS_FROM_COMMAND_LINE;
    const char *word = ls_job_origins_shown(job->origins, path), *dot = strrchr(word, '.');
    const char *quote = command && example && strchr(example, ' ') ? "\"" : "";
    size_t used = strlen(error->text);
    if (example)
        snprintf(error->text + used, sizeof error->text - used, "; write for example `%s%s%s%s%s`",
                 command || !dot ? word : dot + 1, command ? "=" : ": ", quote, example, quote);
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

/* "stages.0" and "batch" make "stages.0.batch". */
static const char *join(const char *path, const char *word, char *text, size_t size)
{
    snprintf(text, size, "%.300s%s%.200s", path, *path ? "." : "", word);
    return text;
}

/* The map at `path` has no key `word`. */
static bool fail_unknown(const ls_job *job, ls_job_map map, const char *path, const char *word,
                         ls_error *error)
{
    char full[PATH], position[PATH], hint[PATH] = ".", other[64];
    const char *name[32];
    int count = ls_job_key_names(map, name, 32);
    const char *near = ls_nearest(word, name, count, sizeof name[0]);
    for (int m = LS_JOB_MAPS - 1; m > LS_IN_JOB; m--) {
        const ls_job_key *key = ls_job_key_find((ls_job_map)m, word);
        near = key ? ls_job_key_path(key, -1, other, sizeof other) : near;
    }
    if (strchr(word, '.'))
        snprintf(hint, sizeof hint,
                 ": dots are for the command line: here a key stands on a line "
                 "below its map's.");
    else if (near)
        snprintf(hint, sizeof hint, ": did you mean '%s'?", near);
    join(path, word, full, sizeof full);
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
        if (!ls_job_key_find(LS_IN_STAGE, word))
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

static bool read_text(const ls_job *job, const ls_job_key *key, const json_t *node,
                      const char *path, void *member, ls_error *error)
{
    char buffer[40], expected[TEXT];
    const char *text = text_of(node, buffer, sizeof buffer);
    return (text && ls_job_key_set(key, member, text)) ||
           fail_value(job, node, path, ls_job_key_expected(key, expected, sizeof expected),
                      key->example, error);
}

/* {discriminator: adam rate=0.001, generator: sgd} */
static bool read_phases(ls_job *job, const ls_job_key *key, const json_t *node, const char *path,
                        ls_job_stage *stage, ls_error *error)
{
    static const ls_job_key one = {.help = "an optimizer, as `lockstep list optimizers` has them",
                                   .example = "adam rate=0.001"};
    const char *phase;
    json_t *spec;
    json_object_foreach ((json_t *)node, phase, spec) {
        char below[PATH], position[PATH];
        ls_job_optimizer *optimizer = &stage->optimizer[stage->optimizers];
        join(path, phase, below, sizeof below);
        if (!*phase || strlen(phase) >= LS_WORD || strchr(phase, '.'))
            return ls_error_set(error, LS_USAGE, "%s: '%.60s' is no name of a phase",
                                key_position(job, below, position, sizeof position), phase);
        if (stage->optimizers == LS_PHASES)
            return fail_value(job, node, path, key->help, key->example, error);
        optimizer->phase = ls_copy_string(phase);
        stage->optimizers++;
        if (!read_text(job, &one, spec, below, &optimizer->spec, error))
            return false;
    }
    return true;
}

static bool read_key(ls_job *job, const ls_job_key *key, int number, const json_t *node,
                     const char *path, ls_error *error)
{
    void *member = ls_job_key_member(key, job, number);
    if (key->kind == LS_KEY_OPTIMIZER) {
        ls_job_stage *stage = &job->stage[number];
        if (json_object_size(node))
            return read_phases(job, key, node, path, stage, error);
        stage->optimizers = 1;
        member = &stage->optimizer[0].spec;
    }
    return read_text(job, key, node, path, member, error);
}

static bool fail_map(const ls_job *job, ls_job_map map, const json_t *node, const char *path,
                     ls_error *error)
{
    char keys[TEXT] = "", expected[TEXT];
    const char *name[32];
    int count = ls_job_key_names(map, name, 32);
    for (int i = 0; i < count; i++)
        ls_format_join(keys, sizeof keys, name[i]);
    snprintf(expected, sizeof expected, "the keys %.300s",
             map == LS_IN_STAGE ? "of a stage" : keys);
    return fail_value(job, node, path, expected, NULL, error);
}

static bool read_stages(ls_job *job, const json_t *list, ls_error *error);

/* The keys of a map; `stage` is 0 unless it is one. */
static bool read_map(ls_job *job, ls_job_map map, int stage, const json_t *node, ls_error *error)
{
    char path[32], below[PATH];
    const char *word;
    json_t *value;
    ls_job_map_path(map, stage, path, sizeof path);
    if (!json_is_object(node))
        return fail_map(job, map, node, path, error);
    json_object_foreach ((json_t *)node, word, value) {
        const ls_job_key *key = ls_job_key_find(map, word);
        ls_job_map inner = map == LS_IN_JOB ? ls_job_map_find(word) : LS_IN_JOB;
        bool ok =
            key ? read_key(job, key, stage, value, join(path, word, below, sizeof below), error)
            : inner == LS_IN_STAGE ? read_stages(job, value, error)
            : inner != LS_IN_JOB   ? read_map(job, inner, 0, value, error)
                                   : fail_unknown(job, map, path, word, error);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_stages(ls_job *job, const json_t *list, ls_error *error)
{
    int count = (int)json_array_size(list); /* 0 if it is no list */
    if (count == 0 || count > STAGES)
        return fail_value(
            job, list, "stages",
            "a list of 1 to 256 stages, each with its objective, optimizer, batch ...", NULL,
            error);
    job->stages = count;
    job->stage = ls_alloc((size_t)count, sizeof *job->stage);
    for (int i = 0; i < count; i++)
        if (!read_map(job, LS_IN_STAGE, i, json_array_get(list, (size_t)i), error))
            return false;
    return true;
}

static bool fail_missing(const ls_job *job, const ls_job_key *key, ls_error *error)
{
    char expected[TEXT], subject[TEXT];
    snprintf(subject, sizeof subject,
             key->excludes ? "neither '%s' nor '%s' is given" : "the key '%s' is missing",
             key->name, key->excludes);
    return ls_error_set(error, LS_USAGE, "%s: %s: expected %s; write for example `%s: %s`",
                        job->path, subject, ls_job_key_expected(key, expected, sizeof expected),
                        key->name, key->example);
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
    const ls_job_key *other = key->excludes ? ls_job_key_find(key->map, key->excludes) : NULL;
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
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->preset)
            put_default(job, key);
    bool ok = read_map(job, LS_IN_JOB, 0, json, error);
    for (const ls_job_key *key = ls_job_keys; ok && key->name; key++)
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

/* The map in which a key of `map` stands, inside of `json`; made if it is not there yet. */
static json_t *map_of(json_t *json, ls_job_map map, const ls_job *job, int stage)
{
    char name[32] = "stages";
    if (map == LS_IN_JOB)
        return json;
    if (map != LS_IN_STAGE)
        ls_job_map_path(map, 0, name, sizeof name);
    json_t *child = json_object_get(json, name);
    if (!child) {
        child = map == LS_IN_STAGE ? json_array() : json_object();
        json_object_set_new(json, name, child);
        for (int i = 0; json_is_array(child) && i < job->stages; i++)
            json_array_append_new(child, json_object());
    }
    return map == LS_IN_STAGE ? json_array_get(child, (size_t)stage) : child;
}

json_t *ls_job_write(const ls_job *job)
{
    json_t *json = json_object();
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        for (int i = 0; i < ls_job_key_copies(key, job); i++) {
            json_t *value = write_value(key, job, i);
            if (value || key->map == LS_IN_STAGE) /* a stage may be empty */
                json_object_set_new_nocheck(map_of(json, key->map, job, i), key->name, value);
        }
    return json;
}
