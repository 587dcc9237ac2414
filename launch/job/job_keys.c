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
#include "launch/job/job_entries.h"

enum { MANY = 1000000000 }; /* so high a limit is none to a person: messages leave it out */

/* The first columns: map, name and member; then kind and range. */
#define JOB(member) "", #member, offsetof(ls_job, member)
#define STAGE(member) "stages", #member, offsetof(ls_job_stage, member)
#define EVALUATE(member) "evaluate", #member, offsetof(ls_job, evaluate.member)
#define CHECKPOINT(member) "checkpoint", #member, offsetof(ls_job, checkpoint.member)
#define SAMPLES(member) "samples", #member, offsetof(ls_job, samples.member)
#define TEXT LS_KEY_TEXT, 0, 0
#define SWITCH LS_KEY_SWITCH, 0, 1
#define NUMBER(low, high) LS_KEY_NUMBER, low, high
#define REAL(low, high) LS_KEY_REAL, low, high

/* The last columns: what may change on resume. */
#define FREE .change = LS_CHANGE_FREE
#define NOTICE .change = LS_CHANGE_NOTICE
#define NOTED .change = LS_CHANGE_NOTED
#define NEVER(reason) .change = LS_CHANGE_NEVER, .why = reason
#define OTHER_NET                                                                                  \
    NEVER("a run keeps the lines of its nets (--weights CHECKPOINT begins another run with its "   \
          "parameters)")

enum { DATA = 1, NET }; /* what a job needs: ls_job_key.needed */

/* A line a key: map, name, member; kind, range; default, example, help; what may change on resume,
 * and by name what else holds for it (ls_job_key in job_keys.h explains the columns). */
