/* job_read: makes a job from a list of entries by the table of keys, and says what is wrong. */
#include "launch/job/job_read.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/net.h"
#include "core/spec.h"
#include "launch/job/job_entries.h"
#include "launch/job/job_keys.h"
#include "launch/job/job_refuse.h"
#include "launch/job/job_stages.h"

enum { EXPECTED = 320, NAMES = 32 };

static const ls_job_key stage_list = {
    .help = "a list of 1 to 256 stages, each with its objective, optimizer, batch ..., or `NUMBER: "
            "{epochs: 3 ...}` for stages of the model"};

/* Below `stages` stand numbers: of a list, or in a map that changes stages of the model. */
static bool is_stage(const char *path)
{
    int number, length = 0;
    return sscanf(path, "stages.%d%n", &number, &length) == 1 && number >= 0 &&
           (!path[length] || path[length] == '.');
}

/* What stands at a path that is no key's: the list of stages, a stage, a map of keys, or a key that
 * is unknown. */
static bool read_map(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char keys[EXPECTED] = "the keys ";
    const char *name[NAMES];
    int count = *entry->path ? ls_job_key_names(entry->path, name, NAMES) : 0;
    const ls_job_entry *stages = ls_job_entries_find(job->entries, "stages");
    if (entry == stages)
        return (entry->type != LS_ENTRY_TEXT && entry->size > 0 && entry->size <= LS_JOB_STAGES) ||
               ls_job_refuse_value(job, entry, &stage_list, error);
    if (stages && strncmp(entry->path, "stages.", 7) == 0 && !is_stage(entry->path))
        return ls_job_refuse_value(job, stages, &stage_list, error);
    if (count == 0)
        return ls_job_refuse_unknown(job, entry, error);
    for (int i = 0; i < count; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", i > 0 ? ", " : "",
                 name[i]);
    const ls_job_key map = {.help = strchr(entry->path, '.') ? "the keys of a stage" : keys};
    return entry->type == LS_ENTRY_MAP || ls_job_refuse_value(job, entry, &map, error);
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
        return ls_job_refuse_unknown(job, entry, error);
    if (!*phase || strlen(phase) >= LS_WORD || strchr(phase, '.'))
        return ls_error_set(error, LS_USAGE, "%s: '%.60s' is no name of a phase",
                            ls_job_refuse_place(job, entry, position, sizeof position), phase);
    optimizer->phase = ls_copy_string(phase);
    stage->optimizers++;
    return (entry->text && ls_job_key_set(&one, &optimizer->spec, entry->text)) ||
           ls_job_refuse_value(job, entry, &one, error);
}

static bool read_optimizer(const ls_job_key *key, const ls_job_entry *entry, ls_job_stage *stage)
{
    if (entry->type == LS_ENTRY_MAP)
        return entry->size > 0 && entry->size <= LS_PHASES;
    stage->optimizers = 1;
    return entry->text && ls_job_key_set(key, &stage->optimizer[0].spec, entry->text);
}

/* One of {encoder: |..., decoder: |...}. Names become parts of the names of parameters. */
static bool read_net(ls_job *job, const ls_job_entry *entry, const char *name, ls_error *error)
{
    static const ls_job_key one = {.help = "spec lines, one layer a line",
                                   .example = "dense units=10"};
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char position[LS_JOB_PATH];
    int i = 0;
    while (i < LS_MODEL_NETS && job->nets[i].name)
        i++;
    if (i == LS_MODEL_NETS)
        return ls_error_set(error, LS_USAGE, "%s: a job has at most %d nets",
                            ls_job_refuse_place(job, entry, position, sizeof position),
                            LS_MODEL_NETS);
    if (!*name || strlen(name) >= LS_WORD || name[strspn(name, letters)])
        return ls_error_set(error, LS_USAGE,
                            "%s: '%.60s' is no name of a net: use at most %d letters, digits, '_' "
                            "and '-'",
                            ls_job_refuse_place(job, entry, position, sizeof position), name,
                            LS_WORD - 1);
    job->nets[i].name = ls_copy_string(name);
    return (entry->text && ls_job_key_set(&one, &job->nets[i].lines, entry->text)) ||
           ls_job_refuse_value(job, entry, &one, error);
}

/* An entry of the job, of no stage. */
static bool read_entry(ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    int stage;
    const char *rest;
    const ls_job_key *key = ls_job_key_at(entry->path, &stage, &rest);
    if (!key)
        return read_map(job, entry, error);
    if (key->kind == LS_KEY_NETS && *rest)
        return read_net(job, entry, rest + 1, error);
    bool ok = key->kind == LS_KEY_NETS
                  ? entry->type == LS_ENTRY_MAP && entry->size > 0
                  : entry->text && ls_job_key_set(key, ls_job_key_member(key, job, 0), entry->text);
    return ok || ls_job_refuse_value(job, entry, key, error);
}

