/* job_form: brings a job's tree to the one form that the schema knows. */
#include "launch/job/job_form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "launch/job/job_keys.h"

/* Where the file has no list of stages: one, of the stage keys that stand at the top. */
bool ls_job_form_stages(ls_yaml *tree, const char *where, ls_error *error)
{
    const ls_yaml *written = ls_yaml_find(tree, "stages");
    ls_yaml *stage = ls_yaml_new(LS_YAML_MAP, LS_FROM_DEFAULT, NULL);
    bool ok = true;
    for (int i = tree->count - 1; ok && i >= 0; i--) {
        ls_yaml *child = tree->child[i];
        if (!ls_job_key_of_stage(child->key))
            continue;
        if (written)
            ok = ls_error_set(error, LS_USAGE,
                              "%s:%d:%d: '%s' stands beside 'stages' (line %d): move it into the "
                              "stage that it belongs to",
                              where, child->key_at.line, child->key_at.column, child->key,
                              written->key_at.line);
        else
            ls_yaml_add(stage, NULL, ls_yaml_take(tree, child->key));
    }
    if (written || !ok) {
        ls_yaml_free(stage);
        return ok;
    }
    ls_yaml *stages = ls_yaml_new(LS_YAML_LIST, LS_FROM_DEFAULT, NULL);
    ls_yaml_add(stages, NULL, stage);
    ls_yaml_add(tree, "stages", stages);
    return true;
}

/* "lenet" of "jobs/lenet.yaml". */
static void base_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = 0;
}

static void put_default(ls_yaml *tree, const char *path, const char *text)
{
    ls_error error = {0};
    if (!ls_yaml_find(tree, path))
        ls_yaml_put(tree, path, LS_FROM_DEFAULT, text, &error); /* in vain where evaluate is a text:
                                                                   the schema says so */
}

void ls_job_form_defaults(ls_yaml *tree, const char *where)
{
    static const struct {
        const char *path, *text;
    } defaults[] = {{"seed", "1"},
                    {"shards", "0"},
                    {"evaluate.every", "1 epoch"},
                    {"evaluate.split", "valid"},
                    {"evaluate.stop_after", "0"},
                    {"checkpoint.every", "1 epoch"},
                    {"checkpoint.keep", "3"}};
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        put_default(tree, defaults[i].path, defaults[i].text);
    char name[256], run[300];
    base_name(where, name, sizeof name);
    snprintf(run, sizeof run, "runs/%s", name);
    put_default(tree, "run", run);
}

/* "2 epochs" into {unit: epochs, count: 2}. */
static bool convert_every(ls_yaml *node)
{
    static const char *const units[][2] = {
        {"epoch", "epochs"}, {"step", "steps"}, {"minute", "minutes"}};
    char number[64], unit[16], junk;
    const char *name = NULL;
    double count = 0;
    if (strcmp(node->text, "never") == 0) {
        name = "never";
        snprintf(number, sizeof number, "0");
    } else {
        if (sscanf(node->text, "%63s %15s %c", number, unit, &junk) != 2 ||
            !ls_parse_double(number, &count) || count <= 0)
            return false;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            if (!strcmp(unit, units[i][0]) || !strcmp(unit, units[i][1]))
                name = units[i][1];
        if (!name || (!strcmp(name, "steps") && (count != floor(count) || count > 1e15)))
            return false;
    }
    node->kind = LS_YAML_MAP;
    ls_yaml_add(node, "unit", ls_yaml_new(LS_YAML_TEXT, node->origin, name));
    ls_yaml_add(node, "count", ls_yaml_new(LS_YAML_TEXT, node->origin, number));
    return true;
}

/* Written out anew: libcyaml would take 010 for 8. */
static bool convert_number(ls_yaml *node, long low, long high)
{
    long number;
    if (!ls_parse_long(node->text, &number) || number < low || number > high)
        return false;
    ls_free(node->text);
    node->text = ls_format("%ld", number);
    return true;
}