const ls_job_key ls_job_keys[] = {
    {JOB(data), TEXT, NULL, "fashion.h5", "the path of a data set file", FREE, .needed = DATA},
    {JOB(run), TEXT, "runs/NAME", "runs/lenet", "the directory for all that the run writes", FREE},
    {JOB(model), TEXT, NULL, "lenet classes=10", "a model, as `lockstep list models` has them",
     OTHER_NET, .needed = NET, .excludes = {"net"}},
    {JOB(net), TEXT, NULL, "dense units=10", "spec lines, one layer a line", OTHER_NET,
     .needed = NET, .excludes = {"model", "nets"}},
    {JOB(nets), LS_KEY_NETS, 0, 0, NULL, "{encoder: dense units=20, decoder: dense units=784}",
     "`name: spec lines` for each of at most 4 nets; beside model: they replace the model's nets "
     "of "
     "these names",
     OTHER_NET, .needed = NET, .excludes = {"net"}},
    {JOB(transform), TEXT, NULL, "flip",
     "what is done to each row, a line each, as `lockstep list transforms` has them", NOTICE,
     .excludes = {"unroll"}, .conflicts = true},
    {JOB(unroll), NUMBER(0, MANY), "0", "64",
     "x is a stream of tokens, which this cuts into rows of so many steps; 0: x has rows",
     NEVER("rows of other steps make other epochs"), .excludes = {"transform"}, .conflicts = true},
    {JOB(exact_conv), SWITCH, "false", "true",
     "true: convolutions by plain sums, without Winograd's transforms", NOTICE},
    {JOB(seed), NUMBER(0, LONG_MAX), "1", "1", NULL,
     NEVER("the seed decides what every step draws")},
    {JOB(shards), NUMBER(0, 65536), "0", "4", "0: as many as ranks", NOTED,
     .excludes = {"accumulate"}},
    {JOB(accumulate), NUMBER(1, 65536), NULL, "2",
     "shards that each rank sums before a step, at the run's first start", NOTED,
     .excludes = {"shards"}},
    {JOB(split), LS_KEY_CUT, 0, 1, "tree", "even",
     "how shards are divided among ranks; tree: the same bits on any number of ranks, even: a fair "
     "share for each",
     NOTICE},
    {STAGE(objective), TEXT, NULL, "supervised loss=cross-entropy",
     "an objective, as `lockstep list objectives` has them", .change = LS_CHANGE_LATER_STAGE,
     .why = "the running stage keeps its objective"},
    {STAGE(optimizer), LS_KEY_OPTIMIZER, 0, 0, NULL, "momentum rate=0.05 momentum=0.9",
     "an optimizer, as `lockstep list optimizers` has them, or `phase: optimizer` for each of at "
     "most 8 phases",
     .change = LS_CHANGE_OPTIONS},
    {STAGE(schedule), TEXT, NULL, "cosine warmup=1",
     "a schedule, as `lockstep list schedules` has them", NOTICE},
    {STAGE(train), TEXT, "*", "classifier, encoder/dense3",
     "the parameters that learn, as patterns of their names between commas; all others are frozen",
     .change = LS_CHANGE_LATER_STAGE, .why = "the running stage keeps what it trains"},
    {STAGE(rows), NUMBER(0, LONG_MAX), "0", "1000",
     "only the first training rows, such as the ones with labels; 0: all", NOTICE},
    {STAGE(sampling), LS_KEY_SAMPLING, 0, 0, "shuffle", "balanced",
     "how an epoch takes training rows; shuffle: each once; as many draws with replacement: "
     "balanced: each class as often; weights: by the data set train/weight [rows]",
     NOTICE},
    {STAGE(bucket), NUMBER(0, MANY), "0", "16",
     "batches of rows of similar `length`: the shuffled rows of so many batches are sorted by it, "
     "then cut into batches, which come in random order; 0: rows come as they are drawn",
     NOTICE},
    {STAGE(batch), NUMBER(1, MANY), NULL, "128", "rows over all ranks", NOTICE},
    {STAGE(epochs), NUMBER(1, MANY), NULL, "12", "passes over the training rows", FREE,
     .excludes = {"steps"}},
    {STAGE(steps), NUMBER(1, MANY), NULL, "5000",
     "updates, each of a batch (with gan k=, of k batches)", FREE, .excludes = {"epochs"}},
    {EVALUATE(every), LS_KEY_EVERY, 0, 0, "1 epoch", "1 epoch", NULL, FREE},
    {EVALUATE(split), LS_KEY_SPLIT, 0, 0, "valid", "valid", NULL, NOTED},
    {EVALUATE(stop_after), NUMBER(0, MANY), "0", "5",
     "evaluations without a better one before a stage ends, and with the last the training; "
     "0: it does not end for that",
     FREE},
    {EVALUATE(gap), REAL(0, MANY), "0", "5",
     "a stage with a metric that is a gap between the evaluated and the training rows "
     "(rbm: of free energies, in nats) ends when that exceeds this; 0: it does not end for that",
     FREE},
    {EVALUATE(metric), TEXT, NULL, "loss",
     "the metric that decides what is best, in the stages that have it, in the direction that the "
     "manual says of it; else the objective's own choice",
     NOTED},
    {EVALUATE(average), SWITCH, "false", "true",
     "true: judge the moving average of the weights, of an optimizer with ema=", NOTED},
    {CHECKPOINT(every), LS_KEY_EVERY, 0, 0, "1 epoch", "1 epoch", NULL, FREE},
    {CHECKPOINT(keep), NUMBER(1, MANY), "3", "3", "newest checkpoints that stay", FREE},
    {SAMPLES(every), LS_KEY_EVERY, 0, 0, "never", "1 epoch",
     "when pictures are written: samples, reconstructions", FREE},
    {SAMPLES(rows), NUMBER(1, LS_JOB_SAMPLES), "64", "64", "rows that are made for a picture",
     FREE},
    {.name = NULL},
};

bool ls_job_key_in_stage(const ls_job_key *key)
{
    return key->map && strcmp(key->map, "stages") == 0;
}

const ls_job_key *ls_job_key_at(const char *path, int *stage, const char **rest)
{
    int number = -1;
    sscanf(path, "stages.%d", &number);
    *stage = number < 0 ? 0 : number;
    for (const ls_job_key *key = ls_job_keys; key->name; key++) {
        char whole[LS_JOB_PATH];
        size_t size = strlen(ls_job_key_path(key, number, whole, sizeof whole));
        const char *ends = key->kind == LS_KEY_OPTIMIZER || key->kind == LS_KEY_NETS ? "." : "";
        *rest = path + size;
        if (strncmp(path, whole, size) == 0 && strchr(ends, path[size]))
            return key;
    }
    return NULL;
}

const char *ls_job_key_path(const ls_job_key *key, int stage, char *text, size_t size)
{
    bool in_stage = ls_job_key_in_stage(key);
    if (in_stage && stage >= 0)
        snprintf(text, size, "stages.%d.%s", stage, key->name);
    else
        snprintf(text, size, "%s%s%s", in_stage ? "" : key->map, in_stage || !*key->map ? "" : ".",
                 key->name);
    return text;
}