/* Whether one of two paths is the other, or stands inside of it. */
static bool same_branch(const char *a, const char *b)
{
    size_t length = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return strncmp(a, b, length) == 0 && strchr(".", a[length]) && strchr(".", b[length]);
}

/* Whether something stands at stages.N.REST that takes the place of what stands at REST. */
static bool has_own(const ls_job *job, int stage, const char *rest)
{
    char path[LS_JOB_PATH];
    snprintf(path, sizeof path, "stages.%d.%s", stage, rest);
    for (int i = 0; i < job->entries->count; i++)
        if (job->entries->entry[i].type == LS_ENTRY_TEXT &&
            same_branch(job->entries->entry[i].path, path))
            return true;
    return false;
}

static bool takes_top(const ls_job *job, int stage, const ls_job_key *key, const char *path)
{
    bool takes = !has_own(job, stage, path);
    for (int i = 0; key->excludes[i]; i++)
        takes = takes && !has_own(job, stage, key->excludes[i]);
    return takes;
}

/* The job has no such stage, or several of which this key does not tell one. */
static bool fail_number(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char where[LS_JOB_PATH];
    const char *key = entry->path;
    if (strncmp(key, "stages.", 7) == 0 && strchr(key + 7, '.'))
        key = strchr(key + 7, '.') + 1;
    ls_job_where(job, entry->path, where, sizeof where);
    if (job->stages == 1)
        return ls_error_set(error, LS_USAGE, "%s: this job has one stage: write stages.0.%s", where,
                            key);
    return ls_error_set(error, LS_USAGE,
                        "%s: this job's stages have the numbers 0 to %d: write for example "
                        "stages.0.%s",
                        where, job->stages - 1, key);
}

static bool set_in_stage(ls_job *job, const ls_job_entry *entry, const ls_job_key *key, int stage,
                         const char *rest, ls_error *error)
{
    if (*rest)
        return read_phase(job, entry, rest + 1, &job->stage[stage], error);
    bool ok =
        key->kind == LS_KEY_OPTIMIZER
            ? read_optimizer(key, entry, &job->stage[stage])
            : entry->text && ls_job_key_set(key, ls_job_key_member(key, job, stage), entry->text);
    return ok || ls_job_refuse_value(job, entry, key, error);
}

/* An entry of a stage, or one at the top, which all stages take that have none of their own. */
static bool read_stage_entry(ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    int number;
    char a[LS_JOB_PATH], b[LS_JOB_PATH];
    const char *rest;
    const ls_job_key *key = ls_job_key_at(entry->path, &number, &rest);
    const ls_job_entry *own = ls_job_entries_find(job->entries, "stages");
    bool top = strncmp(entry->path, "stages.", 7) != 0;
    if (top && own && own->type == LS_ENTRY_LIST && entry->origin == LS_FROM_COMMAND_LINE)
        return fail_number(job, entry, error);
    if (top && own && own->type == LS_ENTRY_LIST)
        return ls_error_set(error, LS_USAGE,
                            "%s: '%s' stands beside 'stages' (%s): move it into the stage that it "
                            "belongs to",
                            ls_job_refuse_place(job, entry, a, sizeof a), ls_job_refuse_word(entry),
                            ls_job_refuse_place(job, own, b, sizeof b));
    if (key && number >= job->stages)
        return fail_number(job, entry, error);
    if (!key)
        return read_map(job, entry, error);
    bool ok = true;
    for (int i = number; ok && i < (top ? job->stages : number + 1); i++)
        if (!top || takes_top(job, i, key, entry->path))
            ok = set_in_stage(job, entry, key, i, rest, error);
    return ok;
}

/* The first entry at a path or inside of it; NULL: there is none. */
static const ls_job_entry *find_below(const ls_job_entries *list, const char *path)
{
    size_t length = strlen(path);
    for (int i = 0; i < list->count; i++)
        if (strncmp(list->entry[i].path, path, length) == 0 &&
            strchr(".", list->entry[i].path[length]))
            return &list->entry[i];
    return NULL;
}

/* `unroll=0` leaves out that of the file. */
static bool is_left_out(const ls_job_entry *entry)
{
    int stage;
    const char *rest;
    const ls_job_key *key = ls_job_key_at(entry->path, &stage, &rest);
    return key && key->conflicts && key->preset && entry->text &&
           strcmp(entry->text, key->preset) == 0;
}

/* Of two keys that exclude each other, that of the file is taken out by `key=`, if that of the
 * command line does not do it by itself. */
static bool refuse_both(const ls_job *job, const ls_job_entry *entry, const ls_job_entry *other,
                        ls_error *error)
{
    int stage;
    const char *rest;
    char a[LS_JOB_PATH], b[LS_JOB_PATH], way[LS_JOB_PATH + 32] = "";
    const ls_job_entry *of_file = entry->origin == LS_FROM_COMMAND_LINE ? other : entry;
    const ls_job_key *key = ls_job_key_at(of_file->path, &stage, &rest);
    if (key && key->conflicts && entry->origin != other->origin)
        snprintf(way, sizeof way, ", as by `%s=`", of_file->path);
    return ls_error_set(error, LS_USAGE, "%s and %s: only one of them may stand: take one out%s",
                        ls_job_where(job, entry->path, a, sizeof a),
                        ls_job_where(job, other->path, b, sizeof b), way);
}

