/* job_read: makes a job from a list of entries by the table of keys, and says what is wrong. */
#include "launch/job/job_read.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "launch/job/job_entries.h"
#include "launch/job/job_keys.h"

enum { EXPECTED = 320, STAGES = 256, NAMES = 32 };

/* The end of a path: "batch" of "stages.0.batch". */
static const char *word_of(const ls_job_entry *entry)
{
    const char *dot = strrchr(entry->path, '.');
    return dot ? dot + 1 : entry->path;
}

/* What stands there, for messages: "'12x'", "nothing", "a list of 2", "3 keys". */
static const char *found(const ls_job_entry *entry, char *text, size_t size)
{
    if (entry->type == LS_ENTRY_LIST)
        snprintf(text, size, "a list of %d", entry->size);
    else if (entry->type == LS_ENTRY_MAP)
        snprintf(text, size, "%d key%s", entry->size, entry->size == 1 ? "" : "s");
    else if (entry->text && *entry->text)
        snprintf(text, size, "'%.60s%s'", entry->text, strlen(entry->text) > 60 ? "..." : "");
    else
        snprintf(text, size, "nothing");
    return text;
}

/* The value is not what the key expects. */
static bool fail_value(const ls_job *job, const ls_job_entry *entry, const ls_job_key *key,
                       ls_error *error)
{
    char where[LS_JOB_PATH], expected[EXPECTED], what[80], hint[LS_JOB_PATH] = "";
    bool command = entry->origin == LS_FROM_COMMAND_LINE;
    const char *quote = command && key->example && strchr(key->example, ' ') ? "\"" : "";
    ls_job_where(job, entry->path, where, sizeof where);
    if (entry->text && !ls_job_key_utf8(entry->text))
        return ls_error_set(error, LS_USAGE, "%s: the value is no text in UTF-8", where);
    if (key->example)
        snprintf(hint, sizeof hint, "; write for example `%s%s%s%s%s`",
                 command ? entry->path : word_of(entry), command ? "=" : ": ", quote, key->example,
                 quote);
    return ls_error_set(error, LS_USAGE, "%s: expected %s, found %s%s", where,
                        ls_job_key_expected(key, expected, sizeof expected),
                        found(entry, what, sizeof what), hint);
}

/* Where a key itself stands: "lenet.yaml:9:1". */
static const char *key_position(const ls_job *job, const ls_job_entry *entry, char *text,
                                size_t size)
{
    if (entry->origin == LS_FROM_COMMAND_LINE)
        snprintf(text, size, "command line");
    else if (entry->key_line > 0)
        snprintf(text, size, "%s:%d:%d", job->path, entry->key_line, entry->key_column);
    else
        snprintf(text, size, "%s", job->path);
    return text;
}

static bool fail_unknown(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char map[LS_JOB_PATH], position[LS_JOB_PATH], hint[LS_JOB_PATH] = ".", other[64];
    const char *name[NAMES], *word = word_of(entry);
    snprintf(map, sizeof map, "%.*s", word > entry->path ? (int)(word - entry->path) - 1 : 0,
             entry->path);
    int count = ls_job_key_names(map, name, NAMES);
    if (count == 0) { /* there is no such map */
        count = ls_job_key_names("", name, NAMES);
        snprintf(map, sizeof map, "%.*s", (int)strcspn(entry->path, "."), entry->path);
        word = map;
    }
    const char *near = ls_nearest(word, name, count, sizeof name[0]);
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (strcmp(key->name, word) == 0)
            near = ls_job_key_path(key, -1, other, sizeof other);
    if (near && (near == other || strcmp(near, word) != 0)) /* no map's own name */
        snprintf(hint, sizeof hint, ": did you mean '%s'?", near);
    ls_error_set(error, LS_USAGE, "%s: unknown key '%.300s'%s Known here:",
                 key_position(job, entry, position, sizeof position), entry->path, hint);
    for (int i = 0; i < count; i++) {
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, " %s", name[i]);
    }
    return false;
}

static const ls_job_key stage_list = {
    .help = "a list of 1 to 256 stages, each with its objective, optimizer, batch ..."};

