/* yaml_read: a YAML text into a tree, from libyaml's events. */
#include <string.h>
#include <yaml.h>

#include "core/memory.h"
#include "launch/job/yaml.h"

typedef struct reader {
    yaml_parser_t parser;
    const char *text, *where;
    size_t length;
    ls_error *error;
} reader;

/* libyaml's word for what is wrong, and what a person can do about it. */
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

/* libyaml gives a byte, not a place, for what is no UTF-8 text. */
static yaml_mark_t mark_of_byte(const reader *r, size_t byte)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < byte && i < r->length; i++) {
        mark.column = r->text[i] == '\n' ? 0 : mark.column + 1;
        mark.line += r->text[i] == '\n';
    }
    return mark;
}

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

static bool next_event(reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) || fail_parse(r);
}

static ls_yaml_position place_of(yaml_mark_t mark)
{
    return (ls_yaml_position){(int)mark.line + 1, (int)mark.column + 1};
}

static ls_yaml *read_text(reader *r, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    if (memchr(value, 0, event->data.scalar.length)) {
        fail(r, event->start_mark, "a zero byte stands in this text", "take it out");
        return NULL;
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool nothing = !*value || (plain && (!strcmp(value, "~") || !strcmp(value, "null")));
    ls_yaml *tree = ls_yaml_new(LS_YAML_TEXT, LS_FROM_FILE, nothing ? "" : value);
    tree->nothing = nothing;
    return tree;
}

static ls_yaml *read_node(reader *r, const yaml_event_t *event, int depth);

/* A key of a map, checked against the keys before it. False: no key. */
static bool check_key(reader *r, const ls_yaml *map, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return fail(r, event->start_mark, "a list or map stands where a key should",
                    "each line is `key: value`");
    const char *key = (const char *)event->data.scalar.value;
    for (int i = 0; i < map->count; i++)
        if (strcmp(map->child[i]->key, key) == 0)
            return ls_error_set(r->error, LS_USAGE,
                                "%s:%zu:%zu: the key '%.40s' is given twice (first in line %d): "
                                "keep one",
                                r->where, event->start_mark.line + 1, event->start_mark.column + 1,
                                key, map->child[i]->key_at.line);
    return true;
}

/* The members up to the end event of a map or list. */
static bool read_children(reader *r, ls_yaml *tree, yaml_event_type_t end, int depth)
{
    for (;;) {
        yaml_event_t key = {0}, value;
        if (!next_event(r, &value))
            return false;
        if (value.type == end) {
            yaml_event_delete(&value);
            return true;
        }
        bool ok = tree->count < LS_YAML_CHILDREN ||
                  fail(r, value.start_mark, "more than 1000 entries", "a job has a few");
        if (ok && tree->kind == LS_YAML_MAP) {
            key = value;
            value = (yaml_event_t){0};
            ok = check_key(r, tree, &key) && next_event(r, &value);
        }
        ls_yaml *child = ok ? read_node(r, &value, depth) : NULL;
        if (child) {
            child->key_at = place_of(key.start_mark);
            ls_yaml_add(tree, (const char *)key.data.scalar.value, child);
        }
        yaml_event_delete(&key);
        yaml_event_delete(&value);
        if (!child)
            return false;
    }
}

static ls_yaml *read_node(reader *r, const yaml_event_t *event, int depth)
{
    static const struct {
        ls_yaml_kind kind;
        yaml_event_type_t end;
    } kinds[] = {[YAML_SEQUENCE_START_EVENT] = {LS_YAML_LIST, YAML_SEQUENCE_END_EVENT},
                 [YAML_MAPPING_START_EVENT] = {LS_YAML_MAP, YAML_MAPPING_END_EVENT}};
    ls_yaml *tree = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        tree = read_text(r, event);
    } else if (event->type == YAML_ALIAS_EVENT) {
        fail(r, event->start_mark, "an alias (*name)", "write the value out");
    } else if (depth == LS_YAML_DEPTH) {
        fail(r, event->start_mark, "more than 8 levels of lists and maps", "a job has three");
    } else {
        tree = ls_yaml_new(kinds[event->type].kind, LS_FROM_FILE, NULL);
        if (!read_children(r, tree, kinds[event->type].end, depth + 1)) {
            ls_yaml_free(tree);
            tree = NULL;
        }
    }
    if (tree)
        tree->at = place_of(event->start_mark);
    return tree;
}

/* The event of that type comes next (others of `skip` may stand before it). */
static bool expect(reader *r, yaml_event_t *event, yaml_event_type_t skip)
{
    do {
        if (!next_event(r, event))
            return false;
        if (event->type != skip)
            return true;
        yaml_event_delete(event);
    } while (true);
}

static ls_yaml *read_document(reader *r)
{
    yaml_event_t event;
    ls_yaml *tree = NULL;
    if (!expect(r, &event, YAML_STREAM_START_EVENT))
        return NULL;
    if (event.type == YAML_STREAM_END_EVENT) {
        ls_error_set(r->error, LS_USAGE,
                     "%s is empty: expected a job, at least `data: FILE` and `model: NAME`",
                     r->where);
        yaml_event_delete(&event);
        return NULL;
    }
    yaml_event_delete(&event);
    if (!next_event(r, &event))
        return NULL;
    if (event.type == YAML_MAPPING_START_EVENT)
        tree = read_node(r, &event, 0);
    else
        fail(r, event.start_mark, "this is no list of keys",
             "expected lines such as `data: FILE` and `model: NAME`");
    yaml_event_delete(&event);
    return tree;
}

/* Whether nothing comes after the document. */
static bool read_end(reader *r)
{
    yaml_event_t event;
    if (!expect(r, &event, YAML_DOCUMENT_END_EVENT))
        return false;
    bool end = event.type == YAML_STREAM_END_EVENT ||
               fail(r, event.start_mark, "a second document begins here",
                    "a job file holds one: take this line out");
    yaml_event_delete(&event);
    return end;
}

ls_yaml *ls_yaml_read(const char *text, size_t length, const char *where, ls_error *error)
{
    reader r = {.text = text, .length = length, .where = where, .error = error};
    ls_check(yaml_parser_initialize(&r.parser), "out of memory in libyaml");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    ls_yaml *tree = read_document(&r);
    if (tree && !read_end(&r)) {
        ls_yaml_free(tree);
        tree = NULL;
    }
    yaml_parser_delete(&r.parser);
    return tree;
}
