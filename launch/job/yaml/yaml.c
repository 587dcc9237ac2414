/* yaml: a YAML text into a list of entries, by libyaml's events. */
#include "launch/job/yaml/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the last one that the parser gave */
    const char *text, *where;
    size_t length;
    ls_job_entries *list;
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

/* What stands at a mark, whose index counts characters; 0: it is behind the end. */
static char byte_at(const reader *r, yaml_mark_t mark)
{
    size_t at = 0;
    for (size_t i = 0; i < mark.index && at < r->length; i++)
        do
            at++;
        while (at < r->length && (r->text[at] & 0xC0) == 0x80);
    return at < r->length ? r->text[at] : 0;
}

/* libyaml could not parse the text. */
static bool fail_parse(const reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    ls_check(parser->error != YAML_MEMORY_ERROR, "out of memory in libyaml");
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR)
        return fail(r, mark_of_byte(r, parser->problem_offset), problem,
                    "a job file is plain text in UTF-8");
    yaml_mark_t mark = parser->problem_mark;
    if (byte_at(r, mark) == '\t')
        return fail(r, mark, "a tab indents this line", "use spaces");
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strstr(problem, hints[i].problem))
            return fail(r, mark, problem, hints[i].hint);
    return fail(r, mark, problem, "expected YAML, as `key: value` lines");
}

static bool next(reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) || fail_parse(r);
}

/* Whether the value may stand here: no alias, not too many, not too deep, no zero byte. */
static bool check_value(const reader *r, yaml_mark_t key, int depth)
{
    const yaml_event_t *event = &r->event;
    bool text = event->type == YAML_SCALAR_EVENT;
    if (event->type == YAML_ALIAS_EVENT)
        return fail(r, key, "an alias (*name)", "write the value out");
    if (r->list->count == LS_YAML_VALUES)
        return fail(r, event->start_mark, "more than 10000 values", "a job has a few");
    if (!text && depth == LS_YAML_DEPTH)
        return fail(r, event->start_mark, "more than 8 levels of lists and maps",
                    "a job has three");
    if (text && strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return fail(r, event->start_mark, "a zero byte stands in this text", "take it out");
    return true;
}

static bool read_value(reader *r, const char *path, yaml_mark_t key, int depth);

static bool read_map(reader *r, const char *map, int depth, int *size)
{
    for (; next(r) && r->event.type != YAML_MAPPING_END_EVENT; ++*size) {
        char path[LS_JOB_PATH];
        const char *word = (const char *)r->event.data.scalar.value;
        yaml_mark_t key = r->event.start_mark;
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail(r, key, "a list or map stands where a key should",
                        "each line is `key: value`");
        if (strchr(word, '.'))
            return fail(r, key, "a dot stands in a key",
                        "dots are for the command line; here a key stands on a line below its "
                        "map's");
        snprintf(path, sizeof path, "%.240s%s%.240s", map, *map ? "." : "", word);
        const ls_job_entry *first = ls_job_entries_find(r->list, path);
        if (first)
            return ls_error_set(r->error, LS_USAGE,
                                "%s:%zu:%zu: the key '%.40s' is given twice (first in line %d): "
                                "keep one",
                                r->where, key.line + 1, key.column + 1, word, first->key_line);
        if (!next(r) || !read_value(r, path, key, depth))
            return false;
    }
    return r->event.type == YAML_MAPPING_END_EVENT;
}

static bool read_list(reader *r, const char *map, int depth, int *size)
{
    yaml_mark_t start = r->event.start_mark;
    for (; next(r) && r->event.type != YAML_SEQUENCE_END_EVENT; ++*size) {
        char path[LS_JOB_PATH];
        snprintf(path, sizeof path, "%.400s.%d", map, *size);
        if (!read_value(r, path, start, depth))
            return false;
    }
    return r->event.type == YAML_SEQUENCE_END_EVENT;
}

/* `key`: where the value's key stands, or the list that holds it. */
static bool read_value(reader *r, const char *path, yaml_mark_t key, int depth)
{
    const yaml_event_t *event = &r->event;
    yaml_event_type_t type = event->type;
    if (!check_value(r, key, depth))
        return false;
    int number = r->list->count, size = 0;
    bool text = type == YAML_SCALAR_EVENT, list = type == YAML_SEQUENCE_START_EVENT;
    const char *value = text ? (const char *)event->data.scalar.value : "";
    bool plain = text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool nothing = !*value || (plain && (!strcmp(value, "~") || !strcmp(value, "null")));
    ls_job_entry *entry = ls_job_entries_add(r->list, path, nothing ? NULL : value);
    entry->type = text ? LS_ENTRY_TEXT : list ? LS_ENTRY_LIST : LS_ENTRY_MAP;
    entry->line = (int)event->start_mark.line + 1;
    entry->column = (int)event->start_mark.column + 1;
    entry->key_line = (int)key.line + 1;
    entry->key_column = (int)key.column + 1;
    if (!text && !(list ? read_list : read_map)(r, path, depth + 1, &size))
        return false;
    r->list->entry[number].size = size;
    return true;
}

/* The only document of the text. */
static bool read_document(reader *r)
{
    if (!next(r) || !next(r)) /* the text begins, and the document, if there is one */
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return ls_error_set(r->error, LS_USAGE,
                            "%s is empty: expected a job, at least `data: FILE` and `model: NAME`",
                            r->where);
    int size = 0;
    if (!next(r))
        return false;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail(r, r->event.start_mark, "this is no list of keys",
                    "expected lines such as `data: FILE` and `model: NAME`");
    if (!read_map(r, "", 1, &size) || !next(r) || !next(r)) /* the document ends, and the text */
        return false;
    return r->event.type == YAML_STREAM_END_EVENT ||
           fail(r, r->event.start_mark, "a second document begins here",
                "a job file holds one: take this line out");
}

bool ls_yaml_read(const char *text, size_t length, const char *where, ls_job_entries *list,
                  ls_error *error)
{
    reader r = {.text = text, .length = length, .where = where, .list = list, .error = error};
    ls_check(yaml_parser_initialize(&r.parser), "out of memory in libyaml");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    bool ok = read_document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return ok;
}
