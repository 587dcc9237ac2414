/* job_schema: libcyaml's schema of a job, and its complaints as messages for a person. */
#include "launch/job/job_schema.h"

#include <cyaml/cyaml.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_keys.h"

enum { STAGES_MAX = 256, PATH = 512 };

/* Filled straight into ls_job. Texts have at least one letter. */
#define TEXT(key, structure, member)                                                               \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_OPTIONAL, structure, member, 1, CYAML_UNLIMITED)
#define NUMBER(key, structure, member) CYAML_FIELD_INT(key, CYAML_FLAG_OPTIONAL, structure, member)
#define NESTED(key, structure, member, fields)                                                     \
    CYAML_FIELD_MAPPING(key, CYAML_FLAG_OPTIONAL, structure, member, fields)

static const cyaml_strval_t units[] = {{"never", LS_EVERY_NEVER},
                                       {"epochs", LS_EVERY_EPOCHS},
                                       {"steps", LS_EVERY_STEPS},
                                       {"minutes", LS_EVERY_MINUTES}};

static const cyaml_schema_field_t every_fields[] = {
    CYAML_FIELD_ENUM("unit", CYAML_FLAG_STRICT, ls_every, unit, units, CYAML_ARRAY_LEN(units)),
    CYAML_FIELD_FLOAT("count", CYAML_FLAG_DEFAULT, ls_every, count),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t evaluate_fields[] = {
    NESTED("every", ls_job_evaluate, every, every_fields), TEXT("split", ls_job_evaluate, split),
    NUMBER("stop_after", ls_job_evaluate, stop_after),     TEXT("metric", ls_job_evaluate, metric),
    NUMBER("average", ls_job_evaluate, average),           CYAML_FIELD_END,
};

static const cyaml_schema_field_t checkpoint_fields[] = {
    NESTED("every", ls_job_checkpoint, every, every_fields),
    NUMBER("keep", ls_job_checkpoint, keep),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t optimizer_fields[] = {
    TEXT("phase", ls_job_optimizer, phase),
    TEXT("spec", ls_job_optimizer, spec),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t optimizer_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, ls_job_optimizer, optimizer_fields)};

static const cyaml_schema_field_t stage_fields[] = {
    TEXT("objective", ls_job_stage, objective),
    CYAML_FIELD_SEQUENCE_COUNT("optimizer", CYAML_FLAG_OPTIONAL, ls_job_stage, optimizer,
                               optimizers, &optimizer_entry, 1, LS_PHASES),
    TEXT("schedule", ls_job_stage, schedule),
    NUMBER("batch", ls_job_stage, batch),
    NUMBER("epochs", ls_job_stage, epochs),
    NUMBER("steps", ls_job_stage, steps),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t stage_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, ls_job_stage, stage_fields)};

static const cyaml_schema_field_t job_fields[] = {
    CYAML_FIELD_STRING_PTR("data", CYAML_FLAG_DEFAULT, ls_job, data, 1, CYAML_UNLIMITED),
    TEXT("run", ls_job, run),
    TEXT("model", ls_job, model),
    TEXT("net", ls_job, net),
    TEXT("transform", ls_job, transform),
    NUMBER("exact_conv", ls_job, exact_conv),
    NUMBER("seed", ls_job, seed),
    NUMBER("shards", ls_job, shards),
    NUMBER("accumulate", ls_job, accumulate),
    CYAML_FIELD_SEQUENCE_COUNT("stages", CYAML_FLAG_POINTER, ls_job, stage, stages, &stage_entry, 1,
                               STAGES_MAX),
    NESTED("evaluate", ls_job, evaluate, evaluate_fields),
    NESTED("checkpoint", ls_job, checkpoint, checkpoint_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t job_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, ls_job, job_fields)};

/* What libcyaml says about the first thing that is wrong. */
typedef struct complaint {
    char word[PATH]; /* the key or value of its first line: "Load: Unexpected key: bacth" */
    char path[PATH]; /* from its backtrace, which begins with the innermost; entries from 0 */
    char line[PATH]; /* its first line */
} complaint;

static void prepend(char *path, const char *word)
{
    char whole[2 * PATH];
    snprintf(whole, sizeof whole, "%s%s%s", word, *path ? "." : "", path);
    snprintf(path, PATH, "%.*s", PATH - 1, whole);
}

/* One line of libcyaml's log, at level error. It counts the entries of a list as they begin: the
 * first is 1, and a list that is too short or too long as a whole is at its count. */
static void listen(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    complaint *c = context;
    char line[PATH], word[64];
    unsigned entry;
    (void)level;
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "%*[ ]in mapping field '%63[^']'", word) == 1) {
        prepend(c->path, word);
    } else if (sscanf(line, "%*[ ]in sequence entry '%u'", &entry) == 1) {
        snprintf(word, sizeof word, "%u", entry - 1);
        if (*c->path || !strstr(c->line, " entries ("))
            prepend(c->path, word);
    } else if (!c->line[0]) {
        snprintf(c->line, sizeof c->line, "%s", line);
        const char *colon = strchr(line, ':') ? strchr(strchr(line, ':') + 1, ':') : NULL;
        snprintf(c->word, sizeof c->word, "%s", colon && colon[1] ? colon + 2 : "");
    }
}

/* libcyaml wants NULL for size 0. */
static void *allocate(void *context, void *pointer, size_t size)
{
    (void)context;
    if (size)
        return ls_realloc(pointer, size, 1);
    ls_free(pointer);
    return NULL;
}

static cyaml_config_t config_with(complaint *c)
{
    return (cyaml_config_t){.log_fn = c ? listen : NULL,
                            .log_ctx = c,
                            .log_level = CYAML_LOG_ERROR,
                            .mem_fn = allocate,
                            .flags = CYAML_CFG_NO_ALIAS};
}

static bool explain(cyaml_err_t code, const complaint *c, const ls_yaml *tree, const char *where,
                    ls_error *error)
{
    if (code == CYAML_ERR_INVALID_KEY)
        return ls_job_fail_unknown(tree, where, c->path, c->word, error);
    if (code == CYAML_ERR_MAPPING_FIELD_MISSING)
        return ls_job_fail_missing(where, c->word, error);
    if (ls_job_key_find(c->path) && ls_yaml_find(tree, c->path))
        return ls_job_fail_value(tree, where, c->path, error);
    if (code == CYAML_ERR_LIBYAML_PARSER) /* the file has passed libyaml before */
        where = "command line";
    return ls_error_set(error, LS_USAGE, "%s: %s (%s)", where, cyaml_strerror(code), c->line);
}

ls_job *ls_job_schema_load(const ls_yaml *tree, const char *where, ls_error *error)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ls_check(stream, "out of memory for the text of a job");
    ls_yaml_write(tree, stream);
    ls_check(fclose(stream) == 0, "out of memory for the text of a job");

    complaint c = {0};
    cyaml_config_t config = config_with(&c);
    ls_job *job = NULL;
    cyaml_err_t code = cyaml_load_data((const uint8_t *)text, length, &config, &job_schema,
                                       (cyaml_data_t **)&job, NULL);
    free(text); /* open_memstream's */
    if (code == CYAML_OK)
        return job;
    explain(code, &c, tree, where, error);
    return NULL;
}

void ls_job_schema_free(ls_job *job)
{
    cyaml_config_t config = config_with(NULL);
    if (job)
        cyaml_free(&config, &job_schema, job, 0);
}
