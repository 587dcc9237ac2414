/* job_refuse: the words for what is wrong with an entry of a job. */
#include "launch/job/job_refuse.h"

#include <stdio.h>
#include <string.h>

#include "core/spec.h"
#include "launch/job/job_keys.h"

enum { EXPECTED = 320, NAMES = 32 };

const char *ls_job_refuse_word(const ls_job_entry *entry)
{
    const char *dot = strrchr(entry->path, '.');
    return dot ? dot + 1 : entry->path;
}

/* What stands there, for messages: "'12x'", "nothing", "a list of 2", "3 keys". */
static const char *found(const ls_job_entry *entry, char *text, size_t size)
{
    if (entry->type == LS_ENTRY_LIST)
        snprintf(text, size, "a list of %d", entry->size);
    else if (entry->type == LS_ENTRY_MAP)
        snprintf(text, size, "%d key%s", entry->size, entry->size == 1 ? "" : "s");
    else if (entry->text && *entry->text)
        snprintf(text, size, "'%.60s%s'", entry->text, strlen(entry->text) > 60 ? "..." : "");
    else
        snprintf(text, size, "nothing");
    return text;
}

bool ls_job_refuse_value(const ls_job *job, const ls_job_entry *entry, const ls_job_key *key,
                         ls_error *error)
{
    char where[LS_JOB_PATH], expected[EXPECTED], what[80], hint[LS_JOB_PATH] = "";
    bool command = entry->origin == LS_FROM_COMMAND_LINE;
    const char *quote = command && key->example && strchr(key->example, ' ') ? "\"" : "";
    ls_job_where(job, entry->path, where, sizeof where);
    if (entry->text && !ls_job_key_utf8(entry->text))
        return ls_error_set(error, LS_USAGE, "%s: the value is no text in UTF-8", where);
    if (key->example)
        snprintf(hint, sizeof hint, "; write for example `%s%s%s%s%s`",
                 command ? entry->path : ls_job_refuse_word(entry), command ? "=" : ": ", quote,
                 key->example, quote);
    return ls_error_set(error, LS_USAGE, "%s: expected %s, found %s%s", where,
                        ls_job_key_expected(key, expected, sizeof expected),
                        found(entry, what, sizeof what), hint);
}

const char *ls_job_refuse_place(const ls_job *job, const ls_job_entry *entry, char *text,
                                size_t size)
{
    if (entry->origin == LS_FROM_COMMAND_LINE)
        snprintf(text, size, "command line");
    else if (entry->key_line > 0)
        snprintf(text, size, "%s:%d:%d", job->path, entry->key_line, entry->key_column);
    else
        snprintf(text, size, "%s", job->path);
    return text;
}

bool ls_job_refuse_unknown(const ls_job *job, const ls_job_entry *entry, ls_error *error)
{
    char map[LS_JOB_PATH], position[LS_JOB_PATH], hint[LS_JOB_PATH] = ".", other[64];
    const char *name[NAMES], *word = ls_job_refuse_word(entry);
    snprintf(map, sizeof map, "%.*s", word > entry->path ? (int)(word - entry->path) - 1 : 0,
             entry->path);
    int count = ls_job_key_names(map, name, NAMES);
    if (count == 0) { /* there is no such map */
        count = ls_job_key_names("", name, NAMES);
        snprintf(map, sizeof map, "%.*s", (int)strcspn(entry->path, "."), entry->path);
        word = map;
    }
    const char *near = ls_nearest(word, name, count, sizeof name[0]);
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (strcmp(key->name, word) == 0)
            near = ls_job_key_path(key, -1, other, sizeof other);
    if (near && (near == other || strcmp(near, word) != 0)) /* no map's own name */
        snprintf(hint, sizeof hint, ": did you mean '%s'?", near);
    ls_error_set(error, LS_USAGE, "%s: unknown key '%.300s'%s Known here:",
                 ls_job_refuse_place(job, entry, position, sizeof position), entry->path, hint);
    for (int i = 0; i < count; i++) {
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, " %s", name[i]);
    }
    return false;
}
