/* vocabulary: what the tokens of a text stand for. */
#include "io/vocabulary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/layer.h"
#include "core/memory.h"
#include "core/safe_text.h"
#include "core/utf8.h"
#include "io/dataset_check.h"
#include "io/h5/h5.h"

const char *const ls_vocabulary_levels[LS_VOCABULARY_LEVELS] = {"char", "byte", "word"};

int ls_vocabulary_compare(const void *left, const void *right)
{
    const ls_token *a = left, *b = right;
    const size_t shared = a->size < b->size ? a->size : b->size;
    const int order = memcmp(a->bytes, b->bytes, shared);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

bool ls_vocabulary_is_space(char byte)
{
    return byte && strchr(" \t\n\v\f\r", byte);
}

/* Writes the line of a token and returns its length; to NULL: the length alone. */
static size_t write_line(ls_vocabulary_level level, ls_token token, char *to)
{
    size_t length = 0;
    char escape[5];
    for (size_t i = 0; i < token.size; i++) {
        const unsigned char byte = (unsigned char)token.bytes[i];
        const bool plain = byte >= 0x20 && byte != '\\' && byte != 0x7f &&
                           (byte < 0x80 || level != LS_VOCABULARY_BYTE);
        snprintf(escape, sizeof escape, "\\x%02x", byte);
        if (to)
            memcpy(to + length, plain ? &token.bytes[i] : escape, plain ? 1 : 4);
        length += plain ? 1 : 4;
    }
    if (to)
        to[length] = '\n';
    return length + 1;
}

ls_vocabulary *ls_vocabulary_create(ls_vocabulary_level level, const ls_token *tokens, long count,
                                    long unknown)
{
    ls_vocabulary *v = ls_alloc(1, sizeof *v);
    size_t bytes = 0;
    *v = (ls_vocabulary){.level = level, .count = count, .unknown = unknown};
    for (long i = 0; i < count; i++) {
        v->size += write_line(level, tokens[i], NULL);
        bytes += tokens[i].size;
    }
    v->token = ls_alloc((size_t)count, sizeof *v->token);
    v->text = ls_alloc(v->size + 1, 1);
    v->bytes = ls_alloc(bytes, 1);
    char *text = v->text, *to = v->bytes;
    for (long i = 0; i < count; i++) {
        text += write_line(level, tokens[i], text);
        v->token[i] = (ls_token){memcpy(to, tokens[i].bytes, tokens[i].size), tokens[i].size};
        to += tokens[i].size;
    }
    return v;
}

void ls_vocabulary_destroy(ls_vocabulary *v)
{
    if (!v)
        return;
    ls_free(v->token);
    ls_free(v->text);
    ls_free(v->bytes);
    ls_free(v);
}

/* Reads one line, up to its line break, into *token, whose bytes are written to `to`. */
static bool read_line(const char *line, size_t length, char *to, ls_token *token)
{
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        const bool escape = line[i] == '\\';
        const char digits[] = {escape && length - i > 3 ? line[i + 2] : 0,
                               escape && length - i > 3 ? line[i + 3] : 0, 0};
        if (escape && (line[i + 1] != 'x' || !isxdigit((unsigned char)digits[0]) ||
                       !isxdigit((unsigned char)digits[1])))
            return false;
        to[size++] = escape ? (char)strtol(digits, NULL, 16) : line[i];
        i += escape ? 3 : 0;
    }
    *token = (ls_token){to, size};
    return size > 0 && size <= LS_VOCABULARY_TOKEN;
}

/* Whether a text at this level can have the token. */
static bool is_of_level(ls_vocabulary_level level, ls_token token)
{
    unsigned long code;
    if (level == LS_VOCABULARY_BYTE)
        return token.size == 1;
    if (level == LS_VOCABULARY_CHAR)
        return ls_utf8_decode(token.bytes, token.size, &code) == token.size;
    if (token.size == 1 && token.bytes[0] == '\n')
        return true;
    for (size_t i = 0, bytes; i < token.size; i += bytes) {
        bytes = ls_utf8_decode(token.bytes + i, token.size - i, &code);
        if (!bytes || ls_vocabulary_is_space(token.bytes[i]))
            return false;
    }
    return true;
}