/* What stands at a path that is no key's: the list of stages, a stage, a map of keys, or a key that
 * is unknown. */
static bool read_map(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char keys[EXPECTED] = "the keys ";
    const char *name[NAMES];
    int count = *entry->path ? ls_job_key_names(entry->path, name, NAMES) : 0;
    if (strcmp(entry->path, "stages") == 0)
        return (entry->type == LS_ENTRY_LIST && entry->size > 0 && entry->size <= STAGES) ||
               fail_value(job, entry, &stage_list, error);
    if (count == 0)
        return fail_unknown(job, entry, error);
    for (int i = 0; i < count; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", i > 0 ? ", " : "",
                 name[i]);
    const ls_job_key map = {.help = strchr(entry->path, '.') ? "the keys of a stage" : keys};
    return entry->type == LS_ENTRY_MAP || fail_value(job, entry, &map, error);
}

/* One of {discriminator: adam rate=0.001, generator: sgd}. */
static bool read_phase(const ls_job *job, const ls_job_entry *entry, const char *phase,
                       ls_job_stage *stage, ls_error *error)
{
    static const ls_job_key one = {.help = "an optimizer, as `lockstep list optimizers` has them",
                                   .example = "adam rate=0.001"};
    char position[LS_JOB_PATH];
    ls_job_optimizer *optimizer = &stage->optimizer[stage->optimizers];
    bool for_all = stage->optimizer[0].spec && !stage->optimizer[0].phase;
    if (for_all || stage->optimizers == LS_PHASES)
        return fail_unknown(job, entry, error);
    if (!*phase || strlen(phase) >= LS_WORD || strchr(phase, '.'))
        return ls_error_set(error, LS_USAGE, "%s: '%.60s' is no name of a phase",
                            key_position(job, entry, position, sizeof position), phase);
    optimizer->phase = ls_copy_string(phase);
    stage->optimizers++;
    return (entry->text && ls_job_key_set(&one, &optimizer->spec, entry->text)) ||
           fail_value(job, entry, &one, error);
}

static bool read_optimizer(const ls_job_key *key, const ls_job_entry *entry, ls_job_stage *stage)
{
    if (entry->type == LS_ENTRY_MAP)
        return entry->size > 0 && entry->size <= LS_PHASES;
    stage->optimizers = 1;
    return entry->text && ls_job_key_set(key, &stage->optimizer[0].spec, entry->text);
}

static bool read_entry(ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    int number;
    char a[LS_JOB_PATH], b[LS_JOB_PATH];
    const char *rest;
    const ls_job_key *key = ls_job_key_at(entry->path, &number, &rest);
    bool optimizer = key && key->kind == LS_KEY_OPTIMIZER;
    const ls_job_entry *stages = ls_job_entries_find(job->entries, "stages");
    if (key && ls_job_key_in_stage(key) && stages && strncmp(entry->path, "stages.", 7) != 0)
        return ls_error_set(error, LS_USAGE,
                            "%s: '%s' stands beside 'stages' (%s): move it into the stage that it "
                            "belongs to",
                            key_position(job, entry, a, sizeof a), word_of(entry),
                            key_position(job, stages, b, sizeof b));
    if (number >= job->stages)
        return fail_value(job, entry, &stage_list, error);
    if (optimizer && *rest)
        return read_phase(job, entry, rest + 1, &job->stage[number], error);
    if (!key)
        return read_map(job, entry, error);
    bool ok = optimizer ? read_optimizer(key, entry, &job->stage[number])
                        : entry->text &&
                              ls_job_key_set(key, ls_job_key_member(key, job, number), entry->text);
    return ok || fail_value(job, entry, key, error);
}

static bool fail_missing(const ls_job *job, const ls_job_key *key, ls_error *error)
{
    char expected[EXPECTED], subject[EXPECTED];
    snprintf(subject, sizeof subject,
             key->excludes ? "neither '%s' nor '%s' is given" : "the key '%s' is missing",
             key->name, key->excludes);
    return ls_error_set(error, LS_USAGE, "%s: %s: expected %s; write for example `%s: %s`",
                        job->path, subject, ls_job_key_expected(key, expected, sizeof expected),
                        key->name, key->example);
}