const char *ls_job_key_excluded(const char *path, int i, char *text, size_t size)
{
    int stage;
    const char *rest;
    const ls_job_key *key = ls_job_key_at(path, &stage, &rest);
    if (!key || !key->excludes[i])
        return NULL;
    int before = (int)(rest - path) - (int)strlen(key->name);
    snprintf(text, size, "%.*s%s", before, path, key->excludes[i]);
    return text;
}

int ls_job_key_copies(const ls_job_key *key, const ls_job *job)
{
    return ls_job_key_in_stage(key) ? job->stages : 1;
}

int ls_job_key_names(const char *map, const char *name[], int room)
{
    int count = 0, stage = 0, length = 0;
    bool top = !*map, of_stage = sscanf(map, "stages.%d%n", &stage, &length) == 1 && !map[length];
    for (const ls_job_key *key = ls_job_keys; key->name && count < room - 1; key++) {
        bool in_stage = ls_job_key_in_stage(key);
        if (top && key > ls_job_keys && strcmp(key->map, key[-1].map) != 0)
            name[count++] = key->map;
        if (in_stage ? top || of_stage : strcmp(key->map, map) == 0)
            name[count++] = key->name;
    }
    return count;
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
    const char *preset = key->preset                ? key->preset
                         : ls_job_key_in_stage(key) ? "the model's own"
                                                    : "none";
    size_t used = (size_t)snprintf(
        text, size, "%s%s", key->needed ? "Must be given" : "Default: ", key->needed ? "" : preset);
    for (const ls_job_key *other = ls_job_keys; key->needed && other->name; other++)
        if (other != key && other->needed == key->needed)
            used += (size_t)snprintf(text + used, size - used, ", or %s", other->name);
    for (int i = 0; key->excludes[i]; i++)
        used += (size_t)snprintf(text + used, size - used, "%s %s", i ? " or" : "; not beside",
                                 key->excludes[i]);
    snprintf(text + used, size - used, ". %s", changes[key->change]);
    return text;
}

void *ls_job_key_member(const ls_job_key *key, const ls_job *job, int stage)
{
    char *base = ls_job_key_in_stage(key) ? (char *)&job->stage[stage] : (char *)job;
    return base + key->offset;
}

bool ls_job_key_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

/* In UTF-8, and at least one letter. */
static bool set_text(const ls_job_key *key, void *member, const char *text)
{
    if (!*text || !ls_job_key_utf8(text))
        return false;
    ls_free(*(char **)member);
    *(char **)member = ls_copy_string(text);
    return true;
}

static bool set_split(const ls_job_key *key, void *member, const char *text)
{
    return ls_split_find(text) != LS_SPLITS && set_text(key, member, text);
}

static bool set_sampling(const ls_job_key *key, void *member, const char *text)
{
    return (strcmp(text, "shuffle") == 0 || strcmp(text, "balanced") == 0 ||
            strcmp(text, "weights") == 0) &&
           set_text(key, member, text);
}

static bool set_number(const ls_job_key *key, void *member, const char *text)
{
    long number;
    if (!ls_parse_long(text, &number) || number < key->low || number > key->high)
        return false;
    *(long *)member = number;
    return true;
}

static bool set_real(const ls_job_key *key, void *member, const char *text)
{
    double number;
    if (!ls_parse_double(text, &number) || !(number >= (double)key->low) ||
        number > (double)key->high)
        return false;
    *(double *)member = number;
    return true;
}

static bool set_switch(const ls_job_key *key, void *member, const char *text)
{
    const char *word = strcmp(text, "true") == 0 ? "1" : strcmp(text, "false") == 0 ? "0" : text;
    return set_number(key, member, word);
}

static bool set_cut(const ls_job_key *key, void *member, const char *text)
{
    bool even = strcmp(text, "even") == 0;
    return (even || strcmp(text, "tree") == 0) && set_number(key, member, even ? "1" : "0");
}

static const char *const units[] = {
    [LS_EVERY_EPOCHS] = "epoch", [LS_EVERY_STEPS] = "step", [LS_EVERY_MINUTES] = "minute"};

