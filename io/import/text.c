/* text: import of text: tokens of a vocabulary, of which the next is to be predicted.
 *
 * The files are read twice. The first pass counts the tokens, so that the second knows what to call
 * each, and where it belongs:
 *
 *     count    token -> table: how often each comes; tokens of each file
 *     choose   the most frequent, or those of another file: /vocabulary
 *     write    token -> its number, into train, valid or test by its place in all of the text
 */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "core/layer.h"
#include "core/memory.h"
#include "core/minmax.h"
#include "core/print.h"
#include "core/spec.h"
#include "io/dataset.h"
#include "io/import/import.h"
#include "io/import/text_reader.h"
#include "io/import/token_table.h"
#include "io/output.h"

enum { BLOCK = 1 << 16, LEAST = 2 /* tokens of a split: one to predict another from */ };

typedef struct text {
    const ls_import *import;
    FILE *report;
    int files;
    long most; /* tokens to keep; 0: all */
    ls_vocabulary_level level;
    ls_token_table *table;
    ls_vocabulary *vocabulary; /* given by a file, or chosen after the first pass */
    bool given;
    long *first;          /* [files + 1] place of each file's first token among all */
    long end[LS_SPLITS];  /* place of the token behind each split */
    long others;          /* tokens that are not in the vocabulary */
    hid_t to[LS_SPLITS];  /* data sets; -1: the split has no tokens */
    int32_t block[BLOCK]; /* numbers of tokens that are to be written */
    long filled, done;    /* of the block; tokens written so far */
} text;

static bool find_level(text *t, ls_error *error)
{
    const char *wanted = t->import->level;
    int i = 0;
    while (wanted && i < LS_VOCABULARY_LEVELS && strcmp(wanted, ls_vocabulary_levels[i]) != 0)
        i++;
    if (i == LS_VOCABULARY_LEVELS)
        return ls_error_set(error, LS_USAGE, "--level=%s: write one of char, byte, word", wanted);
    if (t->given && wanted && (int)t->vocabulary->level != i)
        return ls_error_set(error, LS_USAGE,
                            "--level=%s, but the vocabulary of %s is of the level %s: leave it out",
                            wanted, t->import->vocabulary,
                            ls_vocabulary_levels[t->vocabulary->level]);
    t->level = t->given ? t->vocabulary->level : (ls_vocabulary_level)i;
    return true;
}

/* --vocabulary: a number, or a file that has one. */
static bool read_vocabulary(text *t, ls_error *error)
{
    const char *how = t->import->vocabulary;
    if (!how)
        return true;
    if (ls_parse_long(how, &t->most))
        return (t->most > 0 && t->most < LS_LAYER_TOKENS) ||
               ls_error_set(error, LS_USAGE, "--vocabulary=%s: expected 1 to %d tokens", how,
                            LS_LAYER_TOKENS - 1);
    hid_t file = ls_h5_open(how, error);
    if (file < 0)
        return ls_error_prefix(error, "--vocabulary: expected a number or an HDF5 file");
    t->given = ls_vocabulary_read(file, &t->vocabulary, error) &&
               (t->vocabulary ||
                ls_error_set(error, LS_DATA,
                             "%s: has no vocabulary; expected a data set of `lockstep import "
                             "text`, or a checkpoint of a net trained on one",
                             how));
    H5Fclose(file);
    return t->given;
}

/* Calls `take` for each token of all files. */
static bool read_files(text *t, bool (*take)(text *, const ls_text_reader *, ls_token, ls_error *),
                       ls_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < t->files; i++) {
        ls_text_reader reader;
        ls_token token = {.size = 1};
        const long before = t->first[i + 1];
        ok = ls_text_reader_open(&reader, t->import->file[i], t->level, error);
        for (t->first[i + 1] = t->first[i]; ok && token.size; t->first[i + 1] += token.size > 0)
            ok = ls_text_reader_next(&reader, &token, error) &&
                 (token.size == 0 || take(t, &reader, token, error));
        ls_text_reader_close(&reader);
        if (ok && before && before != t->first[i + 1])
            ok = ls_error_set(error, LS_DATA, "%s: has changed while it was read",
                              t->import->file[i]);
    }
    return ok;
}

