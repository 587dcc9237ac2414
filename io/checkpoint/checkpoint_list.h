/* checkpoint_list: the files in a run's folder of checkpoints. */
#pragma once
#include <stddef.h>

#include "core/check.h"

/* A step of which step-N.h5 or step-N.ok is there, or both. */
typedef struct ls_checkpoint_entry {
    long step;
    bool has_file; /* step-N.h5; without its .ok it was never finished, and is no checkpoint */
    bool has_ok;   /* step-N.ok: the checkpoint was committed */
} ls_checkpoint_entry;

/* The step of the name "step-00001234.h5", or -1 for any other name, "step-1234.h5" too. `ending`:
 * ".h5" or ".ok". */
long ls_checkpoint_list_step(const char *name, const char *ending);
/* FOLDER/step-00001234ENDING; the caller frees with ls_free. */
char *ls_checkpoint_list_path(const char *folder, long step, const char *ending);
/* FOLDER/stage-0ENDING: of the parameters as a stage left them; the caller frees with ls_free. */
char *ls_checkpoint_list_stage(const char *folder, long stage, const char *ending);
/* More than the number of each stage whose file is in the folder; 0: there is none. -1 and an LS_IO
 * error where it can't be read. */
long ls_checkpoint_list_stages(const char *folder, ls_error *error);
/* The entries of a folder, newest first; the caller frees with ls_free. A folder that is not there
 * is empty. NULL and an LS_IO error where it can't be read to its end. */
ls_checkpoint_entry *ls_checkpoint_list(const char *folder, int *count, ls_error *error);
