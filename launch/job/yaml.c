/* yaml: the nodes of a YAML text: find, set, write. Reading is in yaml_read.c. */
#include "launch/job/yaml.h"

#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/spec.h"

ls_yaml *ls_yaml_new(ls_yaml_kind kind, ls_yaml_origin origin, const char *text)
{
    ls_yaml *tree = ls_alloc(1, sizeof *tree);
    *tree = (ls_yaml){.kind = kind, .origin = origin, .text = ls_copy_string(text)};
    return tree;
}

void ls_yaml_free(ls_yaml *tree)
{
    if (!tree)
        return;
    for (int i = 0; i < tree->count; i++)
        ls_yaml_free(tree->child[i]);
    ls_free(tree->child);
    ls_free(tree->key);
    ls_free(tree->text);
    ls_free(tree);
}

/* The child's number, or -1. `key` need not end with 0. */
static int child_index(const ls_yaml *parent, const char *key, size_t length)
{
    for (int i = 0; i < parent->count; i++) {
        const char *own = parent->child[i]->key;
        if (own && strlen(own) == length && memcmp(own, key, length) == 0)
            return i;
    }
    char digits[16];
    long number;
    if (parent->kind != LS_YAML_LIST || length >= sizeof digits)
        return -1;
    memcpy(digits, key, length);
    digits[length] = 0;
    return ls_parse_long(digits, &number) && number >= 0 && number < parent->count ? (int)number
                                                                                   : -1;
}

void ls_yaml_add(ls_yaml *parent, const char *key, ls_yaml *child)
{
    if (key && key != child->key) {
        ls_free(child->key);
        child->key = ls_copy_string(key);
    }
    int at = child->key ? child_index(parent, child->key, strlen(child->key)) : -1;
    if (at >= 0) {
        ls_yaml_free(parent->child[at]);
    } else {
        at = parent->count++;
        parent->child = ls_realloc(parent->child, (size_t)parent->count, sizeof(parent->child[0]));
    }
    parent->child[at] = child;
}

ls_yaml *ls_yaml_take(ls_yaml *parent, const char *key)
{
    int at = child_index(parent, key, strlen(key));
    if (at < 0)
        return NULL;
    ls_yaml *child = parent->child[at];
    parent->count--;
    memmove(&parent->child[at], &parent->child[at + 1],
            (size_t)(parent->count - at) * sizeof(parent->child[0]));
    return child;
}

ls_yaml *ls_yaml_find(const ls_yaml *tree, const char *path)
{
    const ls_yaml *at = tree;
    while (at && *path) {
        size_t length = strcspn(path, ".");
        int index = child_index(at, path, length);
        at = index < 0 ? NULL : at->child[index];
        path += length + (path[length] == '.');
    }
    return (ls_yaml *)at;
}

/* The child on the way of `path`, `length` letters from `rest` on, made where a map has none. */
static ls_yaml *step_into(ls_yaml *at, const char *path, const char *rest, size_t length,
                          ls_yaml_origin origin, ls_error *error)
{
    int index = child_index(at, rest, length), above = (int)(rest - path);
    if (index >= 0)
        return at->child[index];
    if (at->kind == LS_YAML_LIST) {
        ls_error_set(error, LS_USAGE, "%s: there is no %.*s: %.*s has %d entr%s, counted from 0",
                     path, above + (int)length, path, above - 1, path, at->count,
                     at->count == 1 ? "y" : "ies");
        return NULL;
    }
    char key[LS_WORD];
    snprintf(key, sizeof key, "%.*s", (int)length, rest);
    ls_yaml_add(at, key, ls_yaml_new(LS_YAML_MAP, origin, NULL));
    return at->child[at->count - 1];
}

bool ls_yaml_put(ls_yaml *tree, const char *path, ls_yaml_origin origin, const char *text,
                 ls_error *error)
{
    ls_yaml *at = tree;
    const char *rest = path;
    for (;;) {
        size_t length = strcspn(rest, ".");
        if (length == 0 || length >= LS_WORD)
            return ls_error_set(error, LS_USAGE,
                                "'%s' is no key: expected names with dots between them, such as "
                                "checkpoint.keep",
                                path);
        if (at->kind == LS_YAML_TEXT)
            return ls_error_set(error, LS_USAGE, "%.*s is one value: it has no '%s' inside",
                                (int)(rest - path - 1), path, rest);
        if (rest[length] == 0)
            break;
        at = step_into(at, path, rest, length, origin, error);
        if (!at)
            return false;
        rest += length + 1;
    }
    if (at->kind == LS_YAML_LIST)
        return ls_error_set(error, LS_USAGE, "%s names a whole entry: name a key of it", path);
    ls_yaml *value = ls_yaml_new(LS_YAML_TEXT, origin, text);
    value->nothing = !*text;
    ls_yaml_add(at, rest, value);
    return true;
}

const char *ls_yaml_what(const ls_yaml *tree, char *text, size_t size)
{
    if (tree->kind == LS_YAML_LIST)
        snprintf(text, size, "a list of %d", tree->count);
    else if (tree->kind == LS_YAML_MAP)
        snprintf(text, size, "keys");
    else if (tree->nothing)
        snprintf(text, size, "nothing");
    else
        snprintf(text, size, "'%.60s%s'", tree->text, strlen(tree->text) > 60 ? "..." : "");
    return text;
}

/* The next code point of UTF-8 and its length in bytes; a byte that is none stands for itself. */
static uint32_t next_point(const unsigned char *text, int *length)
{
    int more = text[0] >= 0xF0 ? 3 : text[0] >= 0xE0 ? 2 : text[0] >= 0xC0 ? 1 : 0;
    uint32_t point = text[0] & (0xFFu >> (more ? more + 2 : 0));
    for (int i = 1; i <= more; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            *length = 1;
            return text[0];
        }
        point = point << 6 | (text[i] & 0x3F);
    }
    *length = 1 + more;
    return point;
}

/* What YAML takes as a line break, or does not take at all, outside an escape. */
static bool needs_escape(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
           point == 0xFEFF || point == 0xFFFE || point == 0xFFFF;
}

bool ls_yaml_prints(const char *text)
{
    int length;
    for (const unsigned char *c = (const unsigned char *)text; *c; c += length)
        if (needs_escape(next_point(c, &length)) && *c != '\n' && *c != '\t')
            return false;
    return true;
}

void ls_yaml_write_text(const char *text, FILE *out)
{
    fputc('"', out);
    int length;
    for (const unsigned char *c = (const unsigned char *)text; *c; c += length) {
        uint32_t point = next_point(c, &length);
        if (point == '"' || point == '\\')
            fprintf(out, "\\%c", (int)point);
        else if (point == '\n')
            fputs("\\n", out);
        else if (needs_escape(point) && (point < 0x80 || length > 1))
            fprintf(out, "\\u%04X", (unsigned)point);
        else
            fwrite(c, 1, (size_t)length, out);
    }
    fputc('"', out);
}

void ls_yaml_write(const ls_yaml *tree, FILE *out)
{
    if (tree->kind == LS_YAML_TEXT) {
        ls_yaml_write_text(tree->text, out);
        return;
    }
    bool map = tree->kind == LS_YAML_MAP;
    fputc(map ? '{' : '[', out);
    for (int i = 0; i < tree->count; i++) {
        if (i)
            fputs(",\n", out);
        if (map) {
            ls_yaml_write_text(tree->child[i]->key, out);
            fputs(": ", out);
        }
        ls_yaml_write(tree->child[i], out);
    }
    fputc(map ? '}' : ']', out);
}
