/* job: a job's keys set, completed, and found where they stood. */
#include "launch/job/job.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_entries.h"
#include "launch/job/job_keys.h"

void ls_job_destroy(ls_job *job)
{
    for (const ls_job_key *key = ls_job_keys; job && key->name; key++)
        for (int i = 0; i < ls_job_key_copies(key, job); i++)
            if (key->kind == LS_KEY_TEXT || key->kind == LS_KEY_SPLIT ||
                key->kind == LS_KEY_SAMPLING)
                ls_free(*(char **)ls_job_key_member(key, job, i));
    for (int i = 0; job && i < job->stages * LS_PHASES; i++) {
        ls_job_optimizer *optimizer = &job->stage[i / LS_PHASES].optimizer[i % LS_PHASES];
        ls_free((char *)optimizer->phase);
        ls_free((char *)optimizer->spec);
    }
    for (int i = 0; job && i < LS_MODEL_NETS; i++) {
        ls_free((char *)job->nets[i].name);
        ls_free((char *)job->nets[i].lines);
    }
    if (job) {
        ls_free(job->stage);
        ls_free((char *)job->path);
        ls_job_entries_destroy(job->entries);
    }
    ls_free(job);
}

bool ls_job_set(ls_job *job, const char *path, const char *text, ls_error *error)
{
    int stage;
    char expected[320];
    const char *rest;
    const ls_job_key *key = ls_job_key_at(path, &stage, &rest);
    if (!key || key->kind == LS_KEY_OPTIMIZER || key->kind == LS_KEY_NETS || stage >= job->stages)
        return ls_error_set(error, LS_USAGE, "'%s' is no key of one value in this job", path);
    return ls_job_key_set(key, ls_job_key_member(key, job, stage), text) ||
           ls_error_set(error, LS_USAGE, "%s: expected %s, found '%s'", path,
                        ls_job_key_expected(key, expected, sizeof expected), text);
}

/* The entry that gave the key: its own, or that of all stages. */
static const ls_job_entry *entry_of(const ls_job *job, const char *key)
{
    const ls_job_entry *entry = ls_job_entries_find(job->entries, key);
    return entry ? entry : ls_job_entries_find(job->entries, ls_job_entries_top(key));
}

/* The only stage of a job without a list of stages needs no number. */
static const char *shown_default(const ls_job *job, const char *key)
{
    bool listed = !job->entries || ls_job_entries_find(job->entries, "stages");
    return listed || job->stages > 1 ? key : ls_job_entries_top(key);
}

const char *ls_job_where(const ls_job *job, const char *key, char *text, size_t size)
{
    const ls_job_entry *entry = entry_of(job, key);
    const char *shown = entry ? entry->path : shown_default(job, key);
    if (entry && entry->origin == LS_FROM_COMMAND_LINE)
        snprintf(text, size, "command line: %s", shown);
    else if (entry && entry->line > 0)
        snprintf(text, size, "%s:%d:%d: %s", job->path, entry->line, entry->column, shown);
    else
        snprintf(text, size, "%s: %s%s", job->path, shown,
                 job->entries && !entry ? " (default)" : "");
    return text;
}

ls_origin ls_job_origin(const ls_job *job, const char *key)
{
    const ls_job_entry *entry = entry_of(job, key);
    return entry ? entry->origin : LS_FROM_DEFAULT;
}
