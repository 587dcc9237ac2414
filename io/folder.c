/* folder: goes through the names in a folder; asks whether something is there. */
#include "io/folder.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next name but "." and ".."; NULL at the end, and where reading failed, with errno set. */
static const char *next_name(DIR *folder)
{
    struct dirent *entry;
    do {
        errno = 0; /* readdir returns NULL in either case, and sets errno in one of them only */
        entry = readdir(folder);
    } while (entry ? strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
                   : errno == EINTR);
    return entry ? entry->d_name : NULL;
}

bool ls_folder_each(const char *path, ls_folder_visit *visit, void *context, ls_error *error)
{
    DIR *folder;
    do
        folder = opendir(path);
    while (!folder && errno == EINTR);
    if (!folder)
        return errno == ENOENT ||
               ls_error_set(error, LS_IO, "%s: can't list the folder: %s", path, strerror(errno));
    bool ok = true;
    const char *name;
    while (ok && (name = next_name(folder)))
        ok = visit(context, dirfd(folder), name, error);
    if (ok && errno != 0)
        ok = ls_error_set(error, LS_IO, "%s: can't list the folder to its end: %s", path,
                          strerror(errno));
    closedir(folder);
    return ok;
}

bool ls_folder_look(const char *path, bool *there, ls_error *error)
{
    *there = access(path, F_OK) == 0;
    return *there || errno == ENOENT || errno == ENOTDIR ||
           ls_error_set(error, LS_IO, "%s: can't look whether it is there: %s", path,
                        strerror(errno));
}

bool ls_folder_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
