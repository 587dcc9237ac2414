/* job_entries: the list of paths and texts, and the list of a job that exists. */
#include "launch/job/job_entries.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job_keys.h"

ls_job_entry *ls_job_entries_add(ls_job_entries *list, const char *path, const char *text)
{
    list->entry = ls_realloc(list->entry, (size_t)++list->count, sizeof *list->entry);
    ls_job_entry *entry = &list->entry[list->count - 1];
    *entry = (ls_job_entry){
        .path = ls_copy_string(path), .text = ls_copy_string(text), .origin = LS_FROM_FILE};
    return entry;
}

ls_job_entry *ls_job_entries_find(const ls_job_entries *list, const char *path)
{
    for (int i = 0; list && i < list->count; i++)
        if (strcmp(list->entry[i].path, path) == 0)
            return &list->entry[i];
    return NULL;
}

int ls_job_entries_stages(const ls_job_entries *list)
{
    int stages = 0, number;
    for (int i = 0; list && i < list->count; i++)
        if (sscanf(list->entry[i].path, "stages.%d", &number) == 1 && number >= stages &&
            number < INT_MAX)
            stages = number + 1;
    return stages;
}

const char *ls_job_entries_top(const char *path)
{
    int stage, length = 0;
    bool numbered = sscanf(path, "stages.%d.%n", &stage, &length) == 1 && length > 0;
    return numbered ? path + length : path;
}

static void release(ls_job_entry *entry)
{
    ls_free(entry->path);
    ls_free(entry->text);
}

void ls_job_entries_remove(ls_job_entries *list, const char *path)
{
    int kept = 0;
    size_t length = strlen(path);
    for (int i = 0; i < list->count; i++) {
        ls_job_entry *entry = &list->entry[i];
        if (strncmp(entry->path, path, length) == 0 && strchr(".", entry->path[length]))
            release(entry);
        else
            list->entry[kept++] = *entry;
    }
    list->count = kept;
}

ls_job_entry *ls_job_entries_put(ls_job_entries *list, const char *path, const char *text)
{
    ls_job_entry *entry = ls_job_entries_find(list, path);
    if (!entry || entry->type != LS_ENTRY_TEXT) {
        ls_job_entries_remove(list, path);
        return ls_job_entries_add(list, path, text);
    }
    ls_free(entry->text);
    *entry =
        (ls_job_entry){.path = entry->path, .text = ls_copy_string(text), .origin = LS_FROM_FILE};
    return entry;
}

static void add_optimizers(ls_job_entries *list, const char *path, const ls_job_stage *stage)
{
    for (int i = 0; i < stage->optimizers; i++) {
        const char *phase = stage->optimizer[i].phase;
        bool only = stage->optimizers == 1 && !phase;
        char *whole = ls_format("%s%s%s", path, only ? "" : ".", phase ? phase : "");
        ls_job_entries_add(list, whole, stage->optimizer[i].spec);
        ls_free(whole);
    }
}

static void add_nets(ls_job_entries *list, const char *path, const ls_job *job)
{
    for (int i = 0; i < LS_MODEL_NETS && job->nets[i].name; i++) {
        char *whole = ls_format("%s.%s", path, job->nets[i].name);
        ls_job_entries_add(list, whole, job->nets[i].lines);
        ls_free(whole);
    }
}

static void add_key(ls_job_entries *list, const ls_job_key *key, const ls_job *job, int stage)
{
    char path[LS_JOB_PATH], *text = ls_job_key_get(key, job, stage);
    ls_job_key_path(key, stage, path, sizeof path);
    if (text)
        ls_job_entries_add(list, path, text);
    else if (key->kind == LS_KEY_OPTIMIZER)
        add_optimizers(list, path, &job->stage[stage]);
    else if (key->kind == LS_KEY_NETS)
        add_nets(list, path, job);
    ls_free(text);
}

/* Stage by stage; a stage without keys has an entry of its own. */
static void add_stages(ls_job_entries *list, const ls_job_key *first, const ls_job *job)
{
    for (int i = 0; i < job->stages; i++) {
        char path[32];
        int before = list->count;
        for (const ls_job_key *key = first; ls_job_key_in_stage(key); key++)
            add_key(list, key, job, i);
        snprintf(path, sizeof path, "stages.%d", i);
        if (list->count == before)
            ls_job_entries_add(list, path, NULL)->type = LS_ENTRY_MAP;
    }
}

ls_job_entries *ls_job_entries_of(const ls_job *job)
{
    ls_job_entries *list = ls_alloc(1, sizeof *list);
    for (const ls_job_key *key = ls_job_keys; key->name; key++)
        if (!ls_job_key_in_stage(key))
            add_key(list, key, job, 0);
        else if (!ls_job_key_in_stage(key - 1))
            add_stages(list, key, job);
    return list;
}

void ls_job_entries_destroy(ls_job_entries *list)
{
    for (int i = 0; list && i < list->count; i++)
        release(&list->entry[i]);
    ls_free(list ? list->entry : NULL);
    ls_free(list);
}