static bool count_token(text *t, const ls_text_reader *reader, ls_token token, ls_error *error)
{
    return ls_token_table_count(t->table, token) ||
           ls_error_set(error, LS_DATA,
                        "%s: more than %d different words come before byte %ld; expected fewer: "
                        "take --level char or byte",
                        reader->path, LS_LAYER_TOKENS, reader->place);
}

/* Place of the first token of the last `files` files before `end`, or, where `files` is 0, of the
 * last `number` tokens or `share` of all. */
static long border(const text *t, int end_file, long files, long end, long number, double share)
{
    if (files)
        return ls_min(t->first[ls_max(0, end_file - files)], end);
    const long tokens = share > 0 ? (long)floor(share * (double)t->first[t->files]) : number;
    return ls_max(0, end - tokens);
}

/* Where the splits end; each that is asked for has tokens enough. */
static bool divide(text *t, ls_error *error)
{
    const ls_import *import = t->import;
    const long all = t->first[t->files], tests = import->test_files, valids = import->valid_files;
    const long test = border(t, t->files, tests, all, ls_max(0, import->test), import->test_share);
    const long valid =
        border(t, t->files - (int)tests, valids, test, import->valid, import->valid_share);
    const long tokens[LS_SPLITS] = {valid, test - valid, all - test};
    t->end[LS_TRAIN] = valid;
    t->end[LS_VALID] = test;
    t->end[LS_TEST] = all;
    const bool asked[LS_SPLITS] = {tests + valids < t->files,
                                   valids || import->valid || import->valid_share > 0,
                                   tests || import->test > 0 || import->test_share > 0};
    for (int s = 0; s < LS_SPLITS; s++)
        if (tokens[s] < LEAST && (tokens[s] > 0 || asked[s]))
            return ls_error_set(error, LS_DATA,
                                "%s%s: of %ld tokens %ld are for %s; expected at least %d, to "
                                "predict the next from",
                                import->file[0], t->files > 1 ? " and the other files" : "", all,
                                tokens[s], ls_split_names[s], LEAST);
    return true;
}

/* A pipe has no second time. What is not there is left to the reader. */
static bool check_files(const ls_import *import, int files, ls_error *error)
{
    struct stat is;
    for (int i = 0; i < files; i++)
        if (stat(import->file[i], &is) == 0 && !S_ISREG(is.st_mode))
            return ls_error_set(
                error, LS_USAGE,
                S_ISDIR(is.st_mode)
                    ? "%s: is a directory: name the files in it, such as DIRECTORY/*.txt"
                    : "%s: is no regular file, but text is read twice: write it to a file first",
                import->file[i]);
    return true;
}

static bool check_parts(const ls_import *import, int files, ls_error *error)
{
    const long named = import->valid_files + import->test_files;
    if ((import->valid_files && (import->valid || import->valid_share > 0)) ||
        (import->test_files && (import->test > 0 || import->test_share > 0)))
        return ls_error_set(error, LS_USAGE,
                            "--valid and --valid-files, --test and --test-files: give one of them");
    return named <= files ||
           ls_error_set(error, LS_USAGE,
                        "--valid-files=%ld and --test-files=%ld are more than the %d file(s)",
                        import->valid_files, import->test_files, files);
}

/* Writes what the block holds of each split. */
static bool flush(text *t, ls_error *error)
{
    bool ok = true;
    for (long i = 0, n; ok && i < t->filled; i += n, t->done += n) {
        int s = 0;
        while (t->done >= t->end[s])
            s++;
        n = ls_min(t->filled - i, t->end[s] - t->done);
        ok = ls_h5_write_rows(t->to[s], H5T_NATIVE_INT32, t->done - (s ? t->end[s - 1] : 0), n,
                              t->block + i, error);
    }
    t->filled = 0;
    return ok;
}

/* The error of a second pass that finds another text than the first. Returns false. */
static bool refuse_change(const ls_text_reader *reader, ls_error *error)
{
    return ls_error_set(error, LS_DATA, "%s: has changed while it was read", reader->path);
}

