/* job_origins: a list of marks, one a key of the file or of the command line. */
#include "launch/job/job_origins.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static ls_job_mark *mark_of(const ls_job_origins *origins, const char *path)
{
    for (int i = 0; origins && i < origins->count; i++)
        if (strcmp(origins->mark[i].path, path) == 0)
            return &origins->mark[i];
    return NULL;
}

void ls_job_origins_add(ls_job_origins *origins, const ls_job_mark *mark)
{
    ls_job_mark *slot = mark_of(origins, mark->path);
    char *path = slot ? slot->path : ls_copy_string(mark->path);
    if (!slot) {
        size_t count = (size_t)++origins->count;
        origins->mark = ls_realloc(origins->mark, count, sizeof *mark);
        slot = &origins->mark[count - 1];
    }
    *slot = *mark;
    slot->path = path;
}

const char *ls_job_origins_shown(const ls_job_origins *origins, const char *path)
{
    static const char only[] = "stages.0.";
    bool at_top = origins && !mark_of(origins, "stages");
    return at_top && strncmp(path, only, strlen(only)) == 0 ? path + strlen(only) : path;
}

const ls_job_mark *ls_job_origins_find(const ls_job_origins *origins, const char *path)
{
    const ls_job_mark *mark = mark_of(origins, path);
    return mark ? mark : mark_of(origins, ls_job_origins_shown(origins, path));
}

void ls_job_origins_destroy(ls_job_origins *origins)
{
    for (int i = 0; origins && i < origins->count; i++)
        ls_free(origins->mark[i].path);
    ls_free(origins ? origins->mark : NULL);
    ls_free(origins);
}
