/* job: the job file and its overrides: read into a tree, brought to one form, checked by the
 * schema. */
#include "launch/job/job.h"

#include <errno.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_form.h"
#include "launch/job/job_keys.h"
#include "launch/job/job_schema.h"
#include "launch/job/yaml.h"

enum { FILE_MAX = 1 << 20 };

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

/* Pairs of keys of which one may stand. */
static const char *const either[][2] = {
    {"model", "net"}, {"epochs", "steps"}, {"shards", "accumulate"}};
enum { EITHER = sizeof either / sizeof either[0] };

/* The key that `path` rules out, or NULL: "stages.0.epochs" for "stages.0.steps". */
static const char *other_of(const char *path, char *other, size_t size)
{
    const char *dot = strrchr(path, '.'), *last = dot ? dot + 1 : path;
    for (int i = 0; i < EITHER; i++)
        for (int k = 0; k < 2; k++)
            if (strcmp(last, either[i][k]) == 0) {
                snprintf(other, size, "%.*s%s", (int)(last - path), path, either[i][1 - k]);
                return other;
            }
    return NULL;
}

static void remove_path(ls_yaml *tree, const char *path)
{
    char parent[256];
    const char *dot = strrchr(path, '.');
    snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - path) : 0, path);
    ls_yaml *map = ls_yaml_find(tree, parent);
    if (map)
        ls_yaml_free(ls_yaml_take(map, dot ? dot + 1 : path));
}

/* Keys of a stage may leave out stages.0 where there is one stage only. */
static bool full_path(const ls_yaml *tree, const char *key, char *path, size_t size,
                      ls_error *error)
{
    char first[64];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(key, "."), key);
    bool of_stage = ls_job_key_of_stage(first);
    const ls_yaml *stages = ls_yaml_find(tree, "stages");
    if (of_stage && stages->kind == LS_YAML_LIST && stages->count > 1)
        return ls_error_set(error, LS_USAGE,
                            "command line: %s: this job has %d stages: write stages.0.%s to "
                            "stages.%d.%s",
                            key, stages->count, key, stages->count - 1, key);
    int length = snprintf(path, size, "%s%s", of_stage ? "stages.0." : "", key);
    return (size_t)length < size ||
           ls_error_set(error, LS_USAGE, "command line: the key %.40s... is too long", key);
}

static bool override(ls_yaml *tree, const char *text, ls_error *error)
{
    char key[256], path[256], other[256];
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    if (length == 0 || length >= sizeof key)
        return ls_error_set(error, LS_USAGE,
                            "command line: '%.200s' is no key=value: write for example batch=128",
                            text);
    snprintf(key, sizeof key, "%.*s", (int)length, text);
    if (!full_path(tree, key, path, sizeof path, error))
        return false;
    if (!ls_yaml_put(tree, path, LS_FROM_COMMAND_LINE, equals + 1, error))
        return ls_error_prefix(error, "command line");
    if (other_of(path, other, sizeof other))
        remove_path(tree, other);
    return true;
}

static bool is_given(const ls_yaml *tree, const char *path)
{
    const ls_yaml *at = ls_yaml_find(tree, path);
    return at && at->origin != LS_FROM_DEFAULT;
}

static bool check_pair(const ls_yaml *tree, const char *where, const char *first,
                       const char *second, ls_error *error)
{
    char a[512], b[512];
    if (!is_given(tree, first) || !is_given(tree, second))
        return true;
    return ls_error_set(error, LS_USAGE, "%s and %s: only one of them may stand: take one out",
                        ls_job_place(tree, where, first, a, sizeof a),
                        ls_job_place(tree, where, second, b, sizeof b));
}

static bool check_pairs(const ls_yaml *tree, const char *where, ls_error *error)
{
    const ls_yaml *stages = ls_yaml_find(tree, "stages");
    for (int i = 0; i < stages->count; i++) {
        char epochs[64], steps[64];
        snprintf(epochs, sizeof epochs, "stages.%d.epochs", i);
        snprintf(steps, sizeof steps, "stages.%d.steps", i);
        if (!check_pair(tree, where, epochs, steps, error))
            return false;
    }
    if (!ls_yaml_find(tree, "model") && !ls_yaml_find(tree, "net"))
        return ls_error_set(error, LS_USAGE,
                            "%s: neither 'model' nor 'net' is given: write for example `model: "
                            "lenet classes=10` (`lockstep list models` has them all)",
                            where);
    return check_pair(tree, where, "model", "net", error) &&
           check_pair(tree, where, "shards", "accumulate", error);
}

static ls_job *load(const char *text, size_t length, const char *where, char *const *overrides,
                    int count, ls_error *error)
{
    ls_yaml *tree = ls_yaml_read(text, length, where, error);
    bool ok = tree && ls_job_form_stages(tree, where, error);
    for (int i = 0; ok && i < count; i++)
        ok = override(tree, overrides[i], error);
    if (ok)
        ls_job_form_defaults(tree, where);
    ls_job *job = NULL;
    if (ok && ls_job_form_values(tree, where, error))
        job = ls_job_schema_load(tree, where, error);
    if (job && check_pairs(tree, where, error)) {
        job->path = ls_copy_string(where);
        job->tree = tree;
        return job;
    }
    ls_job_schema_free(job);
    ls_yaml_free(tree);
    return NULL;
}

ls_job *ls_job_load(const char *path, char *const *overrides, int count, ls_error *error)
{
    size_t length;
    char *text = read_file(path, &length, error);
    ls_job *job = text ? load(text, length, path, overrides, count, error) : NULL;
    ls_free(text);
    return job;
}

ls_job *ls_job_parse(const char *text, const char *where, ls_error *error)
{
    return load(text, strlen(text), where, NULL, 0, error);
}

void ls_job_destroy(ls_job *job)
{
    if (!job)
        return;
    ls_free(job->path);
    ls_yaml_free(job->tree);
    ls_job_schema_free(job);
}

const char *ls_job_where(const ls_job *job, const char *key, char *text, size_t size)
{
    return ls_job_place(job->tree, job->path, key, text, size);
}

static void preset(char **text, const char *value)
{
    if (!*text)
        *text = ls_copy_string(value);
}

void ls_job_defaults(ls_job *job, const ls_recipe *recipe)
{
    static const ls_recipe usual = {.objective = "supervised loss=cross-entropy",
                                    .optimizer = "momentum rate=0.01 momentum=0.9",
                                    .schedule = "constant",
                                    .batch = 128,
                                    .epochs = 10};
    const ls_recipe *from = recipe ? recipe : &usual;
    for (int i = 0; i < job->stages; i++) {
        ls_job_stage *stage = &job->stage[i];
        preset(&stage->objective, from->objective);
        preset(&stage->schedule, from->schedule);
        if (stage->optimizers == 0) {
            stage->optimizers = 1;
            preset(&stage->optimizer[0].spec, from->optimizer);
        }
        if (!stage->batch)
            stage->batch = from->batch;
        if (!stage->epochs && !stage->steps)
            stage->epochs = from->epochs;
    }
}