/* No key stands beside the entry that excludes it. */
static bool check_excluded(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char path[LS_JOB_PATH];
    for (int i = 0; ls_job_key_excluded(entry->path, i, path, sizeof path); i++) {
        const ls_job_entry *other = find_below(job->entries, path);
        if (other && !is_left_out(other) && !is_left_out(entry))
            return refuse_both(job, entry, other, error);
    }
    return true;
}

/* Whether the entry is one of a stage, or of all stages, or stands inside of one. */
static bool is_of_stage(const ls_job_entry *entry)
{
    int stage;
    char part[LS_JOB_PATH];
    const char *rest;
    snprintf(part, sizeof part, "%.*s", (int)strcspn(entry->path, "."), entry->path);
    const ls_job_key *key = ls_job_key_at(part, &stage, &rest);
    return key ? ls_job_key_in_stage(key) : strncmp(entry->path, "stages.", 7) == 0;
}

/* Reads the entries of stages, or all others. */
static bool read_entries(ls_job *job, bool stages, ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < job->entries->count; i++) {
        const ls_job_entry *entry = &job->entries->entry[i];
        if (is_of_stage(entry) == stages)
            ok = (stages ? read_stage_entry : read_entry)(job, entry, error) &&
                 check_excluded(job, entry, error);
    }
    return ok;
}

/* Of the keys with the number of this one, one is given. */
static bool has_needed(const ls_job *job, const ls_job_key *needed)
{
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->needed == needed->needed && find_below(job->entries, key->name))
            return true;
    return false;
}

/* `key` is the first of the keys of which one must be given. */
static bool fail_missing(const ls_job *job, const ls_job_key *key, ls_error *error)
{
    char names[EXPECTED] = "", expected[EXPECTED];
    bool several = false;
    for (const ls_job_key *other = key + 1; other->name; other++)
        if (other->needed == key->needed) {
            snprintf(names + strlen(names), sizeof names - strlen(names), " nor '%s'", other->name);
            several = true;
        }
    return ls_error_set(
        error, LS_USAGE, "%s: %s '%s'%s is %s: expected %s; write for example `%s: %s`", job->path,
        several ? "neither" : "the key", key->name, names, several ? "given" : "missing",
        ls_job_key_expected(key, expected, sizeof expected), key->name, key->example);
}

static bool check_needed(const ls_job *job, ls_error *error)
{
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->needed && !has_needed(job, key))
            return fail_missing(job, key, error);
    return true;
}

/* Once the model is known: how many stages there are, what each says, and what the model says. */
static bool read_stages(ls_job *job, ls_error *error)
{
    ls_recipe_list list;
    if (!ls_job_stages_default(job, &list, error))
        return false;
    job->stages = ls_job_stages_count(job, &list);
    job->stage = ls_alloc((size_t)job->stages, sizeof *job->stage);
    bool ok = read_entries(job, true, error);
    if (ok)
        ls_job_stages_fill(job, &list);
    ls_model_release_stages(&list);
    return ok;
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
    if (!ls_job_key_set(key, ls_job_key_member(key, job, 0), text)) { /* the name is not UTF-8 */
        for (char *c = text; *c; c++)
            *c = (unsigned char)*c < 0x80 ? *c : '_';
        ls_job_key_set(key, ls_job_key_member(key, job, 0), text);
    }
    ls_free(text);
}

/* Spec lines are kept without aliases: so they are saved, and compared on resume. */
static void make_canonical(const char **lines)
{
    if (!*lines)
        return;
    char *text = ls_net_canonical(*lines);
    ls_free((char *)*lines);
    *lines = text;
}

ls_job *ls_job_read(ls_job_entries *list, const char *where, ls_error *error)
{
    ls_job *job = ls_alloc(1, sizeof *job);
    *job = (ls_job){.path = ls_copy_string(where), .entries = list};
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->preset && !ls_job_key_in_stage(key))
            put_default(job, key);
    const bool ok =
        read_entries(job, false, error) && check_needed(job, error) && read_stages(job, error);
    make_canonical(&job->net);
    for (int i = 0; i < LS_MODEL_NETS; i++)
        make_canonical(&job->nets[i].lines);
    if (ok)
        return job;
    ls_job_destroy(job);
    return NULL;
}

/* A job without a file: where its keys stood is forgotten, and its stages are all that it has. */
static ls_job *read_list(ls_job_entries *list, const char *where, ls_error *error)
{
    int stages = ls_job_entries_stages(list);
    if (stages > 0 && !ls_job_entries_find(list, "stages")) {
        ls_job_entry *entry = ls_job_entries_add(list, "stages", NULL);
        entry->type = LS_ENTRY_LIST;
        entry->size = stages;
    }
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
