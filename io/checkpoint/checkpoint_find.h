/* checkpoint_find: the newest valid checkpoint of a run. */
#pragma once
#include "io/checkpoint/checkpoint.h"

typedef enum ls_checkpoint_search {
    LS_CHECKPOINT_FOUND,
    LS_CHECKPOINT_NONE,  /* the run has none, or one whose writing a stop cut off: no error */
    LS_CHECKPOINT_BROKEN /* an error: none of them is valid, or LS_IO: the folder or the newest that
                          * may be valid can't be read */
} ls_checkpoint_search;

/* Opens the newest valid checkpoint of a run directory as *found, which the caller closes; NULL if
 * there is none. `notify` (may be NULL) is called for each newer one, with a line that says why it
 * is not valid. *error is set if the answer is LS_CHECKPOINT_BROKEN. */
ls_checkpoint_search ls_checkpoint_find(const char *run, ls_checkpoint **found,
                                        void (*notify)(void *context, const char *text),
                                        void *context, ls_error *error);
