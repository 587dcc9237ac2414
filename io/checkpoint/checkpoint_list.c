/* checkpoint_list: the files in a run's folder of checkpoints. */
#include "io/checkpoint/checkpoint_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/minmax.h"
#include "io/folder.h"

#define NAME "step-%08ld%s" /* of a step and an ending */

long ls_checkpoint_list_step(const char *name, const char *ending)
{
    static const char start[] = "step-";
    char exact[64];
    if (strncmp(name, start, sizeof start - 1) != 0 || !isdigit((unsigned char)name[5]))
        return -1;
    errno = 0;
    long step = strtol(name + sizeof start - 1, NULL, 10);
    snprintf(exact, sizeof exact, NAME, step, ending);
    return errno == 0 && strcmp(name, exact) == 0 ? step : -1;
}

char *ls_checkpoint_list_path(const char *folder, long step, const char *ending)
{
    return ls_format("%s/" NAME, folder, step, ending);
}

char *ls_checkpoint_list_stage(const char *folder, long stage, const char *ending)
{
    return ls_format("%s/stage-%ld%s", folder, stage, ending);
}

static bool note_stage(void *context, int folder, const char *name, ls_error *error)
{
    long *stages = context, stage;
    int end = 0;
    if (sscanf(name, "stage-%9ld.h5%n", &stage, &end) == 1 && end > 0 && !name[end])
        *stages = ls_max(*stages, stage + 1);
    return true;
}

long ls_checkpoint_list_stages(const char *folder, ls_error *error)
{
    long stages = 0;
    return ls_folder_each(folder, note_stage, &stages, error) ? stages : -1;
}

/* A list that grows; `room` is a power of two. */
typedef struct growing {
    ls_checkpoint_entry *at;
    int count, room;
} growing;

static bool add(void *context, int folder, const char *name, ls_error *error)
{
    growing *list = context;
    long file = ls_checkpoint_list_step(name, ".h5"), ok = ls_checkpoint_list_step(name, ".ok");
    if (file < 0 && ok < 0)
        return true;
    if (list->count == list->room)
        list->at = ls_realloc(list->at, (size_t)(list->room *= 2), sizeof *list->at);
    list->at[list->count++] = (ls_checkpoint_entry){
        .step = file >= 0 ? file : ok, .has_file = file >= 0, .has_ok = ok >= 0};
    return true;
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
            list[kept - 1].has_file = list[kept - 1].has_ok = true;
        else
            list[kept++] = list[i];
    return kept;
}

/* Asks for a file that the listing did not show: some file systems leave names out while a folder
 * changes. */
static bool ask(const char *folder, long step, const char *ending, bool *there, ls_error *error)
{
    char *path = ls_checkpoint_list_path(folder, step, ending);
    bool ok = *there || ls_folder_look(path, there, error);
    ls_free(path);
    return ok;
}

ls_checkpoint_entry *ls_checkpoint_list(const char *folder, int *count, ls_error *error)
{
    growing list = {.room = 16};
    list.at = ls_alloc((size_t)list.room, sizeof *list.at);
    bool ok = ls_folder_each(folder, add, &list, error);
    qsort(list.at, (size_t)list.count, sizeof *list.at, newest_first);
    *count = join(list.at, list.count);
    for (int i = 0; i < *count && ok; i++)
        ok = ask(folder, list.at[i].step, ".h5", &list.at[i].has_file, error) &&
             ask(folder, list.at[i].step, ".ok", &list.at[i].has_ok, error);
    if (ok)
        return list.at;
    *count = 0;
    ls_free(list.at);
    return NULL;
}
