/* yaml: a YAML text into JSON values, from libyaml's document of nodes. */
#include "launch/job/yaml/yaml.h"

#include <string.h>
#include <yaml.h>

enum { PATH = 512 };

typedef struct reader {
    yaml_parser_t parser;
    yaml_document_t document;
    const char *text, *where;
    size_t length;
    int last; /* the number of the node read last: libyaml counts them as they stand in the text */
    ls_job_origins *origins;
    ls_error *error;
} reader;

/* What libyaml calls the problem, and what a person can do about it. */
static const struct {
    const char *problem, *hint;
} hints[] = {
    {"mapping values are not allowed",
     "a value with ': ' inside must stand in quotes, and a key may not be indented more than its "
     "neighbours"},
    {"cannot start any token", "a value that begins with @, %, ` or a tab must stand in quotes"},
    {"did not find expected key", "the keys of one level must be indented by the same spaces"},
    {"could not find expected ':'", "each line is `key: value`"},
    {"did not find expected ',' or", "a list [ ] or map { } is not closed"},
    {"block sequence entries are not allowed", "a list begins on the line after its key"},
    {"end of stream", "a quote, list or map is not closed"},
    {"document start", "quotes go round a whole value; keys of one level are indented alike"},
};

static bool fail(const reader *r, yaml_mark_t mark, const char *what, const char *todo)
{
    return ls_error_set(r->error, LS_USAGE, "%s:%zu:%zu: %s: %s", r->where, mark.line + 1,
                        mark.column + 1, what, todo);
}

/* For a text that is not UTF-8, libyaml tells the byte, not the line. */
static yaml_mark_t mark_of_byte(const reader *r, size_t byte)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < byte && i < r->length; i++) {
        mark.column = r->text[i] == '\n' ? 0 : mark.column + 1;
        mark.line += r->text[i] == '\n';
    }
    return mark;
}

/* libyaml could not parse the text. */
static bool fail_parse(const reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR)
        return fail(r, mark_of_byte(r, parser->problem_offset), problem,
                    "a job file is plain text in UTF-8");
    yaml_mark_t mark = parser->problem_mark;
    if (mark.index < r->length && r->text[mark.index] == '\t')
        return fail(r, mark, "a tab indents this line", "use spaces");
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strstr(problem, hints[i].problem))
            return fail(r, mark, problem, hints[i].hint);
    return fail(r, mark, problem, "expected YAML, as `key: value` lines");
}

/* NULL and an error for a text with a zero byte; an empty one, ~ or null is nothing. */
static json_t *read_text(const reader *r, const yaml_node_t *node)
{
    const char *value = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool nothing = !*value || (plain && (!strcmp(value, "~") || !strcmp(value, "null")));
    if (strlen(value) == node->data.scalar.length)
        return nothing ? json_null() : json_string(value);
    fail(r, node->start_mark, "a zero byte stands in this text", "take it out");
    return NULL;
}

static json_t *read_node(reader *r, int number, yaml_mark_t key, const char *path, int depth);

static bool read_map(reader *r, const yaml_node_t *map, json_t *object, const char *path, int depth)
{
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        char below[PATH];
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        const char *word = (const char *)key->data.scalar.value;
        if (key->type != YAML_SCALAR_NODE || pair->key <= r->last)
            return fail(r, key->start_mark, "a list or map stands where a key should",
                        "each line is `key: value`");
        r->last = pair->key;
        snprintf(below, sizeof below, "%s%s%.200s", path, *path ? "." : "", word);
        if (json_object_get(object, word))
            return ls_error_set(r->error, LS_USAGE,
                                "%s:%zu:%zu: the key '%.40s' is given twice (first in line %d): "
                                "keep one",
                                r->where, key->start_mark.line + 1, key->start_mark.column + 1,
                                word, ls_job_origins_find(r->origins, below)->key_line);
        json_t *value = read_node(r, pair->value, key->start_mark, below, depth);
        if (!value)
            return false;
        json_object_set_new(object, word, value);
    }
    return true;
}

