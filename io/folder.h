/* folder: goes through the names in a folder; asks whether something is there. */
#pragma once
#include "core/check.h"

/* Gets a name and the open folder that it is in, for calls like unlinkat. False ends the listing;
 * it has set the error. */
typedef bool ls_folder_visit(void *context, int folder, const char *name, ls_error *error);
/* Calls `visit` for each name in the folder at `path`, but not for "." and "..". A folder that is
 * not there is empty. False and an LS_IO error where it can't be read to its end: then some names
 * may have been visited and others not. */
bool ls_folder_each(const char *path, ls_folder_visit *visit, void *context, ls_error *error);
/* Whether something is at `path`, as *there. False and an LS_IO error where the system can't tell:
 * what can't be looked at is not absent. */
bool ls_folder_look(const char *path, bool *there, ls_error *error);
/* Whether both paths lead to the same file or folder. */
bool ls_folder_same(const char *a, const char *b);