static bool write_token(text *t, const ls_text_reader *reader, ls_token token, ls_error *error)
{
    long number = ls_token_table_find(t->table, token);
    if (number < 0) {
        number = t->vocabulary->unknown;
        t->others++;
    }
    if (number < 0 && !t->given)
        return refuse_change(reader, error);
    if (number < 0)
        return ls_error_set(
            error, LS_DATA,
            "%s: '%.*s' at byte %ld is not in the vocabulary of %s, which has no "
            "token for unknown ones: `lockstep import text --vocabulary N` of the text that "
            "it was made from makes one, if N is less than the tokens that this text has",
            reader->path, (int)token.size, token.bytes, reader->place - (long)token.size,
            t->import->vocabulary);
    if (t->done + t->filled == t->end[LS_TEST])
        return refuse_change(reader, error);
    t->block[t->filled++] = (int32_t)number;
    return t->filled < BLOCK || flush(t, error);
}

static bool create_splits(text *t, hid_t file, ls_error *error)
{
    static const char *const names[] = {"uint8", "uint16", "int32"};
    const long count = t->vocabulary->count;
    const int type = count <= 1 << 8 ? 0 : count <= 1 << 16 ? 1 : 2;
    const hid_t types[] = {H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_I32LE};
    bool ok = true;
    for (int s = 0; ok && s < LS_SPLITS; s++) {
        char path[16];
        const hsize_t dims[] = {(hsize_t)(t->end[s] - (s ? t->end[s - 1] : 0))};
        if (dims[0] == 0)
            continue;
        snprintf(path, sizeof path, "%s/x", ls_split_names[s]);
        t->to[s] = ls_h5_create_dataset(file, path, types[type], 1, dims, error);
        ok = t->to[s] >= 0 && ls_h5_put_long(t->to[s], "classes", count, error);
        if (ok && t->report)
            ls_print(t->report, "%-5s  x %s [%lld]\n", ls_split_names[s], names[type],
                     (long long)dims[0]);
    }
    return ok;
}

static void report(const text *t)
{
    char words[64];
    const ls_vocabulary *v = t->vocabulary;
    const long all = t->first[t->files], different = ls_token_table_size(t->table);
    if (!t->report)
        return;
    ls_print(t->report, "vocabulary  %s", ls_vocabulary_words(v, words, sizeof words));
    if (t->others)
        ls_print(t->report, " of %ld; %ld tokens (%.2f %%) are others: %.*s", different, t->others,
                 100 * (double)t->others / (double)all, (int)v->token[v->unknown].size,
                 v->token[v->unknown].bytes);
    ls_print(t->report, "\n");
}

static bool fill_file(void *context, hid_t file, ls_error *error)
{
    text *t = context;
    bool ok = create_splits(t, file, error) && read_files(t, write_token, error) &&
              flush(t, error) && ls_vocabulary_write(file, t->vocabulary, error);
    for (int s = 0; s < LS_SPLITS; s++)
        ls_h5_close(t->to[s]);
    if (ok)
        report(t);
    return ok;
}

/* The vocabulary of a file, or one of the text, which must not be larger than what can be read. */
static bool choose(text *t, ls_error *error)
{
    if (!t->given)
        t->vocabulary = ls_token_table_choose(t->table, t->level, t->most);
    const ls_vocabulary *v = t->vocabulary;
    if (v->size > LS_VOCABULARY_TEXT)
        return ls_error_set(error, LS_DATA,
                            "%s: the vocabulary of %ld %ss would take %zu bytes; expected at most "
                            "%d: take fewer of them by --vocabulary N, or --level char or byte",
                            t->import->file[0], v->count, ls_vocabulary_levels[t->level], v->size,
                            LS_VOCABULARY_TEXT);
    ls_token_table_number(t->table, v);
    return true;
}

static bool run(const ls_import *import, FILE *out, ls_error *error)
{
    text *t = ls_alloc(1, sizeof *t);
    *t = (text){.import = import, .report = out, .to = {-1, -1, -1}};
    while (t->files < LS_IMPORT_FILES && import->file[t->files])
        t->files++;
    t->first = ls_alloc((size_t)t->files + 1, sizeof *t->first);
    t->table = ls_token_table_create();
    bool ok = check_parts(import, t->files, error) && check_files(import, t->files, error) &&
              (import->force || ls_atomic_file_absent(import->output, error)) &&
              read_vocabulary(t, error) && find_level(t, error) &&
              read_files(t, count_token, error) && divide(t, error) && choose(t, error) &&
              ls_output_make(import->output, fill_file, t, error);
    ls_vocabulary_destroy(t->vocabulary);
    ls_token_table_destroy(t->table);
    ls_free(t->first);
    ls_free(t);
    return ok;
}

ls_import_run *const ls_import_text = run;
