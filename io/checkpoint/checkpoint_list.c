/* checkpoint_list: the files in a run's folder of checkpoints. */
#include "io/checkpoint/checkpoint_list.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/minmax.h"

long ls_checkpoint_list_step(const char *name, const char *ending)
{
    static const char start[] = "step-";
    if (strncmp(name, start, sizeof start - 1) != 0 || !isdigit((unsigned char)name[5]))
        return -1;
    char *end;
    errno = 0;
    long step = strtol(name + sizeof start - 1, &end, 10);
    return errno == 0 && strcmp(end, ending) == 0 ? step : -1;
}

char *ls_checkpoint_list_path(const char *folder, long step, const char *ending)
{
    return ls_format("%s/step-%08ld%s", folder, step, ending);
}

static int newest_first(const void *a, const void *b)
{
    long x = ((const ls_checkpoint_entry *)a)->step, y = ((const ls_checkpoint_entry *)b)->step;
    return (x < y) - (x > y);
}

/* Makes one entry of a step's .h5 and .ok, which are neighbours in the sorted list. */
static int join(ls_checkpoint_entry *list, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (kept > 0 && list[kept - 1].step == list[i].step)
            list[kept - 1].files = 2;
        else
            list[kept++] = list[i];
    return kept;
}

ls_checkpoint_entry *ls_checkpoint_list(const char *folder, int *count, ls_error *error)
{
    *count = 0;
    DIR *directory = opendir(folder);
    if (!directory && errno != ENOENT) {
        ls_error_set(error, LS_IO, "%s: can't list the folder: %s", folder, strerror(errno));
        return NULL;
    }
    int room = 16;
    ls_checkpoint_entry *list = ls_alloc((size_t)room, sizeof *list);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        long step = ls_max(ls_checkpoint_list_step(entry->d_name, ".h5"),
                           ls_checkpoint_list_step(entry->d_name, ".ok"));
        if (step < 0)
            continue;
        if (*count == room)
            list = ls_realloc(list, (size_t)(room *= 2), sizeof *list);
        list[(*count)++] = (ls_checkpoint_entry){.step = step, .files = 1};
    }
    if (directory)
        closedir(directory);
    qsort(list, (size_t)*count, sizeof *list, newest_first);
    *count = join(list, *count);
    return list;
}

void ls_checkpoint_list_sweep(const char *folder)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && strcmp(entry->d_name + length - 4, ".tmp") == 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory)
        closedir(directory);
}