static bool read_list(reader *r, const yaml_node_t *list, json_t *array, const char *path,
                      int depth)
{
    const yaml_node_item_t *item = list->data.sequence.items.start;
    for (int i = 0; item < list->data.sequence.items.top; item++, i++) {
        char below[PATH];
        snprintf(below, sizeof below, "%.400s.%d", path, i);
        json_t *value = read_node(r, *item, list->start_mark, below, depth);
        if (!value)
            return false;
        json_array_append_new(array, value);
    }
    return true;
}

/* Whether the node may stand here: no alias, not too many, not too deep. */
static bool check_node(const reader *r, int number, yaml_mark_t key, int depth)
{
    const yaml_node_t *node = yaml_document_get_node((yaml_document_t *)&r->document, number);
    if (number <= r->last)
        return fail(r, key, "an alias (*name)", "write the value out");
    if (r->origins->count == LS_YAML_NODES)
        return fail(r, node->start_mark, "more than 10000 values", "a job has a few");
    if (node->type != YAML_SCALAR_NODE && depth == LS_YAML_DEPTH)
        return fail(r, node->start_mark, "more than 8 levels of lists and maps", "a job has three");
    return true;
}

/* `key`: where the node's key stands, or the list that holds the node. */
static json_t *read_node(reader *r, int number, yaml_mark_t key, const char *path, int depth)
{
    const yaml_node_t *node = yaml_document_get_node(&r->document, number);
    yaml_mark_t value = node->start_mark;
    const ls_job_mark mark = {(char *)path,          LS_FROM_FILE,      (int)value.line + 1,
                              (int)value.column + 1, (int)key.line + 1, (int)key.column + 1};
    if (!check_node(r, number, key, depth))
        return NULL;
    r->last = number;
    if (*path)
        ls_job_origins_add(r->origins, &mark);
    if (node->type == YAML_SCALAR_NODE)
        return read_text(r, node);
    bool map = node->type == YAML_MAPPING_NODE;
    json_t *json = map ? json_object() : json_array();
    if (map ? read_map(r, node, json, path, depth + 1) : read_list(r, node, json, path, depth + 1))
        return json;
    json_decref(json);
    return NULL;
}

/* The first document of the text. */
static json_t *read_first(reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    if (!root)
        ls_error_set(r->error, LS_USAGE,
                     "%s is empty: expected a job, at least `data: FILE` and `model: NAME`",
                     r->where);
    else if (root->type == YAML_MAPPING_NODE)
        return read_node(r, 1, root->start_mark, "", 0);
    else
        fail(r, root->start_mark, "this is no list of keys",
             "expected lines such as `data: FILE` and `model: NAME`");
    return NULL;
}

/* Whether no other document follows. */
static bool check_end(reader *r)
{
    if (!yaml_parser_load(&r->parser, &r->document))
        return fail_parse(r);
    yaml_mark_t mark = r->document.start_mark;
    bool end = !yaml_document_get_root_node(&r->document);
    yaml_document_delete(&r->document);
    return end || fail(r, mark, "a second document begins here",
                       "a job file holds one: take this line out");
}

json_t *ls_yaml_read(const char *text, size_t length, const char *where, ls_job_origins *origins,
                     ls_error *error)
{
    reader r = {.text = text, .length = length, .where = where, .origins = origins, .error = error};
    json_t *json = NULL;
    ls_check(yaml_parser_initialize(&r.parser), "out of memory in libyaml");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    if (yaml_parser_load(&r.parser, &r.document)) {
        json = read_first(&r);
        yaml_document_delete(&r.document);
    } else {
        fail_parse(&r);
    }
    if (json && !check_end(&r)) {
        json_decref(json);
        json = NULL;
    }
    yaml_parser_delete(&r.parser);
    return json;
}
