/* vocabulary: what the tokens of a text stand for: characters, bytes or words.
 *
 * A data set that `lockstep import text` makes, and the checkpoints of nets that are trained on it,
 * hold /vocabulary: bytes, a line for each token in the order of their numbers. In a line \xHH
 * stands for the byte HH: for control characters and the backslash, and at the level byte for all
 * bytes from 0x80. Attributes: level (char, byte or word) and unknown, the number of the token that
 * stands for all that is not in the vocabulary; -1: there is none.
 *
 * Files are not trusted: what is read is a vocabulary that import text could have made. */
#pragma once
#include <stdint.h>

#include "core/check.h"

/* A word is what stands between white space (of ASCII); a line break is a token of its own. */
typedef enum ls_vocabulary_level {
    LS_VOCABULARY_CHAR,
    LS_VOCABULARY_BYTE,
    LS_VOCABULARY_WORD,
    LS_VOCABULARY_LEVELS
} ls_vocabulary_level;
extern const char *const ls_vocabulary_levels[LS_VOCABULARY_LEVELS]; /* "char", "byte", "word" */

enum {
    LS_VOCABULARY_TOKEN = 4096,   /* bytes of the longest token */
    LS_VOCABULARY_TEXT = 1 << 28, /* bytes of all lines */
};
#define LS_VOCABULARY_UNKNOWN "<unk>"

typedef struct ls_token {
    const char *bytes; /* [size], not ended by a 0 */
    size_t size;
} ls_token;

/* The order of tokens by their bytes, for qsort. */
int ls_vocabulary_compare(const void *left, const void *right);
/* Whether a byte ends a word; the line break, which does too, is a word by itself. */
bool ls_vocabulary_is_space(char byte);

typedef struct ls_vocabulary {
    ls_vocabulary_level level;
    long count;
    long unknown; /* -1: there is none */
    ls_token *token;
    char *text; /* as it is stored: lines; [size], and a 0 */
    size_t size;
    char *bytes; /* of all tokens */
} ls_vocabulary;

/* Copies the tokens. Free with ls_vocabulary_destroy. */
ls_vocabulary *ls_vocabulary_create(ls_vocabulary_level level, const ls_token *tokens, long count,
                                    long unknown);
/* Reads stored lines, text[size]. NULL and an LS_DATA error that begins with `name`. */
ls_vocabulary *ls_vocabulary_parse(const char *name, ls_vocabulary_level level, const char *text,
                                   size_t size, long unknown, ls_error *error);
void ls_vocabulary_destroy(ls_vocabulary *v); /* NULL is allowed */

/* Writes /vocabulary; `file` is HDF5's id. LS_IO errors. */
bool ls_vocabulary_write(int64_t file, const ls_vocabulary *v, ls_error *error);
/* Reads it: *v is NULL where the file has none. LS_DATA and LS_IO errors. */
bool ls_vocabulary_read(int64_t file, ls_vocabulary **v, ls_error *error);

/* Whether two vocabularies are one; NULL fits any. Else an LS_DATA error that says of both what
 * they hold; the names are those of their files. */
bool ls_vocabulary_same(const char *a_name, const ls_vocabulary *a, const char *b_name,
                        const ls_vocabulary *b, ls_error *error);
/* "98 characters" into text[size]; returns text. */
const char *ls_vocabulary_words(const ls_vocabulary *v, char *text, size_t size);
/* The number of a token; -1: it has none. */
long ls_vocabulary_find(const ls_vocabulary *v, ls_token token);
