/* job_keys: the table of a job's keys, and the reading and writing of one value. */
#include "launch/job/job_keys.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"
#include "io/dataset.h"

enum { MANY = 1000000000 }; /* so high a limit is none to a person: messages leave it out */

#define JOB(member) offsetof(ls_job, member)
#define STAGE(member) offsetof(ls_job_stage, member)

static const char other_net[] = "the parameters belong to another net";

/* A line a key: map, name, kind, member, help, example, and by name what else holds for it
 * (job_keys.h explains the columns). */
const ls_job_key ls_job_keys[] = {
    {LS_IN_JOB, "data", LS_KEY_TEXT, JOB(data), "the path of a data set file", "fashion.h5",
     .required = true},
    {LS_IN_JOB, "run", LS_KEY_TEXT, JOB(run), "the directory for all that the run writes",
     "runs/lenet", .preset = "runs/NAME"},
    {LS_IN_JOB, "model", LS_KEY_TEXT, JOB(model), "a model, as `lockstep list models` has them",
     "lenet classes=10", .change = LS_CHANGE_NEVER, .why = other_net, .required = true,
     .excludes = "net"},
    {LS_IN_JOB, "net", LS_KEY_TEXT, JOB(net), "spec lines, one layer a line", "dense units=10",
     .change = LS_CHANGE_NEVER, .why = other_net, .required = true, .excludes = "model"},
    {LS_IN_JOB, "transform", LS_KEY_TEXT, JOB(transform),
     "what is done to each row, a line each, as `lockstep list transforms` has them", "flip",
     .change = LS_CHANGE_NOTICE},
    {LS_IN_JOB, "exact_conv", LS_KEY_SWITCH, JOB(exact_conv),
     "true: convolutions by plain sums, without Winograd's transforms", "true", .preset = "false",
     .change = LS_CHANGE_NOTICE},
    {LS_IN_JOB, "seed", LS_KEY_NUMBER, JOB(seed), NULL, "1", .preset = "1", .low = 0,
     .high = LONG_MAX, .change = LS_CHANGE_NEVER, .why = "the seed decides what every step draws"},
    {LS_IN_JOB, "shards", LS_KEY_NUMBER, JOB(shards), "0: as many as ranks", "4", .preset = "0",
     .low = 0, .high = 65536, .change = LS_CHANGE_NOTED, .excludes = "accumulate"},
    {LS_IN_JOB, "accumulate", LS_KEY_NUMBER, JOB(accumulate),
     "shards that each rank sums before a step, at the run's first start", "2", .low = 1,
     .high = 65536, .change = LS_CHANGE_NOTED, .excludes = "shards"},
    {LS_IN_STAGE, "objective", LS_KEY_TEXT, STAGE(objective),
     "an objective, as `lockstep list objectives` has them", "supervised loss=cross-entropy",
     .change = LS_CHANGE_LATER_STAGE, .why = "the running stage keeps its objective"},
    {LS_IN_STAGE, "optimizer", LS_KEY_OPTIMIZER, STAGE(optimizer),
     "an optimizer, as `lockstep list optimizers` has them, or `phase: optimizer` for each of at "
     "most 8 phases",
     "momentum rate=0.05 momentum=0.9", .change = LS_CHANGE_OPTIONS},
    {LS_IN_STAGE, "schedule", LS_KEY_TEXT, STAGE(schedule),
     "a schedule, as `lockstep list schedules` has them", "cosine warmup=1",
     .change = LS_CHANGE_NOTICE},
    {LS_IN_STAGE, "batch", LS_KEY_NUMBER, STAGE(batch), "rows over all ranks", "128", .low = 1,
     .high = MANY, .change = LS_CHANGE_NOTICE},
    {LS_IN_STAGE, "epochs", LS_KEY_NUMBER, STAGE(epochs), "passes over the training rows", "12",
     .low = 1, .high = MANY, .excludes = "steps"},
    {LS_IN_STAGE, "steps", LS_KEY_NUMBER, STAGE(steps), "batches", "5000", .low = 1, .high = MANY,
     .excludes = "epochs"},
    {LS_IN_EVALUATE, "every", LS_KEY_EVERY, JOB(evaluate.every), NULL, "1 epoch",
     .preset = "1 epoch"},
    {LS_IN_EVALUATE, "split", LS_KEY_SPLIT, JOB(evaluate.split), NULL, "valid", .preset = "valid",
     .change = LS_CHANGE_NOTED},
    {LS_IN_EVALUATE, "stop_after", LS_KEY_NUMBER, JOB(evaluate.stop_after),
     "evaluations without a better one before training stops; 0: never stop early", "5",
     .preset = "0", .low = 0, .high = MANY},
    {LS_IN_EVALUATE, "metric", LS_KEY_TEXT, JOB(evaluate.metric),
     "the metric that decides what is best; unless given, the objective's first", .example = "loss",
     .change = LS_CHANGE_NOTED},
    {LS_IN_EVALUATE, "average", LS_KEY_SWITCH, JOB(evaluate.average),
     "true: judge the moving average of the weights, of an optimizer with ema=", "true",
     .preset = "false", .change = LS_CHANGE_NOTED},
    {LS_IN_CHECKPOINT, "every", LS_KEY_EVERY, JOB(checkpoint.every), NULL, "1 epoch",
     .preset = "1 epoch"},
    {LS_IN_CHECKPOINT, "keep", LS_KEY_NUMBER, JOB(checkpoint.keep), "newest checkpoints that stay",
     "3", .preset = "3", .low = 1, .high = MANY},
    {.name = NULL},
};