/* As 1 or 0. */
static bool convert_switch(ls_yaml *node)
{
    static const char *const words[][2] = {{"false", "true"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int on = 0; on < 2; on++)
            if (strcmp(node->text, words[i][on]) == 0) {
                ls_free(node->text);
                node->text = ls_copy_string(on ? "1" : "0");
                return true;
            }
    return false;
}

static bool is_split(const char *text)
{
    return !strcmp(text, "train") || !strcmp(text, "valid") || !strcmp(text, "test");
}

static bool convert_value(ls_yaml *node, const ls_job_key *key)
{
    if (key->kind == LS_KEY_NESTED || key->kind == LS_KEY_TEXT)
        return true; /* the schema's */
    if (node->kind != LS_YAML_TEXT || node->nothing)
        return false;
    if (key->kind == LS_KEY_NUMBER)
        return convert_number(node, key->low, key->high);
    if (key->kind == LS_KEY_SWITCH)
        return convert_switch(node);
    return key->kind == LS_KEY_EVERY ? convert_every(node) : is_split(node->text);
}

/* Every value below `node`, whose path is `path`. */
static bool convert_values(ls_yaml *tree, ls_yaml *node, const char *path, const char *where,
                           ls_error *error)
{
    for (int i = 0; i < node->count; i++) {
        char below[512];
        const char *own = node->child[i]->key;
        if (own && strchr(own, '.'))
            return ls_job_fail_unknown(tree, where, path, own, error);
        if (node->kind == LS_YAML_LIST)
            snprintf(below, sizeof below, "%s.%d", path, i);
        else
            snprintf(below, sizeof below, "%s%s%.200s", path, *path ? "." : "", own);
        const ls_job_key *key = ls_job_key_find(below);
        if (key && !convert_value(node->child[i], key))
            return ls_job_fail_value(tree, where, below, error);
        if ((!key || key->kind == LS_KEY_NESTED) &&
            !convert_values(tree, node->child[i], below, where, error))
            return false;
    }
    return true;
}

/* `momentum rate=0.1` into [{spec: ...}], and {generator: ...} into [{phase: generator, spec: ...}]
 * with the phase as the member's key too, so that ls_yaml_find knows it by name. */
static bool convert_optimizer(ls_yaml *tree, int stage, const char *where, ls_error *error)
{
    char path[128];
    snprintf(path, sizeof path, "stages.%d.optimizer", stage);
    ls_yaml *node = ls_yaml_find(tree, path);
    if (!node)
        return true;
    if (node->kind == LS_YAML_LIST || node->nothing || (node->kind == LS_YAML_MAP && !node->count))
        return ls_job_fail_value(tree, where, path, error);
    if (node->kind == LS_YAML_TEXT) {
        ls_yaml *only = ls_yaml_new(LS_YAML_MAP, node->origin, NULL);
        ls_yaml_add(only, "spec", ls_yaml_new(LS_YAML_TEXT, node->origin, node->text));
        ls_yaml_add(node, NULL, only);
        node->kind = LS_YAML_LIST;
        return true;
    }
    for (int i = 0; i < node->count; i++) {
        ls_yaml *phase = node->child[i];
        snprintf(path, sizeof path, "stages.%d.optimizer.%.80s", stage, phase->key);
        if (strlen(phase->key) >= LS_WORD || strchr(phase->key, '.'))
            return ls_error_set(error, LS_USAGE, "%s:%d:%d: '%.60s' is no name of a phase", where,
                                phase->key_at.line, phase->key_at.column, phase->key);
        if (phase->kind != LS_YAML_TEXT || phase->nothing)
            return ls_job_fail_value(tree, where, path, error);
        ls_yaml_add(phase, "phase", ls_yaml_new(LS_YAML_TEXT, phase->origin, phase->key));
        ls_yaml_add(phase, "spec", ls_yaml_new(LS_YAML_TEXT, phase->origin, phase->text));
        phase->kind = LS_YAML_MAP;
    }
    node->kind = LS_YAML_LIST;
    return true;
}

bool ls_job_form_values(ls_yaml *tree, const char *where, ls_error *error)
{
    bool ok = convert_values(tree, tree, "", where, error);
    const ls_yaml *stages = ls_yaml_find(tree, "stages");
    for (int i = 0; ok && stages->kind == LS_YAML_LIST && i < stages->count; i++)
        ok = convert_optimizer(tree, i, where, error);
    return ok;
}
