/* yaml: a YAML text as a tree that remembers where each value stood, so that a message about a key
 * can say line and column, and whether the key came from the file or from the command line. */
#pragma once
#include <stdio.h>

#include "core/check.h"

enum { LS_YAML_DEPTH = 8, LS_YAML_CHILDREN = 1000 };
typedef enum { LS_YAML_TEXT, LS_YAML_MAP, LS_YAML_LIST } ls_yaml_kind;
typedef enum { LS_FROM_FILE, LS_FROM_COMMAND_LINE, LS_FROM_DEFAULT } ls_yaml_origin;

typedef struct ls_yaml_position {
    int line, column; /* from 1 */
} ls_yaml_position;

typedef struct ls_yaml ls_yaml;
struct ls_yaml {
    ls_yaml_kind kind;
    ls_yaml_origin origin;
    ls_yaml_position at, key_at; /* of the value and of its key */
    char *key;                   /* in a map; a list's members may have one too */
    char *text;
    bool nothing; /* an empty text, or ~ or null without quotes: text is "" */
    int count;
    ls_yaml **child; /* of a map or list */
};

/* One YAML document, whose top is a map. Refused: what is no YAML, keys given twice, anchors and
 * aliases, more than LS_YAML_DEPTH levels, several documents. `where` stands for the file in
 * messages. NULL and an LS_USAGE error with line and column. Free with ls_yaml_free. */
ls_yaml *ls_yaml_read(const char *text, size_t length, const char *where, ls_error *error);
/* NULL is allowed. */
void ls_yaml_free(ls_yaml *tree);

/* `text` is copied; NULL for maps and lists. */
ls_yaml *ls_yaml_new(ls_yaml_kind kind, ls_yaml_origin origin, const char *text);
/* The child takes the place of one with its key, or comes last. `key` NULL: keeps the child's own;
 * `child` is owned by `parent` from now on. */
void ls_yaml_add(ls_yaml *parent, const char *key, ls_yaml *child);
/* Out of its parent: the caller owns it. NULL where there is none. */
ls_yaml *ls_yaml_take(ls_yaml *parent, const char *key);
/* "stages.0.batch": children by key, a list's also by number, from 0. NULL where there is none. */
ls_yaml *ls_yaml_find(const ls_yaml *tree, const char *path);
/* Sets the text at a path; maps on the way are made. False with an LS_USAGE error where the path
 * goes through a text or past the end of a list. */
bool ls_yaml_put(ls_yaml *tree, const char *path, ls_yaml_origin origin, const char *text,
                 ls_error *error);
/* "'12x'", "nothing", "a list of 2", "keys": what stands there, for messages. Into text[size]. */
const char *ls_yaml_what(const ls_yaml *tree, char *text, size_t size);
/* As JSON, which is YAML too: for libcyaml. */
void ls_yaml_write(const ls_yaml *tree, FILE *out);
/* A text in double quotes, with YAML's escapes. */
void ls_yaml_write_text(const char *text, FILE *out);
/* Whether each character may stand in YAML without an escape, \n and \t included. */
bool ls_yaml_prints(const char *text);
