/* checkpoint_find: the newest valid checkpoint of a run. */
#include "io/checkpoint/checkpoint_find.h"

#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/folder.h"

/* A search under way. */
typedef struct search {
    const char *folder;
    void (*notify)(void *context, const char *text);
    void *context;
    ls_checkpoint *found;
    int damaged, unfinished; /* files that were passed over, with an .ok and without */
    int gone;        /* removed since they were listed: the run has gone on, and has a newer one */
    ls_error newest; /* why the first of the damaged ones does not hold */
} search;

static void pass_over(search *s, const char *reason, long step)
{
    char *text = ls_format("checkpoint of step %ld passed over: %s", step, reason);
    if (s->notify)
        s->notify(s->context, text);
    ls_free(text);
}

/* Tries a checkpoint. False with an error where it can't be read: it may hold, so it is not passed
 * over for an older one. */
static bool try_entry(search *s, const ls_checkpoint_entry *entry, ls_error *error)
{
    ls_error why = {0};
    char *path = ls_checkpoint_list_path(s->folder, entry->step, ".h5");
    char *ok = ls_checkpoint_list_path(s->folder, entry->step, ".ok");
    bool there = true;
    s->found = ls_checkpoint_open(path, &why);
    if (!s->found && entry->has_ok)
        ls_folder_look(ok, &there, NULL);
    ls_free(ok);
    ls_free(path);
    s->gone += !there;
    if (s->found || !there)
        return true;
    if (why.code == LS_IO)
        return ls_error_set(error, LS_IO,
                            "%s; the checkpoint of step %ld may hold all the same: start again "
                            "when it can be read, or remove its .ok to pass it over",
                            why.text, entry->step);
    pass_over(s, why.text, entry->step);
    if (entry->has_ok && s->damaged++ == 0)
        s->newest = why;
    s->unfinished += !entry->has_ok;
    return true;
}

/* Tries the checkpoints, the newest first. */
static bool try_all(search *s, ls_error *error)
{
    int count;
    ls_checkpoint_entry *list = ls_checkpoint_list(s->folder, &count, error);
    bool ok = list != NULL;
    s->damaged = s->unfinished = s->gone = 0;
    for (int i = 0; i < count && ok && !s->found; i++)
        ok = try_entry(s, &list[i], error);
    ls_free(list);
    return ok;
}

/* What it means that no checkpoint was found. A stop leaves at most one file that was not finished,
 * as the next start removes it; more of them have lost their .ok in another way. */
static ls_checkpoint_search conclude(const search *s, ls_error *error)
{
    if (s->damaged)
        ls_error_set(error, LS_DATA,
                     "%s: none of the %d checkpoint(s) is valid; the newest: %s; to start afresh "
                     "give --resume=never --overwrite",
                     s->folder, s->damaged, s->newest.text);
    else if (s->unfinished > 1)
        ls_error_set(error, LS_DATA,
                     "%s: none of the %d files step-*.h5 has its step-*.ok beside it: if they were "
                     "copied, copy the .ok files too; to start afresh give --resume=never "
                     "--overwrite",
                     s->folder, s->unfinished);
    else if (s->unfinished && s->notify)
        s->notify(s->context, "there is no other checkpoint: a run begins anew");
    return s->damaged || s->unfinished > 1 ? LS_CHECKPOINT_BROKEN : LS_CHECKPOINT_NONE;
}

ls_checkpoint_search ls_checkpoint_find(const char *run, ls_checkpoint **found,
                                        void (*notify)(void *context, const char *text),
                                        void *context, ls_error *error)
{
    enum { ATTEMPTS = 8 };
    char *folder = ls_format("%s/checkpoints", run);
    search s = {.folder = folder, .notify = notify, .context = context};
    bool ok = try_all(&s, error);
    for (int i = 1; i < ATTEMPTS && ok && !s.found && s.gone > 0; i++)
        ok = try_all(&s, error);
    *found = s.found;
    ls_checkpoint_search answer = !ok       ? LS_CHECKPOINT_BROKEN
                                  : s.found ? LS_CHECKPOINT_FOUND
                                            : conclude(&s, error);
    ls_free(folder);
    return answer;
}
