/* checkpoint_find: the newest valid checkpoint of a run. */
#include "io/checkpoint/checkpoint_find.h"

#include <string.h>

#include "core/memory.h"
#include "io/checkpoint/checkpoint_list.h"
#include "io/checkpoint/checksum.h"

ls_checkpoint_search ls_checkpoint_find(const char *run, ls_checkpoint **found,
                                        void (*notify)(void *context, const char *text),
                                        void *context, ls_error *error)
{
    ls_error why, newest = {0}; /* why a checkpoint, and why the newest, is not valid */
    int count;
    char *folder = ls_format("%s/checkpoints", run);
    ls_checkpoint_entry *list = ls_checkpoint_list(folder, &count, error);
    ls_checkpoint_search answer = list ? LS_CHECKPOINT_NONE : LS_CHECKPOINT_BROKEN;
    *found = NULL;
    for (int i = 0; i < count && !*found; i++) {
        char *path = ls_checkpoint_list_path(folder, list[i].step, ".h5");
        *found = ls_checkpoint_open(path, &why);
        ls_free(path);
        if (*found)
            break;
        if (i == 0)
            newest = why;
        ls_error_prefix(&why, "checkpoint of step %ld passed over", list[i].step);
        if (notify)
            notify(context, why.text);
    }
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