/* Each token is of the level and stands there once. */
static bool check_tokens(const char *name, const ls_vocabulary *v, ls_error *error)
{
    ls_token *sorted = ls_alloc((size_t)v->count, sizeof *sorted);
    long bad = -1;
    for (long i = 0; i < v->count; i++)
        if (i != v->unknown && !is_of_level(v->level, v->token[i]) && bad < 0)
            bad = i;
    if (bad >= 0)
        ls_error_set(error, LS_DATA, "%s: /vocabulary: token %ld is no %s", name, bad,
                     ls_vocabulary_levels[v->level]);
    memcpy(sorted, v->token, (size_t)v->count * sizeof *sorted);
    qsort(sorted, (size_t)v->count, sizeof *sorted, ls_vocabulary_compare);
    for (long i = 1; bad < 0 && i < v->count; i++)
        if (ls_vocabulary_compare(&sorted[i - 1], &sorted[i]) == 0) {
            bad = i;
            ls_error_set(error, LS_DATA, "%s: /vocabulary: '%.*s' stands there twice", name,
                         (int)sorted[i].size, sorted[i].bytes);
        }
    ls_free(sorted);
    return bad < 0;
}

ls_vocabulary *ls_vocabulary_parse(const char *name, ls_vocabulary_level level, const char *text,
                                   size_t size, long unknown, ls_error *error)
{
    long lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    ls_vocabulary v = {.level = level, .unknown = unknown};
    v.token = ls_alloc((size_t)lines, sizeof *v.token);
    v.bytes = ls_alloc(size, 1);
    const char *line = text, *end = text + size, *next;
    char *to = v.bytes;
    bool ok = lines > 0 && lines <= LS_LAYER_TOKENS && text[size - 1] == '\n';
    for (; ok && line < end; line = next) {
        next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
        ok = read_line(line, (size_t)(next - line) - 1, to, &v.token[v.count]);
        to += ok ? v.token[v.count++].size : 0;
    }
    if (!ok)
        ls_error_set(error, LS_DATA,
                     "%s: /vocabulary: expected a line for each of 1 to %d tokens, ended by a line "
                     "break, with \\xHH for a backslash: %ld of %ld lines are such",
                     name, LS_LAYER_TOKENS, v.count, lines);
    else if (unknown < -1 || unknown >= lines)
        ok = ls_error_set(error, LS_DATA,
                          "%s: /vocabulary has unknown=%ld; expected the number of the token for "
                          "what is not in it, 0 to %ld, or -1 where there is none",
                          name, unknown, lines - 1);
    ok = ok && check_tokens(name, &v, error);
    ls_vocabulary *made = ok ? ls_vocabulary_create(level, v.token, v.count, unknown) : NULL;
    ls_free(v.token);
    ls_free(v.bytes);
    return made;
}

bool ls_vocabulary_write(hid_t file, const ls_vocabulary *v, ls_error *error)
{
    const hsize_t dims[] = {v->size};
    if (!ls_h5_write(file, "vocabulary", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, dims, v->text, error))
        return false;
    hid_t dataset = ls_h5_dataset(file, "vocabulary", error);
    const bool ok = dataset >= 0 &&
                    ls_h5_put_text(dataset, "level", ls_vocabulary_levels[v->level], error) &&
                    ls_h5_put_long(dataset, "unknown", v->unknown, error);
    ls_h5_close(dataset);
    return ok;
}

static bool read_level(hid_t dataset, ls_vocabulary_level *level, ls_error *error)
{
    char *text = NULL;
    bool present;
    int i = 0;
    if (!ls_h5_get_text(dataset, "level", &text, &present, error))
        return false;
    while (present && i < LS_VOCABULARY_LEVELS && strcmp(text, ls_vocabulary_levels[i]) != 0)
        i++;
    *level = (ls_vocabulary_level)i;
    const bool ok =
        (present && i < LS_VOCABULARY_LEVELS) ||
        ls_h5_fail(error, LS_DATA, dataset, "/vocabulary has level=%s; expected char, byte or word",
                   present ? text : "nothing");
    ls_free(text);
    return ok;
}

