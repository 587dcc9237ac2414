/* job_keys: the table of a job file's keys, and messages from it. */
#include "launch/job/job_keys.h"

#include <limits.h>
#include <string.h>

#include "core/spec.h"

enum { MANY = 1000000000 };
static const char every_text[] =
    "'N epochs', 'N steps', 'N minutes' (N above 0, steps whole) or 'never'";

const ls_job_key ls_job_keys[] = {
    {"data", LS_KEY_TEXT, 0, 0, "the path of a data set file", "fashion.h5"},
    {"run", LS_KEY_TEXT, 0, 0, "the directory for all that the run writes", "runs/lenet"},
    {"model", LS_KEY_TEXT, 0, 0, "a model, as `lockstep list models` has them", "lenet classes=10"},
    {"net", LS_KEY_TEXT, 0, 0, "spec lines, one layer a line", "dense units=10"},
    {"transform", LS_KEY_TEXT, 0, 0,
     "what is done to each row, a line each, as `lockstep list transforms` has them", "flip"},
    {"exact_conv", LS_KEY_SWITCH, 0, 0,
     "true for convolutions by plain sums, without Winograd's transforms, else false", "true"},
    {"seed", LS_KEY_NUMBER, 0, LONG_MAX, "a whole number, 0 or more", "1"},
    {"shards", LS_KEY_NUMBER, 0, 65536, "a whole number from 0 to 65536 (0: as many as ranks)",
     "4"},
    {"accumulate", LS_KEY_NUMBER, 1, 65536,
     "a whole number, 1 or more: shards that each rank sums before a step", "2"},
    {"stages", LS_KEY_NESTED, 0, 0,
     "a list of 1 to 256 stages, each with its objective, optimizer, batch ...", NULL},
    {"stages.*", LS_KEY_NESTED, 0, 0, "the keys of a stage", NULL},
    {"stages.*.objective", LS_KEY_TEXT, 0, 0,
     "an objective, as `lockstep list objectives` has them", "supervised loss=cross-entropy"},
    {"stages.*.optimizer", LS_KEY_TEXT, 0, 0,
     "an optimizer, as `lockstep list optimizers` has them, or `phase: optimizer` for each of at "
     "most 8 phases",
     "momentum rate=0.05 momentum=0.9"},
    {"stages.*.optimizer.*", LS_KEY_TEXT, 0, 0,
     "an optimizer, as `lockstep list optimizers` has them", "adam rate=0.001"},
    {"stages.*.schedule", LS_KEY_TEXT, 0, 0, "a schedule, as `lockstep list schedules` has them",
     "cosine warmup=1"},
    {"stages.*.batch", LS_KEY_NUMBER, 1, MANY, "a whole number, 1 or more (rows over all ranks)",
     "128"},
    {"stages.*.epochs", LS_KEY_NUMBER, 1, MANY, "a whole number, 1 or more", "12"},
    {"stages.*.steps", LS_KEY_NUMBER, 1, MANY, "a whole number, 1 or more", "5000"},
    {"evaluate", LS_KEY_NESTED, 0, 0, "the keys every, split, stop_after, metric, average", NULL},
    {"evaluate.every", LS_KEY_EVERY, 0, 0, every_text, "1 epoch"},
    {"evaluate.split", LS_KEY_SPLIT, 0, 0, "a split of the data: train, valid or test", "valid"},
    {"evaluate.stop_after", LS_KEY_NUMBER, 0, MANY,
     "a whole number of evaluations (0: never stop early)", "5"},
    {"evaluate.metric", LS_KEY_TEXT, 0, 0, "the metric that decides what is best", "loss"},
    {"evaluate.average", LS_KEY_SWITCH, 0, 0,
     "true to judge the moving average of the weights (an optimizer with ema=), else false",
     "true"},
    {"checkpoint", LS_KEY_NESTED, 0, 0, "the keys every, keep", NULL},
    {"checkpoint.every", LS_KEY_EVERY, 0, 0, every_text, "1 epoch"},
    {"checkpoint.keep", LS_KEY_NUMBER, 1, MANY, "a whole number, 1 or more", "3"},
    {NULL, LS_KEY_TEXT, 0, 0, NULL, NULL},
};

static bool match(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '*') {
            pattern++;
            path += strcspn(path, ".");
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == *path;
}

const ls_job_key *ls_job_key_find(const char *path)
{
    for (const ls_job_key *key = ls_job_keys; key->path; key++)
        if (match(key->path, path))
            return key;
    return NULL;
}

bool ls_job_key_of_stage(const char *word)
{
    char path[LS_WORD + 16];
    snprintf(path, sizeof path, "stages.0.%s", word);
    return !strchr(word, '.') && ls_job_key_find(path);
}

