/* checkpoint_prune: removes checkpoints that a run no longer needs. */
#include "io/checkpoint/checkpoint_prune.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"
#include "io/folder.h"

static bool remove_path(const char *path, ls_error *error)
{
    return unlink(path) == 0 || errno == ENOENT ||
           ls_error_set(error, LS_IO, "%s: can't remove the old checkpoint: %s", path,
                        strerror(errno));
}

static bool remove_file(const char *folder, long step, const char *ending, ls_error *error)
{
    char *path = ls_checkpoint_list_path(folder, step, ending);
    bool ok = remove_path(path, error);
    ls_free(path);
    return ok;
}

/* The .ok is removed first, so that none is left without its file. */
static bool remove_step(const char *folder, long step, ls_error *error)
{
    return remove_file(folder, step, ".ok", error) && remove_file(folder, step, ".h5", error);
}

/* Whether the checkpoint is known to be damaged. One that can't be read now may hold. */
static bool is_damaged(const char *folder, long step)
{
    ls_error why = {0};
    ls_checksum checksum;
    char *path = ls_checkpoint_list_path(folder, step, ".h5");
    ls_checksum_state state = ls_checksum_check(path, &checksum, &why);
    ls_free(path);
    return state != LS_CHECKSUM_HOLDS && why.code == LS_DATA;
}

/* Removes a damaged checkpoint of a later step. */
static bool remove_later(const char *folder, long later, long step, ls_error *error)
{
    if (is_damaged(folder, later))
        return remove_step(folder, later, error);
    return ls_error_set(error, LS_IO,
                        "%s: holds a checkpoint of step %ld, but this run has only come to step "
                        "%ld: it stays; was it not listed when the run began, or does another job "
                        "write here?",
                        folder, later, step);
}

bool ls_checkpoint_prune(const char *folder, long step, int keep, ls_error *error)
{
    int count, kept = 0;
    ls_error first = {0}, *next = &first; /* NULL: there is a first one already */
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, &first);
    bool ok = list != NULL;
    for (int i = 0; i < count; i++) {
        bool whole = list[i].has_file && list[i].has_ok, removed;
        if (whole && list[i].step > step)
            removed = remove_later(folder, list[i].step, step, next);
        else
            removed = (whole && kept++ < keep) || remove_step(folder, list[i].step, next);
        next = removed ? next : NULL;
        ok = ok && removed;
    }
    ls_free(list);
    if (!ok && error)
        *error = first;
    return ok;
}

bool ls_checkpoint_prune_stages(const char *folder, long step, ls_error *error)
{
    const long stages = ls_checkpoint_list_stages(folder, error);
    bool ok = stages >= 0;
    for (long stage = 0; ok && stage < stages; stage++) {
        ls_checksum checksum;
        ls_error why = {0};
        char *path = ls_checkpoint_list_stage(folder, stage, ".h5");
        char *digest = ls_checkpoint_list_stage(folder, stage, ".ok");
        ls_checksum_state state = ls_checksum_check(path, &checksum, &why);
        if (state == LS_CHECKSUM_HOLDS ? checksum.step > step : why.code != LS_IO)
            ok = remove_path(digest, error) && remove_path(path, error);
        ls_free(digest);
        ls_free(path);
    }
    return ok;
}

/* Removes best.h5 where it is of a later step. */
static bool prune_best(const char *folder, long step, ls_error *error)
{
    ls_checksum checksum;
    ls_error why = {0};
    char *path = ls_format("%s/best.h5", folder), *digest = ls_format("%s/best.ok", folder);
    bool ok = ls_checksum_check(path, &checksum, &why) != LS_CHECKSUM_HOLDS ||
              checksum.step <= step || (remove_path(digest, error) && remove_path(path, error));
    ls_free(digest);
    ls_free(path);
    return ok;
}

bool ls_checkpoint_prune_later(const char *folder, long step, ls_error *error)
{
    int count;
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, error);
    bool ok = list != NULL;
    for (int i = 0; i < count && list[i].step > step; i++)
        ok = remove_step(folder, list[i].step, ok ? error : NULL) && ok;
    ls_free(list);
    ok = prune_best(folder, step, ok ? error : NULL) && ok;
    return ls_checkpoint_prune_stages(folder, step, ok ? error : NULL) && ok;
}

static bool remove_temporary(void *context, int folder, const char *name, ls_error *error)
{
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".tmp") == 0)
        unlinkat(folder, name, 0);
    return true;
}

/* Removes stage-N.h5 without an .ok. */
static void remove_unfinished_stages(const char *folder)
{
    const long stages = ls_checkpoint_list_stages(folder, NULL);
    for (long stage = 0; stage < stages; stage++) {
        char *path = ls_checkpoint_list_stage(folder, stage, ".h5");
        char *digest = ls_checkpoint_list_stage(folder, stage, ".ok");
        bool there = true;
        if (ls_folder_look(digest, &there, NULL) && !there)
            remove_path(path, NULL);
        ls_free(digest);
        ls_free(path);
    }
}

/* What can't be removed is in nobody's way. */
void ls_checkpoint_prune_unfinished(const char *folder)
{
    int count;
    ls_folder_each(folder, remove_temporary, NULL, NULL);
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, NULL);
    for (int i = 0; i < count; i++)
        if (!list[i].has_ok)
            remove_file(folder, list[i].step, ".h5", NULL);
    ls_free(list);
    remove_unfinished_stages(folder);
}