static const char *const map_names[LS_JOB_MAPS] = {"", "stages", "evaluate", "checkpoint"};

ls_job_map ls_job_map_find(const char *name)
{
    int map = LS_JOB_MAPS - 1;
    while (map > LS_IN_JOB && strcmp(map_names[map], name) != 0)
        map--;
    return (ls_job_map)map;
}

const char *ls_job_map_path(ls_job_map map, int stage, char *text, size_t size)
{
    if (map == LS_IN_STAGE)
        snprintf(text, size, "stages.%d", stage);
    else
        snprintf(text, size, "%s", map_names[map]);
    return text;
}

const ls_job_key *ls_job_key_find(ls_job_map map, const char *name)
{
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (key->map == map && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const ls_job_key *ls_job_key_at(const char *path, int *stage)
{
    char map[32];
    int length = 0;
    *stage = 0;
    if (sscanf(path, "stages.%d.%n", stage, &length) == 1 && length)
        return ls_job_key_find(LS_IN_STAGE, path + length);
    const char *dot = strchr(path, '.');
    snprintf(map, sizeof map, "%.*s", dot ? (int)(dot - path) : 0, path);
    return ls_job_key_find(ls_job_map_find(map), dot ? dot + 1 : path);
}

const char *ls_job_key_path(const ls_job_key *key, int stage, char *text, size_t size)
{
    char map[32];
    bool at_top = key->map == LS_IN_JOB || (key->map == LS_IN_STAGE && stage < 0);
    ls_job_map_path(key->map, stage, map, sizeof map);
    snprintf(text, size, "%s%s%s", at_top ? "" : map, at_top ? "" : ".", key->name);
    return text;
}

int ls_job_key_copies(const ls_job_key *key, const ls_job *job)
{
    return key->map == LS_IN_STAGE ? job->stages : 1;
}

int ls_job_key_names(ls_job_map map, const char *name[], int room)
{
    int count = 0;
    for (const ls_job_key *key = ls_job_keys; key->name && count < room - 1; key++) {
        bool begins = key > ls_job_keys && key->map != key[-1].map;
        if (map == LS_IN_JOB && begins)
            name[count++] = map_names[key->map];
        if (key->map == map || (map == LS_IN_JOB && key->map == LS_IN_STAGE))
            name[count++] = key->name;
    }
    return count;
}

static void describe_number(const ls_job_key *key, char *text, size_t size)
{
    int used = key->high < MANY
                   ? snprintf(text, size, "a whole number from %ld to %ld", key->low, key->high)
                   : snprintf(text, size, "a whole number, %ld or more", key->low);
    if (key->help)
        snprintf(text + used, size - (size_t)used, " (%s)", key->help);
}

const char *ls_job_key_expected(const ls_job_key *key, char *text, size_t size)
{
    if (key->kind == LS_KEY_NUMBER)
        describe_number(key, text, size);
    else if (key->kind == LS_KEY_SWITCH)
        snprintf(text, size, "true or false (%s)", key->help);
    else if (key->kind == LS_KEY_SPLIT)
        snprintf(text, size, "a split of the data: train, valid or test");
    else if (key->kind == LS_KEY_EVERY)
        snprintf(text, size,
                 "'N epochs', 'N steps', 'N minutes' (N above 0, steps whole) or 'never'");
    else
        snprintf(text, size, "%s", key->help);
    return text;
}

const char *ls_job_key_rules(const ls_job_key *key, char *text, size_t size)
{
    static const char *const changes[] = {
        [LS_CHANGE_FREE] = "May change on resume.",
        [LS_CHANGE_NOTICE] = "May change on resume, with a notice.",
        [LS_CHANGE_NOTED] = "May change on resume, with a notice.",
        [LS_CHANGE_LATER_STAGE] = "May change on resume for stages that have not begun.",
        [LS_CHANGE_OPTIONS] = "Its options may change on resume, with a notice.",
        [LS_CHANGE_NEVER] = "May not change on resume."};
    const char *preset = key->preset               ? key->preset
                         : key->map == LS_IN_STAGE ? "the model's own"
                                                   : "none";
    int used = key->required ? snprintf(text, size, "Must be given")
                             : snprintf(text, size, "Default: %s", preset);
    if (key->excludes)
        used += snprintf(text + used, size - (size_t)used, "%s %s",
                         key->required ? ", or" : "; not beside", key->excludes);
    snprintf(text + used, size - (size_t)used, ". %s", changes[key->change]);
    return text;
}

void *ls_job_key_member(const ls_job_key *key, const ls_job *job, int stage)
{
    char *base = key->map == LS_IN_STAGE ? (char *)&job->stage[stage] : (char *)job;
    return base + key->offset;
}

/* In UTF-8, and at least one letter. */
static bool set_text(const ls_job_key *key, void *member, const char *text)
{
    json_t *utf8 = json_string(text);
    json_decref(utf8);
    if (!utf8 || !*text)
        return false;
    ls_free(*(char **)member);
    *(char **)member = ls_copy_string(text);
    return true;
}

static bool set_split(const ls_job_key *key, void *member, const char *text)
{
    return ls_split_find(text) != LS_SPLITS && set_text(key, member, text);
}

static bool set_number(const ls_job_key *key, void *member, const char *text)
{
    long number;
    if (!ls_parse_long(text, &number) || number < key->low || number > key->high)
        return false;
    *(long *)member = number;
    return true;
}

static bool set_switch(const ls_job_key *key, void *member, const char *text)
{
    bool on = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool off = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (on || off)
        *(long *)member = on;
    return on || off;
}

static const char *const units[] = {
    [LS_EVERY_EPOCHS] = "epoch", [LS_EVERY_STEPS] = "step", [LS_EVERY_MINUTES] = "minute"};

static bool set_every(const ls_job_key *key, void *member, const char *text)
{
    char number[64], unit[16], junk;
    ls_every every = {LS_EVERY_NEVER, 0};
    if (strcmp(text, "never") != 0) {
        if (sscanf(text, "%63s %15s %c", number, unit, &junk) != 2 ||
            !ls_parse_double(number, &every.count) || every.count <= 0)
            return false;
        size_t length = strlen(unit);
        if (unit[length - 1] == 's')
            unit[length - 1] = 0;
        every.unit = LS_EVERY_MINUTES;
        while (every.unit > LS_EVERY_NEVER && strcmp(unit, units[every.unit]) != 0)
            every.unit--;
        bool steps = every.unit == LS_EVERY_STEPS;
        if (every.unit == LS_EVERY_NEVER ||
            (steps && (every.count != floor(every.count) || every.count > 1e15)))
            return false;
    }
    *(ls_every *)member = every;
    return true;
}

static char *get_text(const ls_job_key *key, const void *member)
{
    return ls_copy_string(*(char *const *)member);
}

static char *get_number(const ls_job_key *key, const void *member)
{
    long number = *(const long *)member;
    bool unset = number == 0 && (key->low > 0 || (key->preset && strcmp(key->preset, "0") == 0));
    return unset ? NULL : ls_format("%ld", number);
}

static char *get_switch(const ls_job_key *key, const void *member)
{
    return *(const long *)member ? ls_copy_string("true") : NULL;
}

static char *get_every(const ls_job_key *key, const void *member)
{
    const ls_every *every = member;
    char count[32];
    double back;
    if (every->unit <= LS_EVERY_NEVER)
        return ls_copy_string(every->unit == LS_EVERY_NEVER ? "never" : NULL);
    for (int digits = 6; digits <= 17; digits++) { /* as few as bring the same number back */
        snprintf(count, sizeof count, "%.*g", digits, every->count);
        if (ls_parse_double(count, &back) && back == every->count)
            break;
    }
    return ls_format("%s %s%s", count, units[every->unit], every->count == 1 ? "" : "s");
}

static const struct {
    bool (*set)(const ls_job_key *key, void *member, const char *text);
    char *(*get)(const ls_job_key *key, const void *member);
} kinds[] = {[LS_KEY_TEXT] = {set_text, get_text},       [LS_KEY_NUMBER] = {set_number, get_number},
             [LS_KEY_SWITCH] = {set_switch, get_switch}, [LS_KEY_EVERY] = {set_every, get_every},
             [LS_KEY_SPLIT] = {set_split, get_text},     [LS_KEY_OPTIMIZER] = {set_text, NULL}};

bool ls_job_key_set(const ls_job_key *key, void *member, const char *text)
{
    return kinds[key->kind].set(key, member, text);
}

char *ls_job_key_get(const ls_job_key *key, const ls_job *job, int stage)
{
    char *(*get)(const ls_job_key *key, const void *member) = kinds[key->kind].get;
    return get ? get(key, ls_job_key_member(key, job, stage)) : NULL;
}