/* As the writer of the file knows the key: the only stage's keys may stand at the top. */
static const char *shown(const ls_yaml *tree, const char *path)
{
    static const char only[] = "stages.0.";
    const ls_yaml *stages = ls_yaml_find(tree, "stages");
    bool at_top = stages && stages->origin == LS_FROM_DEFAULT;
    return at_top && strncmp(path, only, strlen(only)) == 0 ? path + strlen(only) : path;
}

const char *ls_job_place(const ls_yaml *tree, const char *where, const char *path, char *text,
                         size_t size)
{
    const ls_yaml *at = ls_yaml_find(tree, path);
    if (at && at->origin == LS_FROM_COMMAND_LINE)
        snprintf(text, size, "command line: %s", shown(tree, path));
    else if (at && at->origin == LS_FROM_FILE)
        snprintf(text, size, "%s:%d:%d: %s", where, at->at.line, at->at.column, shown(tree, path));
    else
        snprintf(text, size, "%s: %s (default)", where, shown(tree, path));
    return text;
}

bool ls_job_fail_value(const ls_yaml *tree, const char *where, const char *path, ls_error *error)
{
    char place[512], found[80];
    const ls_yaml *at = ls_yaml_find(tree, path);
    const ls_job_key *key = ls_job_key_find(path);
    ls_job_place(tree, where, path, place, sizeof place);
    snprintf(found, sizeof found, "something else");
    if (at)
        ls_yaml_what(at, found, sizeof found);
    if (!key->example)
        return ls_error_set(error, LS_USAGE, "%s: expected %s, found %s", place, key->expected,
                            found);
    const char *leaf = shown(tree, path);
    bool command = at && at->origin == LS_FROM_COMMAND_LINE;
    if (!command && strrchr(leaf, '.'))
        leaf = strrchr(leaf, '.') + 1;
    return ls_error_set(error, LS_USAGE,
                        "%s: expected %s, found %s; write for example `%s%s%s%s%s`", place,
                        key->expected, found, leaf, command ? "=" : ": ",
                        command && strchr(key->example, ' ') ? "\"" : "", key->example,
                        command && strchr(key->example, ' ') ? "\"" : "");
}

/* The keys that may stand in the map at `path`: their last words, into name[]. The number of them.
 * The keys of a stage may stand at the top. */
static int keys_of(const char *path, const char *name[], int room)
{
    int count = 0;
    for (const ls_job_key *key = ls_job_keys; key->path && count < room; key++) {
        const char *dot = strrchr(key->path, '.');
        const char *last = dot ? dot + 1 : key->path;
        char parent[LS_WORD * 2];
        snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - key->path) : 0, key->path);
        bool here = match(parent, path) || (!*path && strcmp(parent, "stages.*") == 0);
        if (here && *last != '*')
            name[count++] = last;
    }
    return count;
}

/* The whole path of a key whose last word is `word`, in some other map; NULL: there is none. */
static const char *elsewhere(const char *word)
{
    for (const ls_job_key *key = ls_job_keys; key->path; key++) {
        const char *dot = strrchr(key->path, '.');
        if (dot && strcmp(dot + 1, word) == 0)
            return key->path;
    }
    return NULL;
}

bool ls_job_fail_unknown(const ls_yaml *tree, const char *where, const char *path, const char *word,
                         ls_error *error)
{
    char full[512], place[512] = "command line";
    snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", word);
    const ls_yaml *map = ls_yaml_find(tree, path);
    for (int i = 0; map && i < map->count; i++)
        if (map->child[i]->key && !strcmp(map->child[i]->key, word) &&
            map->child[i]->origin == LS_FROM_FILE)
            snprintf(place, sizeof place, "%s:%d:%d", where, map->child[i]->key_at.line,
                     map->child[i]->key_at.column);
    ls_error_set(error, LS_USAGE, "%s: unknown key '%s'", place, shown(tree, full));

    const char *name[32];
    int count = keys_of(path, name, 32);
    const char *near = ls_nearest(word, name, count, sizeof name[0]);
    const char *other = elsewhere(word);
    size_t used = strlen(error->text), size = sizeof error->text;
    if (strchr(word, '.'))
        used += (size_t)snprintf(error->text + used, size - used,
                                 ": dots are for the command line: here a key stands on a line "
                                 "below its map's.");
    else if (other || near)
        used += (size_t)snprintf(error->text + used, size - used, ": did you mean '%s'?",
                                 other ? other : near);
    else
        used += (size_t)snprintf(error->text + used, size - used, ".");
    used += (size_t)snprintf(error->text + used, size - used, " Known here:");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(error->text + used, size - used, " %s", name[i]);
    return false;
}

bool ls_job_fail_missing(const char *where, const char *path, ls_error *error)
{
    const ls_job_key *key = ls_job_key_find(path);
    return ls_error_set(error, LS_USAGE,
                        "%s: the key '%s' is missing: expected %s; write for example `%s: %s`",
                        where, path, key->expected, path, key->example);
}