/* The bytes of all lines, to be freed; NULL and an error. */
static char *read_text(hid_t file, hid_t dataset, size_t *size, ls_error *error)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hsize_t dims[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    const bool bytes = H5Tequal(type, H5T_NATIVE_UINT8) > 0;
    H5Sclose(space);
    H5Tclose(type);
    if (!bytes || rank != 1 || dims[0] > LS_VOCABULARY_TEXT) {
        ls_h5_fail(error, LS_DATA, dataset,
                   "/vocabulary must be a list of up to %d bytes (uint8), as `lockstep import "
                   "text` writes it",
                   (int)LS_VOCABULARY_TEXT);
        return NULL;
    }
    *size = (size_t)dims[0];
    char *text = ls_alloc(*size + 1, 1);
    if (ls_h5_read(file, "vocabulary", H5T_NATIVE_UINT8, 1, dims, text, error))
        return text;
    ls_free(text);
    return NULL;
}

bool ls_vocabulary_read(hid_t file, ls_vocabulary **v, ls_error *error)
{
    bool exists, present;
    long unknown = -1;
    size_t size;
    char name[4096], *text = NULL;
    ls_vocabulary_level level;
    *v = NULL;
    if (!ls_dataset_check_exists(file, "vocabulary", &exists, error))
        return false;
    hid_t dataset = exists ? ls_h5_dataset(file, "vocabulary", error) : -1;
    if (dataset >= 0 && ls_dataset_check_stored(dataset, "vocabulary", error) &&
        read_level(dataset, &level, error) &&
        ls_h5_get_long(dataset, "unknown", &unknown, &present, error) &&
        (text = read_text(file, dataset, &size, error)))
        *v = ls_vocabulary_parse(ls_h5_file(file, name, sizeof name), level, text, size, unknown,
                                 error);
    ls_h5_close(dataset);
    ls_free(text);
    return *v || !exists;
}

const char *ls_vocabulary_words(const ls_vocabulary *v, char *text, size_t size)
{
    static const char *const nouns[] = {"characters", "bytes", "words"};
    snprintf(text, size, "%ld %s", v->count, nouns[v->level]);
    return text;
}

/* "a vocabulary of 98 characters, whose token 7 is 'x'" */
static const char *describe(const ls_vocabulary *v, long token, char *text, size_t size)
{
    char words[64], safe[64] = "nothing";
    if (token < v->count)
        ls_safe_text(safe, sizeof safe, v->token[token].bytes, v->token[token].size);
    snprintf(text, size, "%s, of which token %ld is %s%s%s",
             ls_vocabulary_words(v, words, sizeof words), token, token < v->count ? "'" : "", safe,
             token < v->count ? "'" : "");
    return text;
}

bool ls_vocabulary_same(const char *a_name, const ls_vocabulary *a, const char *b_name,
                        const ls_vocabulary *b, ls_error *error)
{
    char of_a[256], of_b[256];
    if (!a || !b ||
        (a->level == b->level && a->unknown == b->unknown && a->size == b->size &&
         memcmp(a->text, b->text, a->size) == 0))
        return true;
    long i = 0;
    while (i < a->count && i < b->count && ls_vocabulary_compare(&a->token[i], &b->token[i]) == 0)
        i++;
    return ls_error_set(error, LS_DATA,
                        "%s has a vocabulary of %s; %s has one of %s. Expected the same: `lockstep "
                        "import text FILE... --vocabulary %s -o NEW.h5` makes data of other text "
                        "with it",
                        a_name, describe(a, i, of_a, sizeof of_a), b_name,
                        describe(b, i, of_b, sizeof of_b), a_name);
}

long ls_vocabulary_find(const ls_vocabulary *v, ls_token token)
{
    for (long i = 0; i < v->count; i++)
        if (ls_vocabulary_compare(&v->token[i], &token) == 0)
            return i;
    return -1;
}
