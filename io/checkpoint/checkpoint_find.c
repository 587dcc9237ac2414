/* checkpoint_find: the newest valid checkpoint of a run. */
#include "io/checkpoint/checkpoint_find.h"

#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"

static ls_checkpoint *open_step(const char *folder, long step, ls_error *error)
{
    char *path = ls_checkpoint_list_path(folder, step, ".h5");
    ls_checkpoint *checkpoint = ls_checkpoint_open(path, error);
    ls_free(path);
    return checkpoint;
}

/* The first of the list that is valid; NULL, and *newest says why the first of the list is not. */
static ls_checkpoint *open_first_valid(const char *folder, const ls_checkpoint_entry *list,
                                       int count, void (*notify)(void *context, const char *text),
                                       void *context, ls_error *newest)
{
    for (int i = 0; i < count; i++) {
        ls_error error = {0};
        ls_checkpoint *checkpoint = open_step(folder, list[i].step, &error);
        if (checkpoint)
            return checkpoint;
        if (i == 0)
            *newest = error;
        char *text = ls_format("checkpoint of step %ld passed over: %s", list[i].step, error.text);
        if (notify)
            notify(context, text);
        ls_free(text);
    }
    return NULL;
}

ls_checkpoint_search ls_checkpoint_find(const char *run, ls_checkpoint **found,
                                        void (*notify)(void *context, const char *text),
                                        void *context, ls_error *error)
{
    ls_error newest = {0};
    int count;
    char *folder = ls_format("%s/checkpoints", run);
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, error);
    ls_checkpoint_search answer = list ? LS_CHECKPOINT_NONE : LS_CHECKPOINT_BROKEN;
    *found = open_first_valid(folder, list, count, notify, context, &newest);
    if (*found) {
        answer = LS_CHECKPOINT_FOUND;
    } else if (count > 0) {
        answer = LS_CHECKPOINT_BROKEN;
        ls_error_set(error, LS_DATA,
                     "%s: none of the %d checkpoint(s) is valid; the newest: %s; to start afresh "
                     "give --resume=never --overwrite",
                     folder, count, newest.text);
    }
    ls_free(list);
    ls_free(folder);
    return answer;
}

bool ls_checkpoint_find_best(const ls_checkpoint *checkpoint, const char *run, long step,
                             bool *copied, ls_error *error)
{
    const char *path = checkpoint->path, *slash = strrchr(path, '/');
    char *from = ls_format("%.*s/best.h5", slash ? (int)(slash - path) : 1, slash ? path : ".");
    char *to = ls_format("%s/checkpoints/best.h5", run);
    size_t size;
    ls_checksum checksum;
    void *bytes = ls_checksum_read(from, LS_CHECKSUM_REQUIRED, &size, &checksum, NULL);
    *copied = bytes && checksum.step == step;
    bool ok = !*copied || ls_checksum_write(to, bytes, size, step, error);
    ls_free(bytes);
    ls_free(to);
    ls_free(from);
    return ok;
}
