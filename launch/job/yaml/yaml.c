/* yaml: a YAML text into JSON values, from libyaml's events. */
#include "launch/job/yaml/yaml.h"

#include <string.h>
#include <yaml.h>

enum { PATH = 512 };
#define LINE_AND_COLUMN(event) (int)(event).start_mark.line + 1, (int)(event).start_mark.column + 1

typedef struct reader {
    yaml_parser_t parser;
    const char *text, *where;
    size_t length;
    int depth; /* maps and lists around the node that is read */
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

/* NULL and an error for a text with a zero byte; an empty one, ~ or null is nothing. */
static json_t *read_text(reader *r, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(value) != event->data.scalar.length) {
        fail(r, event->start_mark, "a zero byte stands in this text", "take it out");
        return NULL;
    }
    bool nothing = !*value || (plain && (!strcmp(value, "~") || !strcmp(value, "null")));
    return nothing ? json_null() : json_string(value);
}

static json_t *read_node(reader *r, const yaml_event_t *event, const char *path);

/* Whether the event is a key that the map does not have yet; `path` is the key's. */
static bool check_key(reader *r, const json_t *map, const yaml_event_t *event, const char *path)
{
    const char *key = (const char *)event->data.scalar.value;
    if (event->type != YAML_SCALAR_EVENT)
        return fail(r, event->start_mark, "a list or map stands where a key should",
                    "each line is `key: value`");
    if (!json_object_get(map, key))
        return true;
    return ls_error_set(r->error, LS_USAGE,
                        "%s:%zu:%zu: the key '%.40s' is given twice (first in line %d): keep one",
                        r->where, event->start_mark.line + 1, event->start_mark.column + 1, key,
                        ls_job_origins_find(r->origins, path)->key_line);
}

/* One child, whose first event is `first`: in a map its key, in a list its value. */
static bool read_child(reader *r, json_t *parent, const yaml_event_t *first, const char *path)
{
    char below[PATH];
    yaml_event_t value = *first;
    const char *dot = *path ? "." : "", *key = (const char *)first->data.scalar.value;
    bool map = json_is_object(parent);
    if (map)
        snprintf(below, sizeof below, "%s%s%.200s", path, dot,
                 first->type == YAML_SCALAR_EVENT ? key : "");
    else
        snprintf(below, sizeof below, "%s%s%zu", path, dot, json_array_size(parent));
    if (map && !(check_key(r, parent, first, below) && next_event(r, &value)))
        return false;
    ls_job_origins_add(r->origins, &(ls_job_mark){below, LS_FROM_FILE, LINE_AND_COLUMN(value),
                                                  LINE_AND_COLUMN(*first)});
    json_t *child = read_node(r, &value, below);
    if (map)
        yaml_event_delete(&value);
    return child && (map ? json_object_set_new(parent, key, child)
                         : json_array_append_new(parent, child)) == 0;
}

/* The children of a map or list up to its end event. */
static bool read_children(reader *r, json_t *parent, yaml_event_type_t end, const char *path)
{
    for (int count = 0;; count++) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        bool more = event.type != end, ok = more;
        if (more && count == LS_YAML_CHILDREN)
            ok = fail(r, event.start_mark, "more than 1000 entries", "a job has a few");
        ok = ok && read_child(r, parent, &event, path);
        yaml_event_delete(&event);
        if (!ok)
            return !more;
    }
}

static json_t *read_node(reader *r, const yaml_event_t *event, const char *path)
{
    json_t *node = NULL;
    bool map = event->type == YAML_MAPPING_START_EVENT, ok = true;
    if (event->type == YAML_SCALAR_EVENT)
        return read_text(r, event);
    if (event->type == YAML_ALIAS_EVENT) {
        fail(r, event->start_mark, "an alias (*name)", "write the value out");
    } else if (r->depth == LS_YAML_DEPTH) {
        fail(r, event->start_mark, "more than 8 levels of lists and maps", "a job has three");
    } else {
        node = map ? json_object() : json_array();
        r->depth++;
        ok = read_children(r, node, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, path);
        r->depth--;
    }
    if (ok)
        return node;
    json_decref(node);
    return NULL;
}

/* The next event that is not of the type `skip`. */
static bool next_other_event(reader *r, yaml_event_t *event, yaml_event_type_t skip)
{
    do {
        if (!next_event(r, event))
            return false;
        if (event->type != skip)
            return true;
        yaml_event_delete(event);
    } while (true);
}

static json_t *read_document(reader *r)
{
    yaml_event_t event;
    json_t *top = NULL;
    if (!next_other_event(r, &event, YAML_STREAM_START_EVENT))
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
        top = read_node(r, &event, "");
    else
        fail(r, event.start_mark, "this is no list of keys",
             "expected lines such as `data: FILE` and `model: NAME`");
    yaml_event_delete(&event);
    return top;
}

/* False, with an error, if something comes after the document. */
static bool read_end(reader *r)
{
    yaml_event_t event;
    if (!next_other_event(r, &event, YAML_DOCUMENT_END_EVENT))
        return false;
    bool end = event.type == YAML_STREAM_END_EVENT ||
               fail(r, event.start_mark, "a second document begins here",
                    "a job file holds one: take this line out");
    yaml_event_delete(&event);
    return end;
}

json_t *ls_yaml_read(const char *text, size_t length, const char *where, ls_job_origins *origins,
                     ls_error *error)
{
    reader r = {.text = text, .length = length, .where = where, .origins = origins, .error = error};
    ls_check(yaml_parser_initialize(&r.parser), "out of memory in libyaml");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    json_t *top = read_document(&r);
    if (top && !read_end(&r)) {
        json_decref(top);
        top = NULL;
    }
    yaml_parser_delete(&r.parser);
    return top;
}