/* Of two keys that exclude each other at most one is given; what must be given is. */
static bool check_given(const ls_job *job, const ls_job_key *key, int stage, ls_error *error)
{
    char path[LS_JOB_PATH], other[LS_JOB_PATH], a[LS_JOB_PATH], b[LS_JOB_PATH];
    ls_job_key_path(key, stage, path, sizeof path);
    snprintf(other, sizeof other, "%.*s%s", (int)(strlen(path) - strlen(key->name)), path,
             key->excludes ? key->excludes : "");
    bool given = ls_job_entries_find(job->entries, path);
    bool other_given = ls_job_entries_find(job->entries, other);
    if (!given || !other_given)
        return given || other_given || !key->required || fail_missing(job, key, error);
    return ls_error_set(error, LS_USAGE, "%s and %s: only one of them may stand: take one out",
                        ls_job_where(job, path, a, sizeof a),
                        ls_job_where(job, other, b, sizeof b));
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

ls_job *ls_job_read(ls_job_entries *list, const char *where, ls_error *error)
{
    int stages = ls_job_entries_stages(list);
    ls_job *job = ls_alloc(1, sizeof *job);
    *job = (ls_job){.path = ls_copy_string(where), .entries = list};
    job->stages = stages > 0 && stages <= STAGES ? stages : 1;
    job->stage = ls_alloc((size_t)job->stages, sizeof *job->stage);
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->preset)
            put_default(job, key);
    bool ok = true;
    for (int i = 0; ok && i < list->count; i++)
        ok = read_entry(job, &list->entry[i], error);
    for (const ls_job_key *key = ls_job_keys; ok && key->name; key++)
        for (int i = 0; ok && i < ls_job_key_copies(key, job); i++)
            ok = check_given(job, key, i, error);
    if (ok)
        return job;
    ls_job_destroy(job);
    return NULL;
}

/* A job without a file: where its keys stood is forgotten. */
static ls_job *read_list(ls_job_entries *list, const char *where, ls_error *error)
{
    ls_job *job = ls_job_read(list, where, error);
    if (job) {
        ls_job_entries_destroy(job->entries);
        job->entries = NULL;
    }
    return job;
}

ls_job *ls_job_create(const ls_job *plain, ls_error *error)
{
    return read_list(ls_job_entries_of(plain), plain->path ? plain->path : "job", error);
}

/* Adds a value at a path, and what stands inside of it. */
static void add_json(ls_job_entries *list, const char *path, json_t *json)
{
    char below[LS_JOB_PATH], *dump = NULL;
    const char *word;
    json_t *value;
    size_t i, size = json_object_size(json) + json_array_size(json);
    if (json_is_number(json) || json_is_boolean(json))
        dump = json_dumps(json, JSON_ENCODE_ANY);
    ls_job_entry *entry = ls_job_entries_add(list, path, dump ? dump : json_string_value(json));
    free(dump); /* jansson's */
    entry->type = json_is_object(json)  ? LS_ENTRY_MAP
                  : json_is_array(json) ? LS_ENTRY_LIST
                                        : LS_ENTRY_TEXT;
    entry->size = (int)size;
    json_object_foreach (json, word, value) {
        snprintf(below, sizeof below, "%.250s.%.250s", path, word);
        add_json(list, below, value);
    }
    json_array_foreach (json, i, value) {
        snprintf(below, sizeof below, "%.400s.%zu", path, i);
        add_json(list, below, value);
    }
}

ls_job *ls_job_from_json(const char *text, const char *where, ls_error *error)
{
    json_error_t problem = {.text = "this is no object"};
    const char *path;
    json_t *value;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!json_is_object(json)) {
        json_decref(json);
        ls_error_set(error, LS_USAGE,
                     "%s: expected a job in JSON, line %d: %s (older checkpoints hold it in YAML, "
                     "which only the program reads: resume once with `lockstep train`)",
                     where, problem.line, problem.text);
        return NULL;
    }
    ls_job_entries *list = ls_alloc(1, sizeof *list);
    json_object_foreach (json, path, value)
        add_json(list, path, value);
    json_decref(json);
    return read_list(list, where, error);
}
