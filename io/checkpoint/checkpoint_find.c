/* checkpoint_find: the newest valid checkpoint of a run. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"

/* Why checkpoint `entry` is not valid, or false. */
static bool is_valid(const char *folder, const ls_checkpoint_entry *entry, ls_error *error)
{
    char *path = ls_checkpoint_path(folder, entry->step, ".h5");
    bool ok = ls_checkpoint_verify(path, error);
    ls_free(path);
    return ok;
}

/* The place of the newest valid entry, or -1 with the reason why the newest is not in *newest. */
static int first_valid(const char *folder, const ls_checkpoint_entry *list, int count,
                       void (*notice)(void *context, const char *text), void *context,
                       ls_error *newest)
{
    for (int i = 0; i < count; i++) {
        ls_error error = {0};
        if (is_valid(folder, &list[i], &error))
            return i;
        if (i == 0)
            *newest = error;
        char *text = ls_format("checkpoint of step %ld passed over: %s", list[i].step, error.text);
        if (notice)
            notice(context, text);
        ls_free(text);
    }
    return -1;
}

bool ls_checkpoint_find(const char *run, char *path, size_t size,
                        void (*notice)(void *context, const char *text), void *context,
                        ls_error *error)
{
    ls_error newest = {0};
    if (error)
        *error = (ls_error){0};
    char *folder = ls_format("%s/checkpoints", run);
    int count, found = -1;
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, error);
    if (count > 0)
        found = first_valid(folder, list, count, notice, context, &newest);
    if (found >= 0) {
        char *whole = ls_checkpoint_path(folder, list[found].step, ".h5");
        ls_check((size_t)snprintf(path, size, "%s", whole) < size, "the path %s is too long",
                 whole);
        ls_free(whole);
    } else if (count > 0) {
        ls_error_set(error, LS_DATA,
                     "%s: none of the %d checkpoint(s) is valid; the newest: %s; to start afresh "
                     "give --resume=never --overwrite",
                     folder, count, newest.text);
    }
    ls_free(list);
    ls_free(folder);
    return found >= 0;
}

bool ls_checkpoint_adopt_best(const char *path, const char *run, long step, bool *taken,
                              ls_error *error)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    char *from = ls_format("%.*s/best.h5", length, slash ? path : ".");
    char *to = ls_format("%s/checkpoints/best.h5", run);
    size_t size;
    ls_checksum seal;
    void *bytes = ls_checksum_read(from, true, &size, &seal, NULL);
    *taken = bytes && seal.step == step;
    bool ok = !*taken || ls_checksum_write(to, bytes, size, step, error);
    ls_free(bytes);
    ls_free(to);
    ls_free(from);
    return ok;
}
