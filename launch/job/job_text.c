/* job_text: writes a job as JSON, and as YAML with as few quotes as it needs. */
#include "launch/job/job_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_entries.h"
#include "launch/job/job_keys.h"

/* An object of paths and values: {"data": "f.h5", "stages.0.batch": 64}. */
char *ls_job_json(const ls_job *job)
{
    json_t *json = json_object();
    ls_job_entries *list = ls_job_entries_of(job);
    for (int i = 0; i < list->count; i++) {
        int stage;
        const char *text = list->entry[i].text, *rest;
        const ls_job_key *key = ls_job_key_at(list->entry[i].path, &stage, &rest);
        bool word = key && (key->kind == LS_KEY_NUMBER || key->kind == LS_KEY_REAL ||
                            key->kind == LS_KEY_SWITCH);
        json_object_set_new_nocheck(json, list->entry[i].path,
                                    !key   ? json_object()
                                    : word ? json_loads(text, JSON_DECODE_ANY, NULL)
                                           : json_string_nocheck(text));
    }
    char *dump = json_dumps(json, JSON_INDENT(1)), *text = ls_copy_string(dump);
    free(dump); /* jansson's */
    json_decref(json);
    ls_job_entries_destroy(list);
    return text;
}

/* The character at text[0, *length), UTF-8, by its number. */
static long character(const char *text, int *length)
{
    long first = (unsigned char)*text;
    *length = 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0);
    long code = *length > 1 ? first & (0x7F >> *length) : first;
    for (int i = 1; i < *length; i++)
        code = code << 6 | (text[i] & 0x3F);
    return code;
}

/* Whether YAML takes the character for a line break or allows it only as an escape. */
static bool is_special(long code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
           code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

static void write_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (int length; *text; text += length) {
        long code = character(text, &length);
        if (code == '\n')
            fputs("\\n", out);
        else if (is_special(code))
            fprintf(out, "\\u%04lX", code);
        else
            fprintf(out, "%s%.*s", strchr("\"\\", *text) ? "\\" : "", length, text);
    }
    fputc('"', out);
}

/* Whether YAML reads this text back without quotes: letters, digits, what needs no quotes, and
 * single spaces between them. */
static bool is_plain(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "/._-+=,@ ";
    size_t length = strlen(text);
    return length > 0 && strspn(text, allowed) == length && !strchr("_-+=,@ ", text[0]) &&
           text[length - 1] != ' ' && !strstr(text, "  ") && strcmp(text, "null") != 0 &&
           strcmp(text, "...") != 0;
}

/* Whether a text of several lines may stand as a block after |. It may not begin with white space,
 * which YAML would take for the block's indentation. */
static bool is_block(const char *text)
{
    int length = 1;
    for (const char *c = text; *c; c += length)
        if (is_special(character(c, &length)) && !strchr("\n\t", *c))
            return false;
    return strchr(text, '\n') && !strchr(" \t\n", text[0]);
}

/* What follows | tells how many line ends close the text: - none, nothing one, + several. */
static void write_block(const char *text, int indent, FILE *out)
{
    size_t length = strlen(text), ends = 0;
    while (ends < length && text[length - 1 - ends] == '\n')
        ends++;
    fprintf(out, "|%s\n", ends == 0 ? "-" : ends == 1 ? "" : "+");
    while (*text) {
        size_t line = strcspn(text, "\n");
        fprintf(out, "%*s%.*s\n", line ? indent : 0, "", (int)line, text);
        text += line + (text[line] == '\n');
    }
}

static void write_word(const char *text, FILE *out)
{
    if (is_plain(text))
        fputs(text, out);
    else
        write_quoted(text, out);
}

/* What follows "key:"; NULL: the keys of a map. */
static void write_value(const char *text, int indent, FILE *out)
{
    fputs(text ? ": " : ":\n", out);
    if (text && is_block(text)) {
        write_block(text, indent, out);
    } else if (text) {
        write_word(text, out);
        fputc('\n', out);
    }
}

/* A line for each part of the path that the path before it has not; in a list of stages a dash
 * stands before the first key of each. */
static void write_entry(const ls_job_entry *entry, const char *before, FILE *out)
{
    bool dash = false, same = true;
    const char *part = entry->path;
    for (int depth = 0; part; depth++) {
        char word[LS_JOB_PATH];
        size_t length = strcspn(part, ".");
        bool last = part[length] == 0;
        same = same && strncmp(before, part, length + 1) == 0;
        snprintf(word, sizeof word, "%.*s", (int)length, part);
        before += same ? length + 1 : 0;
        part = last ? NULL : part + length + 1;
        if (same)
            continue;
        fprintf(out, "%*s", dash ? 0 : 2 * depth, "");
        dash = depth == 1 && strncmp(entry->path, "stages.", 7) == 0;
        if (dash) {
            fputs(last ? "- {}\n" : "- ", out);
        } else {
            write_word(word, out);
            write_value(last ? entry->text : NULL, 2 * depth + 2, out);
        }
    }
}

char *ls_job_text(const ls_job *job)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ls_check(out, "out of memory for the text of a job");
    ls_job_entries *list = ls_job_entries_of(job);
    for (int i = 0; i < list->count; i++)
        write_entry(&list->entry[i], i > 0 ? list->entry[i - 1].path : "", out);
    ls_job_entries_destroy(list);
    ls_check(fclose(out) == 0, "out of memory for the text of a job");
    char *copy = ls_copy_string(text);
    free(text); /* open_memstream's */
    return copy;
}
