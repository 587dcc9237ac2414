/* job_yaml: writes a job as YAML, with as few quotes as it needs. */
#include "launch/job/job_yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_values.h"

/* The length of the character at `c` if YAML takes it for a line break or allows it only as an
 * escape, which is put into escape[8]; else 0. */
static int special(const char *c, char *escape)
{
    static const char *const wide[][2] = {{"\xE2\x80\xA8", "\\u2028"},
                                          {"\xE2\x80\xA9", "\\u2029"},
                                          {"\xEF\xBB\xBF", "\\uFEFF"},
                                          {"\xEF\xBF\xBE", "\\uFFFE"},
                                          {"\xEF\xBF\xBF", "\\uFFFF"}};
    unsigned char first = (unsigned char)c[0], second = (unsigned char)c[first != 0];
    bool narrow = first < 0x20 || first == 0x7F, latin = first == 0xC2 && second < 0xA0;
    if (narrow || latin) {
        snprintf(escape, 8, "\\u%04X", narrow ? first : second);
        return narrow ? 1 : 2;
    }
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (strncmp(c, wide[i][0], 3) == 0) {
            snprintf(escape, 8, "%s", wide[i][1]);
            return 3;
        }
    return 0;
}

static void write_quoted(const char *text, FILE *out)
{
    char escape[8];
    fputc('"', out);
    while (*text) {
        int length = special(text, escape);
        if (*text == '\n')
            fputs("\\n", out);
        else if (length)
            fputs(escape, out);
        else
            fprintf(out, "%s%c", strchr("\"\\", *text) ? "\\" : "", *text);
        text += length ? length : 1;
    }
    fputc('"', out);
}

/* Whether YAML reads this text back without quotes: letters, digits, what needs no quotes, and
 * single spaces between them. */
static bool is_plain(const char *text)
{
    if (!(isalnum((unsigned char)text[0]) || strchr("/.", text[0])) || !*text)
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-+=,@", *c) &&
            !(*c == ' ' && c[1] && c[1] != ' '))
            return false;
    return strcmp(text, "null") != 0 && strcmp(text, "...") != 0;
}

/* Whether a text of several lines may stand as a block after |. It may not begin with white space,
 * which YAML would take for the block's indentation. */
static bool is_block(const char *text)
{
    char escape[8];
    for (const char *c = text; *c; c++)
        if (special(c, escape) && *c != '\n' && *c != '\t')
            return false;
    return strchr(text, '\n') && !strchr(" \t\n", text[0]);
}

/* What follows | tells how many line ends close the text: - none, nothing one, + several. */
static void write_block(const char *text, int indent, FILE *out)
{
    size_t length = strlen(text), ends = 0;
    while (ends < length && text[length - 1 - ends] == '\n')
        ends++;
    fprintf(out, " |%s\n", ends == 0 ? "-" : ends == 1 ? "" : "+");
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

static void write_map(json_t *map, int indent, bool in_list, FILE *out);

/* What comes after "key:". */
static void write_value(json_t *value, int indent, FILE *out)
{
    size_t i;
    json_t *entry;
    if (json_is_string(value) && is_block(json_string_value(value))) {
        write_block(json_string_value(value), indent, out);
        return;
    }
    fputs(json_is_object(value) || json_is_array(value) ? "" : " ", out);
    if (json_is_string(value))
        write_word(json_string_value(value), out);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
    fputc('\n', out);
    if (json_is_object(value))
        write_map(value, indent, false, out);
    json_array_foreach (value, i, entry) {
        if (json_object_size(entry))
            write_map(entry, indent + 2, true, out);
        else
            fprintf(out, "%*s- {}\n", indent, "");
    }
}

/* In a list, a dash stands before the first key of the map. */
static void write_map(json_t *map, int indent, bool in_list, FILE *out)
{
    const char *key;
    json_t *value;
    json_object_foreach (map, key, value) {
        fprintf(out, "%*s%s", in_list ? indent - 2 : indent, "", in_list ? "- " : "");
        in_list = false;
        write_word(key, out);
        fputc(':', out);
        write_value(value, indent + 2, out);
    }
}

char *ls_job_text(const ls_job *job)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ls_check(out, "out of memory for the text of a job");
    json_t *json = ls_job_write(job);
    write_map(json, 0, false, out);
    json_decref(json);
    ls_check(fclose(out) == 0, "out of memory for the text of a job");
    char *copy = ls_copy_string(text);
    free(text); /* open_memstream's */
    return copy;
}
