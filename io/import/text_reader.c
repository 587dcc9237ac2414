/* text_reader: the tokens of a file of text, one after the other. */
#include "io/import/text_reader.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "io/magic.h"

enum { BUFFER = 1 << 20 };

/* Reads on, so that the buffer holds the longest token and a character more, or the rest of the
 * file. */
static bool fill(ls_text_reader *r, ls_error *error)
{
    if (r->ended || r->to - r->from > LS_VOCABULARY_TOKEN + 4)
        return true;
    memmove(r->buffer, r->buffer + r->from, r->to - r->from);
    r->to -= r->from;
    r->from = 0;
    while (!r->ended && r->to < BUFFER) {
        int state = Z_OK, code;
        const int got = gzread(r->file, r->buffer + r->to, (unsigned)(BUFFER - r->to));
        gzerror(r->file, &state); /* a packed file that is cut off gives 0 and Z_BUF_ERROR */
        if (got < 0 || (got == 0 && state != Z_OK && state != Z_STREAM_END)) {
            const char *reason = ls_packed_reason(r->file, &code);
            return ls_error_set(error, code, "%s: can't be read after byte %ld: %s", r->path,
                                r->place + (long)r->to, reason);
        }
        r->to += (size_t)got;
        r->ended = got == 0;
    }
    return true;
}

bool ls_text_reader_open(ls_text_reader *r, const char *path, ls_vocabulary_level level,
                         ls_error *error)
{
    *r = (ls_text_reader){.path = path, .level = level, .file = ls_packed_open(path, error)};
    if (!r->file)
        return false;
    r->buffer = ls_alloc(BUFFER, 1);
    if (!fill(r, error))
        return false;
    r->kind = ls_magic_name(r->buffer, r->to);
    const bool mark = r->to >= 3 && memcmp(r->buffer, "\xef\xbb\xbf", 3) == 0;
    if (mark && level != LS_VOCABULARY_BYTE) /* of byte order, with which some UTF-8 begins */
        r->place = (long)(r->from = 3);
    return r->from < r->to || ls_error_set(error, LS_DATA, "%s: is empty; expected text", path);
}

void ls_text_reader_open_memory(ls_text_reader *r, const char *name, ls_vocabulary_level level,
                                const char *text, size_t size)
{
    *r = (ls_text_reader){
        .path = name, .level = level, .buffer = ls_alloc(size, 1), .to = size, .ended = true};
    memcpy(r->buffer, text, size);
}

void ls_text_reader_close(ls_text_reader *r)
{
    if (r->file)
        gzclose(r->file);
    ls_free(r->buffer);
    *r = (ls_text_reader){.file = NULL};
}

/* The bytes behind `from + skipped` are no character of a text: not UTF-8, or the byte 0, which
 * archives and UTF-16 have. */
static bool refuse(const ls_text_reader *r, size_t skipped, ls_error *error)
{
    const char *at = r->buffer + r->from + skipped;
    if (r->kind)
        return ls_error_set(error, LS_DATA,
                            "%s: is %s; expected text in UTF-8, which byte %ld (0x%02x) is not",
                            r->path, r->kind, r->place + (long)skipped, (unsigned char)*at);
    const char *way_out = !r->file ? ""
                          : *at    ? ": convert it (iconv -f LATIN1 -t UTF-8), or take --level byte"
                                : ": convert it (iconv -f UTF-16 -t UTF-8), or take --level byte";
    return ls_error_set(error, r->file ? LS_DATA : LS_USAGE,
                        "%s: byte %ld (0x%02x) is %s; expected text in UTF-8%s", r->path,
                        r->place + (long)skipped, (unsigned char)*at,
                        *at ? "not UTF-8" : "in no text", way_out);
}

/* The size of the character that stands at `at`; 0: there is none. */
static size_t decode(const char *at, size_t all)
{
    unsigned long code;
    return *at ? ls_utf8_decode(at, all, &code) : 0;
}

/* The size of the word that stands at `from`; 0 and an error: it is none. */
static size_t measure_word(const ls_text_reader *r, ls_error *error)
{
    const char *at = r->buffer + r->from;
    const size_t all = r->to - r->from;
    size_t size = 0;
    while (size < all && size <= LS_VOCABULARY_TOKEN && !ls_vocabulary_is_space(at[size])) {
        const size_t bytes = decode(at + size, all - size);
        if (!bytes)
            return refuse(r, size, error), 0;
        size += bytes;
    }
    if (size <= LS_VOCABULARY_TOKEN)
        return size;
    ls_error_set(error, r->file ? LS_DATA : LS_USAGE,
                 "%s: the word at byte %ld is longer than %d bytes; expected words between white "
                 "space%s",
                 r->path, r->place, (int)LS_VOCABULARY_TOKEN,
                 r->file ? ": take --level char or byte" : "");
    return 0;
}

static size_t measure(const ls_text_reader *r, ls_error *error)
{
    const char *at = r->buffer + r->from;
    if (r->level == LS_VOCABULARY_BYTE || *at == '\n')
        return 1;
    if (r->level == LS_VOCABULARY_WORD)
        return measure_word(r, error);
    const size_t bytes = decode(at, r->to - r->from);
    return bytes || refuse(r, 0, error) ? bytes : 0;
}

/* Whether the byte at `from` is part of no token: white space between words, and the first half of
 * CR LF, which is one line break (as for Python). */
static bool is_passed_over(const ls_text_reader *r)
{
    const char *at = r->buffer + r->from;
    const size_t left = r->to - r->from;
    if (left == 0 || *at == '\n')
        return false;
    return (r->level == LS_VOCABULARY_WORD && ls_vocabulary_is_space(*at)) ||
           (r->level == LS_VOCABULARY_CHAR && left > 1 && memcmp(at, "\r\n", 2) == 0);
}

bool ls_text_reader_next(ls_text_reader *r, ls_token *token, ls_error *error)
{
    *token = (ls_token){.bytes = NULL};
    if (!fill(r, error))
        return false;
    while (is_passed_over(r)) {
        r->from++;
        r->place++;
        if (!fill(r, error))
            return false;
    }
    if (r->from == r->to)
        return true;
    token->bytes = r->buffer + r->from;
    token->size = measure(r, error);
    r->from += token->size;
    r->place += (long)token->size;
    return token->size > 0;
}
