/* checkpoint_list: the files in a run's folder of checkpoints. */
#pragma once
#include <stddef.h>

#include "core/check.h"

typedef struct ls_checkpoint_entry {
    long step;
    int files; /* 2: step-N.h5 and step-N.ok; 1: only one of them is there */
} ls_checkpoint_entry;

/* The step of the name "step-00001234.h5", or -1 for any other name. `ending`: ".h5" or ".ok". */
long ls_checkpoint_list_step(const char *name, const char *ending);
/* FOLDER/step-00001234ENDING; the caller frees with ls_free. */
char *ls_checkpoint_list_path(const char *folder, long step, const char *ending);
/* The entries of a folder, newest first; the caller frees with ls_free. A folder that is not there
 * is empty. NULL and an LS_IO error where it can't be read. */
ls_checkpoint_entry *ls_checkpoint_list(const char *folder, int *count, ls_error *error);
/* Removes the folder's *.tmp, which a killed writer left. */
void ls_checkpoint_list_sweep(const char *folder);
