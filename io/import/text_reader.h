/* text_reader: the tokens of a file of text, one after the other, in bounded memory. */
#pragma once
#include "io/import/packed.h"
#include "io/vocabulary.h"

typedef struct ls_text_reader {
    const char *path;
    ls_vocabulary_level level;
    gzFile file;
    const char *kind; /* what files that begin so are (magic.h); NULL: nothing else than text */
    char *buffer;
    size_t from, to; /* what is read of the buffer, and not given out yet */
    long place;      /* byte of the text (unpacked) at `from` */
    bool ended;      /* the file, behind `to` */
} ls_text_reader;

/* Opens a file, plain or gzip. LS_DATA and LS_IO errors: an empty file too. Close it with
 * ls_text_reader_close whether this succeeds or fails. */
bool ls_text_reader_open(ls_text_reader *reader, const char *path, ls_vocabulary_level level,
                         ls_error *error);
/* The same of text[size] in memory, which may be empty; `name` is for messages. */
void ls_text_reader_open_memory(ls_text_reader *reader, const char *name, ls_vocabulary_level level,
                                const char *text, size_t size);
/* The next token, which is good until the next call; of size 0 at the end. LS_DATA errors that name
 * the byte: no UTF-8 (unless the level is bytes), a word of more than LS_VOCABULARY_TOKEN bytes;
 * LS_USAGE of a text in memory. */
bool ls_text_reader_next(ls_text_reader *reader, ls_token *token, ls_error *error);
void ls_text_reader_close(ls_text_reader *reader);