static bool set_every(const ls_job_key *key, void *member, const char *text)
{
    char number[64], unit[16], junk;
    ls_every every = {LS_EVERY_MINUTES, 0};
    if (strcmp(text, "never") == 0) {
        *(ls_every *)member = (ls_every){LS_EVERY_NEVER, 0};
        return true;
    }
    if (sscanf(text, "%63s %15s %c", number, unit, &junk) != 2 ||
        !ls_parse_double(number, &every.count) || every.count <= 0 || every.count > 1e15)
        return false;
    size_t length = strlen(unit);
    if (unit[length - 1] == 's')
        unit[length - 1] = 0;
    while (every.unit > LS_EVERY_NEVER && strcmp(unit, units[every.unit]) != 0)
        every.unit--;
    bool whole = every.count == floor(every.count);
    if (every.unit == LS_EVERY_NEVER || (every.unit == LS_EVERY_STEPS && !whole))
        return false;
    *(ls_every *)member = every;
    return true;
}

/* A number with as few digits as it needs, into text[size]; returns text. */
static const char *write_real(double number, char *text, size_t size)
{
    double back = NAN;
    for (int digits = 6; digits <= 17 && back != number; digits++) {
        snprintf(text, size, "%.*g", digits, number);
        ls_parse_double(text, &back);
    }
    return text;
}

static char *write_every(const ls_every *every)
{
    char count[32];
    if (every->unit <= LS_EVERY_NEVER)
        return ls_copy_string(every->unit == LS_EVERY_NEVER ? "never" : NULL);
    return ls_format("%s %s%s", write_real(every->count, count, sizeof count), units[every->unit],
                     every->count == 1 ? "" : "s");
}

static const struct {
    bool (*set)(const ls_job_key *key, void *member, const char *text);
    const char *values; /* that it takes; NULL: the key's help says it */
} kinds[] = {
    [LS_KEY_TEXT] = {set_text, NULL},
    [LS_KEY_OPTIMIZER] = {set_text, NULL},
    [LS_KEY_NETS] = {set_text, NULL},
    [LS_KEY_NUMBER] = {set_number, "a whole number"},
    [LS_KEY_REAL] = {set_real, "a number"},
    [LS_KEY_SWITCH] = {set_switch, "true or false"},
    [LS_KEY_CUT] = {set_cut, "tree or even"},
    [LS_KEY_SPLIT] = {set_split, "a split of the data: train, valid or test"},
    [LS_KEY_SAMPLING] = {set_sampling, "shuffle, balanced or weights"},
    [LS_KEY_EVERY] =
        {set_every, "'N epochs', 'N steps', 'N minutes' (N above 0, at most 1e15, steps whole) or "
                    "'never'"},
};

const char *ls_job_key_expected(const ls_job_key *key, char *text, size_t size)
{
    char range[64] = "";
    const char *values = kinds[key->kind].values, *help = key->help ? key->help : "";
    const bool numbers = key->kind == LS_KEY_NUMBER || key->kind == LS_KEY_REAL;
    if (numbers && key->high < MANY)
        snprintf(range, sizeof range, " from %ld to %ld", key->low, key->high);
    else if (numbers)
        snprintf(range, sizeof range, ", %ld or more", key->low);
    snprintf(text, size, "%s%s%s%s%s", values ? values : "", range, values && *help ? " (" : "",
             help, values && *help ? ")" : "");
    return text;
}

bool ls_job_key_set(const ls_job_key *key, void *member, const char *text)
{
    return kinds[key->kind].set(key, member, text);
}

/* NULL: it is 0, the default. */
static char *get_real(double number)
{
    char text[32];
    return number == 0 ? NULL : ls_copy_string(write_real(number, text, sizeof text));
}

char *ls_job_key_get(const ls_job_key *key, const ls_job *job, int stage)
{
    const void *member = ls_job_key_member(key, job, stage);
    if (key->kind == LS_KEY_TEXT || key->kind == LS_KEY_SPLIT || key->kind == LS_KEY_SAMPLING)
        return ls_copy_string(*(char *const *)member);
    if (key->kind == LS_KEY_EVERY)
        return write_every(member);
    if (key->kind == LS_KEY_REAL)
        return get_real(*(const double *)member);
    if (key->kind == LS_KEY_OPTIMIZER || key->kind == LS_KEY_NETS)
        return NULL;
    long number = *(const long *)member;
    bool zero_counts =
        key->low == 0 && key->preset && key->preset[0] > '0' && key->preset[0] <= '9';
    if (number == 0 && !zero_counts)
        return NULL;
    return key->kind == LS_KEY_SWITCH ? ls_copy_string("true")
           : key->kind == LS_KEY_CUT  ? ls_copy_string("even")
                                      : ls_format("%ld", number);
}
